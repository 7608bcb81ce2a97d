from __future__ import annotations

import logging
from collections.abc import Mapping

import azure.functions as func
import pytest

from entra_sod.core.errors import NotAllowed, Unauthenticated
from entra_sod.domain.callers.caller import (
    AppRole,
    Caller,
    CallerKind,
    EnforcementChoice,
    UnknownCaller,
    cap_enforcement,
)
from entra_sod.domain.callers.identify import CallerSettings, identify
from entra_sod.domain.callers.routes import ROUTES
from entra_sod.domain.rules.language import Mode
from functions.http.health import health
from tests.app import App, body_of, call, install_parts, pair_body
from tests.builders import guid, held, package, rule, side
from tests.credentials import KEY, OBJECT_ID, OTHER_KEY, keys_setting, principal, with_key

type MakeApp = type[App]

PLATFORM = {"WEBSITE_AUTH_ENABLED": "True"}
KEYS = {"CALLER_KEYS": keys_setting(jira=KEY, servicenow=OTHER_KEY)}
BODY = pair_body("a", "b")


def secured(make_app: MakeApp, **settings: str) -> App:
    packages = [package("a"), package("b")]
    rules = [rule("r", side("a"), side("b"), mode=Mode.ENFORCE)]
    assignments = {"a": held("a", "x"), "b": held("b", "x")}
    return make_app(packages, assignments, rules, **{**PLATFORM, **KEYS, **settings})


def from_address(address: str) -> dict[str, str]:
    return {"X-Forwarded-For": address}


class TestFloods:
    @pytest.mark.parametrize("credential", [with_key(), principal("SoD.Check")])
    async def test_a_caller_who_asks_too_often_is_told_when_to_come_back(
        self, make_app: MakeApp, credential: Mapping[str, str]
    ) -> None:
        """429 with Retry-After as a problem; nothing is queued; after the wait it is taken."""
        app = secured(make_app, CALLER_REQUESTS_PER_MINUTE="3")
        answers = [await app.post(BODY, headers=credential) for _ in range(4)]
        assert [each.status_code for each in answers] == [202, 202, 202, 429]
        refused = answers[-1]
        assert (refused.mimetype, refused.headers["Retry-After"]) == (
            "application/problem+json",
            "20",
        )
        assert body_of(refused)["type"] == "urn:entra-sod:problem:too-many-requests"
        assert len(app.storage.sent) == 3
        app.clock.advance(20)
        assert (await app.post(BODY, headers=credential)).status_code == 202

    async def test_one_caller_does_not_slow_another(self, make_app: MakeApp) -> None:
        """Keys are counted by their names, and principals by their ids."""
        app = secured(make_app, CALLER_REQUESTS_PER_MINUTE="1")
        others = [with_key(OTHER_KEY), principal("SoD.Check", object_id=guid("c"))]
        assert (await app.post(BODY, headers=with_key())).status_code == 202
        assert (await app.post(BODY, headers=with_key())).status_code == 429
        assert [(await app.post(BODY, headers=each)).status_code for each in others] == [202, 202]

    async def test_polling_is_not_starved_by_asking(self, make_app: MakeApp) -> None:
        """A caller at its request limit still fetches every answer, ten times over."""
        app = secured(make_app, CALLER_REQUESTS_PER_MINUTE="5")
        key = with_key()
        started = [body_of(await app.post(BODY, headers=key))["id"] for _ in range(5)]
        assert (await app.post(BODY, headers=key)).status_code == 429
        polls = [(await app.get(each, headers=key)).status_code for each in started * 10]
        assert polls == [202] * 50
        assert (await app.get(started[0], headers=key)).status_code == 429

    async def test_strangers_are_counted_by_their_address(self, make_app: MakeApp) -> None:
        """Guessing keys ends in 429 for the address that guesses, and for it alone."""
        app = secured(make_app, CALLER_REQUESTS_PER_MINUTE="2")

        async def guess(address: str, key: str) -> int:
            headers = {**with_key(key), **from_address(address)}
            status: int = (await app.post(BODY, headers=headers)).status_code
            return status

        guesses = [await guess("203.0.113.7:1", f"guess-{number}") for number in range(3)]
        assert guesses == [401, 401, 429]
        assert await guess("203.0.113.8:1", "guess") == 401
        assert await guess("203.0.113.7:2", KEY) == 202

    async def test_a_flood_is_one_line_in_the_log(
        self, make_app: MakeApp, caplog: pytest.LogCaptureFixture
    ) -> None:
        """However many requests are refused in a row, the log tells of it once."""
        app = secured(make_app, CALLER_REQUESTS_PER_MINUTE="1")
        for _ in range(50):
            await app.post(BODY, headers=with_key())
        lines = [each for each in caplog.records if getattr(each, "why", "") == "too many requests"]
        assert len(lines) == 1

    async def test_health_is_never_counted(self, make_app: MakeApp) -> None:
        """A probe gets its answer as often as it asks."""
        secured(make_app, CALLER_REQUESTS_PER_MINUTE="1")
        request = func.HttpRequest("GET", "https://i/api/health", body=b"")
        assert {(await call(health, request)).status_code for _ in range(30)} == {200}


