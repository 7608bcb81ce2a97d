from __future__ import annotations

from collections.abc import Mapping

import azure.functions as func
import pytest

from tests.app import App, body_of
from tests.builders import guid
from tests.credentials import KEY, keys_setting, principal, with_key
from tests.services.webhooks.sender import LOGIN, check_id, send
from tests.services.webhooks.setup import ENVIRONMENT

pytestmark = pytest.mark.usefixtures("app")


FIELDS: Mapping[str, str] = {
    "AccessPackageId": guid("a"),
    "IncompatibleAccessPackageId": guid("b"),
    "number": "RITM0010042",
    "StageInstanceId": "957d0c50-466b-4840-bb5b-c92cea7141ff",
}


WISH: Mapping[str, str] = {"EntraUserObjectId": guid("d"), "AccessPackageId": guid("a")}


class TestByEntra:
    """With the headers that Easy Auth writes, through the function as the host calls it."""

    @pytest.fixture
    def app(self, app: App) -> App:
        app.configure(**ENVIRONMENT, WEBSITE_AUTH_ENABLED="True", CALLER_KEYS=keys_setting(a=KEY))
        return app

    @pytest.mark.parametrize(
        ("roles", "statuses"),
        [
            (("SoD.Check",), [202, 403]),
            (("SoD.Decide",), [403, 200]),
            (("SoD.Check", "SoD.Decide"), [202, 200]),
            (("SoD.Admin",), [202, 200]),
            (("SoD.Read",), [401, 401]),
            (("SoD.Enforce",), [401, 401]),
            ((), [401, 401]),
        ],
    )
    async def test_a_caller_may_ask_what_its_role_says(
        self, app: App, roles: tuple[str, ...], statuses: list[int]
    ) -> None:
        """SoD.Check is for pairs and SoD.Decide for persons; another role is refused."""
        answers = [await send("servicenow", body, principal(*roles)) for body in (FIELDS, WISH)]
        assert [each.status_code for each in answers] == statuses
        assert len(app.storage.sent) == statuses.count(202)

    async def test_a_check_is_answered_as_any_other_callers(self, app: App) -> None:
        """From the ticket to the conflict: the check is worked on and names the ticket."""
        accepted = check_id(await send("servicenow", FIELDS, principal("SoD.Check")))
        await app.work_off()
        found = body_of(await app.get(accepted, headers=principal("SoD.Check")))
        assert (found["outcome"], found["reference"]) == ("conflict", "RITM0010042")

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            with_key(KEY),
            principal("SoD.Check", auth_typ="google"),
            principal("SoD.Check", object_id=None),
            {"X-MS-CLIENT-PRINCIPAL": "e30="},
            {"X-MS-CLIENT-PRINCIPAL": "SoD.Check"},
            {"Authorization": "Bearer SoD.Check"},
        ],
    )
    async def test_no_other_caller_is_let_in(self, app: App, headers: Mapping[str, str]) -> None:
        """A key of the app's own, another provider's word, and an unreadable header: 401."""
        assert (await send("servicenow", FIELDS, headers)).status_code == 401
        assert app.storage.sent == []

    @pytest.mark.parametrize("enabled", ["", "False"])
    async def test_without_the_platform_a_principal_is_untrusted(
        self, app: App, enabled: str
    ) -> None:
        """Unless App Service says that it writes the header, any caller could forge it."""
        app.configure(**ENVIRONMENT, WEBSITE_AUTH_ENABLED=enabled)
        assert (await send("servicenow", FIELDS, principal("SoD.Check"))).status_code == 401
        assert app.storage.sent == []

    @pytest.mark.usefixtures("app")
    async def test_two_callers_with_one_key_do_not_meet(self) -> None:
        """Each caller that may send as this source has names of its own."""
        headers = {"X-Idempotency-Key": "k"}
        first = check_id(await send("servicenow", FIELDS, principal("SoD.Check") | headers))
        other = principal("SoD.Check", object_id=guid("c")) | headers
        turned = {**FIELDS, "IncompatibleAccessPackageId": guid("c")}
        assert check_id(await send("servicenow", turned, other)) != first


async def desk(body: object, **headers: str) -> func.HttpResponse:
    login = {"Authorization": LOGIN}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await send("desk", body, {**login, **named})


async def test_a_flow_names_its_repetitions() -> None:
    """The same X-Idempotency-Key is the same check; with another question it is refused."""
    first = check_id(await desk(FIELDS, X_Idempotency_Key="k-1"))
    assert check_id(await desk(FIELDS, X_Idempotency_Key="k-1")) == first
    assert check_id(await desk(FIELDS, X_Idempotency_Key="k-2")) != first
    other = {**FIELDS, "number": "RITM2"}
    assert (await desk(other, X_Idempotency_Key="k-1")).status_code == 422


async def test_a_stage_names_its_repetitions(app: App) -> None:
    """Without a key, the same stage with the same question is the same check, for days."""
    first = check_id(await desk(FIELDS))
    app.clock.advance(5 * 24 * 3600)
    assert check_id(await desk(FIELDS)) == first
    turned = {**FIELDS, "IncompatibleAccessPackageId": guid("c")}
    assert check_id(await desk(turned)) != first


async def test_the_person_of_the_tutorial_is_decided_on() -> None:
    """EntraUserObjectId and AccessPackageId are a question for a decision."""
    body = {"EntraUserObjectId": guid("d"), "AccessPackageId": guid("a"), "number": 42}
    decision = body_of(await desk(body))
    assert (decision["decision"], decision["reference"]) == ("allow", "42")
