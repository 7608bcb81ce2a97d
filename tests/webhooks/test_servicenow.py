from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import azure.functions as func
import pytest

from functions import wiring
from tests.app import App, body_of
from tests.builders import guid
from tests.webhooks.sender import LOGIN, check_id, send

pytestmark = pytest.mark.usefixtures("app")


FIELDS: Mapping[str, str] = {
    "AccessPackageId": guid("a"),
    "IncompatibleAccessPackageId": guid("b"),
    "number": "RITM0010042",
    "StageInstanceId": "957d0c50-466b-4840-bb5b-c92cea7141ff",
}


async def test_nobody_is_let_in_by_entra_unless_it_is_wired() -> None:
    """A principal is a stranger's word where the platform does not vouch for it."""
    answer = await send("servicenow", FIELDS, {"X-MS-CLIENT-PRINCIPAL": "e30="})
    assert answer.status_code == 401


class Known:
    """Callers whose principal is the role that they have."""

    def may(self, headers: Mapping[str, str], roles: Collection[str]) -> bool:
        return headers.get("x-ms-client-principal") in roles


async def test_a_caller_may_ask_what_its_role_says(app: App) -> None:
    """SoD.Check is for pairs and SoD.Decide for persons; another role is nobody."""
    webhooks = replace(wiring.webhooks(), callers=Known())
    wiring.install(
        app.records,
        app.engine,
        wiring.delivery_settings(),
        admission=app.admission,
        webhooks=webhooks,
    )
    wish = {"EntraUserObjectId": guid("d"), "AccessPackageId": guid("a")}
    statuses = {
        role: [
            (await send("servicenow", body, {"X-MS-CLIENT-PRINCIPAL": role})).status_code
            for body in (FIELDS, wish)
        ]
        for role in ("SoD.Check", "SoD.Decide", "SoD.Read")
    }
    assert statuses == {"SoD.Check": [202, 403], "SoD.Decide": [403, 200], "SoD.Read": [401, 401]}


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