class TestReach:
    @pytest.mark.parametrize(
        "roles", [{AppRole.ENFORCE}, {AppRole.CHECK, AppRole.ENFORCE}, {AppRole.ADMIN}]
    )
    @pytest.mark.parametrize("wish", [None, "off", "plan", "apply"])
    def test_a_caller_that_may_write_gets_the_wanted_enforcement(
        self, roles: set[AppRole], wish: EnforcementChoice | None
    ) -> None:
        """With SoD.Enforce the app's own setting is the only limit."""
        caller = Caller(kind=CallerKind.PRINCIPAL, id="x", roles=frozenset(roles))
        assert cap_enforcement(wish, caller) == wish

    @pytest.mark.parametrize(("wish", "reach"), [(None, "plan"), ("off", "off"), ("plan", "plan")])
    def test_a_caller_that_may_not_write_gets_a_plan_at_most(
        self, wish: EnforcementChoice | None, reach: EnforcementChoice
    ) -> None:
        """Without SoD.Enforce nothing is written, also where nothing was said."""
        caller = Caller(kind=CallerKind.PRINCIPAL, id="x", roles=frozenset({AppRole.CHECK}))
        assert cap_enforcement(wish, caller) == reach
        with pytest.raises(NotAllowed, match=r"SoD\.Enforce"):
            cap_enforcement("apply", caller)

    @pytest.mark.parametrize(
        ("credential", "wish", "status", "reach"),
        [
            (principal("SoD.Check"), {}, 202, "plan"),
            (principal("SoD.Check"), {"enforcement": "off"}, 202, "off"),
            (principal("SoD.Check"), {"enforcement": "apply"}, 403, ""),
            (principal("SoD.Enforce"), {"enforcement": "apply"}, 202, "apply"),
            (principal("SoD.Check", "SoD.Enforce"), {}, 202, "apply"),
            (principal("SoD.Admin"), {}, 202, "apply"),
            (with_key(), {}, 202, "apply"),
            (with_key(), {"enforcement": "apply"}, 202, "apply"),
        ],
    )
    async def test_a_check_writes_for_whom_it_may(
        self,
        make_app: MakeApp,
        credential: Mapping[str, str],
        wish: Mapping[str, str],
        status: int,
        reach: str,
    ) -> None:
        """Under ENFORCEMENT=apply references are written for those with a role for it alone."""
        app = secured(make_app, ENFORCEMENT="apply")
        answer = await app.post({**BODY, **wish}, headers=credential)
        assert answer.status_code == status
        await app.work_off()
        assert bool(app.graph.writes) is (reach == "apply")
        if status == 202:
            found = body_of(await app.get(body_of(answer)["id"], headers=credential))
            assert found["enforcement"] == reach

    async def test_no_caller_passes_the_apps_own_setting(self, make_app: MakeApp) -> None:
        """SoD.Admin gets a plan where the app plans."""
        app = secured(make_app, ENFORCEMENT="plan")
        answer = await app.post({**BODY, "enforcement": "apply"}, headers=principal("SoD.Admin"))
        await app.work_off()
        assert (answer.status_code, app.graph.writes) == (202, [])

    async def test_a_key_of_idempotency_does_not_lend_a_role(self, make_app: MakeApp) -> None:
        """A caller that may not write cannot repeat the request of one that may."""
        app = secured(make_app, ENFORCEMENT="apply")
        twice = {"Idempotency-Key": "CHG-1"}
        first = await app.post(BODY, headers={**principal("SoD.Enforce"), **twice})
        second = await app.post(BODY, headers={**principal("SoD.Check"), **twice})
        assert (first.status_code, second.status_code) == (202, 422)


class TestKeysOfIdempotency:
    @pytest.mark.parametrize(
        "others",
        [
            [principal("SoD.Check"), principal("SoD.Check", object_id=guid("c"))],
            [with_key(), with_key(OTHER_KEY)],
            [with_key(), principal("SoD.Check")],
        ],
    )
    async def test_two_callers_with_one_key_do_not_meet(
        self, make_app: MakeApp, others: list[dict[str, str]]
    ) -> None:
        """Each has a check of its own, whatever the other asked by the same key."""
        app = secured(make_app)
        bodies = [BODY, pair_body("b", "a")]
        answers = [
            await app.post(body, headers={**credential, "Idempotency-Key": "CHG-1"})
            for body, credential in zip(bodies, others, strict=True)
        ]
        assert [each.status_code for each in answers] == [202, 202]
        assert len({body_of(each)["id"] for each in answers}) == 2

    async def test_a_new_key_of_the_same_name_is_the_same_caller(self, make_app: MakeApp) -> None:
        """While a caller changes keys, a request that is repeated is still the same check."""
        setting = f"{keys_setting(jira=KEY)} {keys_setting(jira=OTHER_KEY)}"
        app = secured(make_app, CALLER_KEYS=setting)
        ids = {
            body_of(await app.post(BODY, headers={**with_key(key), "Idempotency-Key": "k"}))["id"]
            for key in (KEY, OTHER_KEY)
        }
        assert len(ids) == 1

    async def test_a_local_world_has_one_caller(self, make_app: MakeApp) -> None:
        """If callers are not told apart, all of them share their keys."""
        app = secured(
            make_app, CALLER_KEYS="anyone", WEBSITE_AUTH_ENABLED="", GRAPH_ROOT="http://localhost:1"
        )
        answers = [
            await app.post(BODY, headers={**credential, "Idempotency-Key": "k"})
            for credential in ({}, with_key())
        ]
        assert len({body_of(each)["id"] for each in answers}) == 1


class TestWhoIsHandedOn:
    async def test_a_route_that_verifies_its_callers_is_told_who_asks(
        self, make_app: MakeApp
    ) -> None:
        """Every caller is admitted to that route, an unknown one too; to no other route."""
        admission, own = secured(make_app).admission, ROUTES["receive_webhook"]
        told = [admission.admit(own, each) for each in (principal("SoD.Read"), with_key(), {})]
        names = [each.name if isinstance(each, Caller) else each for each in told]
        assert names[:2] == [f"principal:{OBJECT_ID}", "key:jira"]
        assert isinstance(names[2], UnknownCaller)
        with pytest.raises(Unauthenticated):
            admission.admit(ROUTES["get_report"], {})

    async def test_the_caller_is_identified_once(
        self, make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Who has asked is handed on to the function, and not looked up again there."""
        app, asked = secured(make_app), list[CallerSettings]()

        def counted(headers: Mapping[str, str], settings: CallerSettings) -> Caller | UnknownCaller:
            asked.append(settings)
            return identify(headers, settings)

        monkeypatch.setattr("entra_sod.services.callers.admission.identify", counted)
        assert (await app.post(BODY, headers=principal("SoD.Check"))).status_code == 202
        assert len(asked) == 1

    @pytest.mark.parametrize("roles", [(), ("SoD.Read",), ("SoD.Check",)])
    async def test_who_has_no_role_for_it_is_refused(
        self, make_app: MakeApp, roles: tuple[str, ...]
    ) -> None:
        """A known caller without the role is told which one it takes."""
        admission = secured(make_app).admission
        with pytest.raises(NotAllowed, match=r"SoD\.Decide"):
            admission.admit(ROUTES["decide"], principal(*roles))


class TestLog:
    async def test_refusals_name_ids_and_no_secret(
        self, make_app: MakeApp, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Who was refused what, and why: no key, no address, no name, no claim."""
        app = secured(make_app)
        name = [("name", "Adele Vance")]
        await app.post(BODY, headers=principal("SoD.Read", claims=name))
        await app.post(BODY, headers={**with_key("guess-1"), **from_address("203.0.113.7")})
        told = [
            (vars(each)["caller"], vars(each)["route"], vars(each)["why"])
            for each in caplog.records
            if vars(each).get("action") == "caller_refused"
        ]
        assert told == [
            (f"principal:{OBJECT_ID}", "POST checks", "SoD.Check or SoD.Enforce"),
            ("an unknown caller", "POST checks", "the key is not known"),
        ]
        for secret in ("Adele", "guess-1", "203.0.113"):
            assert secret not in caplog.text

    async def test_who_asks_for_work_is_told(
        self, make_app: MakeApp, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Each request that is more than reading leaves a line with its caller."""
        caplog.set_level(logging.INFO, logger="entra_sod")
        app = secured(make_app)
        answer = await app.post(BODY, headers=with_key())
        await app.get(body_of(answer)["id"], headers=with_key())
        told = [
            (vars(each)["caller"], vars(each)["route"])
            for each in caplog.records
            if vars(each).get("action") == "caller_admitted"
        ]
        assert told == [("key:jira", "POST checks")]


async def test_wrong_settings_close_the_app_and_are_named(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 that names the setting, never an open door; health answers all the same."""
    app = secured(make_app)
    monkeypatch.setenv("CALLER_KEYS", "jira:sesame")
    install_parts(app.records, app.engine)
    answer = await app.post(BODY, headers=with_key())
    assert answer.status_code == 503
    assert "CALLER_KEYS must be" in body_of(answer)["detail"]
    assert "sesame" not in body_of(answer)["detail"]
    request = func.HttpRequest("GET", "https://i/api/health", body=b"")
    assert (await call(health, request)).status_code == 200
