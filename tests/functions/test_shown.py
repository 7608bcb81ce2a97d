"""`GET /api/me`, `/freeze` and `/subscriptions`, and writes that browsers send."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from entra_sod.domain.callers.caller import AppRole
from entra_sod.domain.callers.routes import ROUTES
from tests.app import App, body_of
from tests.builders import package
from tests.credentials import KEY, OBJECT_ID, encoded, keys_setting, principal, with_key
from tests.functions.asking import ask, get, problem
from tests.functions.test_matrix import EXPECTED

type MakeApp = type[App]

PLATFORM = {
    "WEBSITE_AUTH_ENABLED": "True",
    "WEBSITE_HOSTNAME": "app.example.com",
    "CALLER_KEYS": keys_setting(jira=KEY),
    "CALLBACK_HOSTS": "*.example.com",
}
SUBSCRIBE, LIST = "POST subscriptions", "GET subscriptions"
READER, OTHER = principal("SoD.Read"), principal("SoD.Read", object_id="b" * 8 + OBJECT_ID[8:])
FREEZE = {"reason": "the auditors are here"}
COOKIE = {"Cookie": "AppServiceAuthSession=x"}
PROOF = {"X-Requested-With": "entra-sod"}


def made(make_app: MakeApp) -> App:
    return make_app([package("a")], {}, [], **PLATFORM)


async def subscribe(path: str, headers: Mapping[str, str], *events: str) -> None:
    body = {
        "callbackUrl": f"https://hooks.example.com/{path}",
        "events": list(events) or ["check.completed"],
    }
    answer = await ask(SUBSCRIBE, body=body, headers=headers)
    assert answer.status_code == 201, answer.get_body()


async def listed(headers: Mapping[str, str], **params: str) -> dict[str, Any]:
    answer = await ask(LIST, headers=headers, params=params)
    assert answer.status_code == 200, answer.get_body()
    return body_of(answer)


class TestMe:
    async def test_a_principal_is_told_who_it_is(self, make_app: MakeApp) -> None:
        """By its object id and the name that the platform says, with its roles."""
        made(make_app)
        headers = {**principal("SoD.Read"), "x-ms-client-principal-name": "ada@contoso.example"}
        found = body_of(await ask("GET me", headers=headers))
        may = found.pop("may")
        assert found == {
            "name": f"principal:{OBJECT_ID}",
            "kind": "principal",
            "id": OBJECT_ID,
            "displayName": "ada@contoso.example",
            "roles": ["SoD.Read"],
        }
        assert "GET findings" in may
        assert "PUT freeze" not in may

    async def test_a_principal_without_roles_is_told_so(self, make_app: MakeApp) -> None:
        """It is known, and may call what asks for no role."""
        made(make_app)
        found = body_of(await ask("GET me", headers=principal()))
        assert (found["roles"], found["displayName"]) == ([], None)
        assert set(found["may"]) == {"GET me", "GET openapi.json", "GET console", "GET health"}

    async def test_a_key_has_a_name_and_no_other(self, make_app: MakeApp) -> None:
        """A header of the platform beside a key is ignored."""
        made(make_app)
        headers = {**with_key(), "x-ms-client-principal-name": "ada@contoso.example"}
        found = body_of(await ask("GET me", headers=headers))
        assert (found["name"], found["kind"], found["displayName"]) == ("key:jira", "key", None)

    @pytest.mark.parametrize("role", AppRole)
    async def test_what_a_caller_may_is_what_the_guard_lets_through(
        self, make_app: MakeApp, role: AppRole
    ) -> None:
        """By the matrix of the tests; webhooks take their own callers."""
        made(make_app)
        may = body_of(await ask("GET me", headers=principal(role)))["may"]
        expected = {
            what
            for what, roles in EXPECTED.items()
            if roles in {"everybody", "known"}
            or role is AppRole.ADMIN
            or role.removeprefix("SoD.") in roles.split()
        }
        assert set(may) == expected

    @pytest.mark.parametrize("headers", [{}, encoded({"claims": []}), with_key("no such key")])
    async def test_a_stranger_is_told_nothing(
        self, make_app: MakeApp, headers: dict[str, str]
    ) -> None:
        made(make_app)
        assert await problem("GET me", headers=headers) == (401, "unauthenticated")


class TestFreeze:
    async def test_the_budget_and_the_freeze_are_shown(self, make_app: MakeApp) -> None:
        """What is used, of how much; who froze writing, why, and since when."""
        made(make_app)
        before = body_of(await ask("GET freeze", headers=READER))
        assert before == {"used": 0, "limit": 200, "roomFrom": None, "frozen": None}
        await ask("PUT freeze", body=FREEZE, headers=with_key())
        after = body_of(await ask("GET freeze", headers=READER))
        assert after["frozen"] == {**FREEZE, "by": "key:jira", "since": "2026-01-01T00:00:00Z"}


class TestSubscriptions:
    async def test_a_caller_sees_its_own(self, make_app: MakeApp) -> None:
        """Another caller's are neither shown nor counted."""
        made(make_app)
        await subscribe("mine", READER)
        await subscribe("other", OTHER)
        page = await listed(READER)
        [found] = page["subscriptions"]
        assert (found["path"], found["own"], page["more"]) == ("/mine", True, False)

    async def test_an_admin_sees_all(self, make_app: MakeApp) -> None:
        """And which of them are its own."""
        made(make_app)
        await subscribe("one", READER)
        await subscribe("two", OTHER)
        await subscribe("three", with_key())
        found = (await listed(with_key()))["subscriptions"]
        assert {each["path"]: each["own"] for each in found} == {
            "/one": False,
            "/two": False,
            "/three": True,
        }

    async def test_no_secret_of_an_address_is_shown(self, make_app: MakeApp) -> None:
        """Neither the query nor a long part of the path; the address to DELETE is."""
        made(make_app)
        await subscribe("a/SECRETSECRETSECRET?sig=SECRET", READER, "check.completed")
        answer = await ask(LIST, headers=READER)
        assert b"ECRETSECRET" not in answer.get_body()
        assert b"sig" not in answer.get_body()
        [found] = body_of(answer)["subscriptions"]
        subscription_id = found.pop("id")
        assert found == {
            "events": ["check.completed"],
            "host": "hooks.example.com",
            "path": "/a/SECR…",
            "createdAt": "2026-01-01T00:00:00Z",
            "own": True,
            "self": f"https://app.example.com/api/subscriptions/{subscription_id}",
        }
        ended = await ask("DELETE subscriptions/{id}", subscription_id, headers=READER)
        assert (ended.status_code, (await listed(READER))["subscriptions"]) == (204, [])

    @pytest.mark.parametrize("limit", [1, 2, 5])
    async def test_pages_have_each_once(self, make_app: MakeApp, limit: int) -> None:
        made(make_app)
        for number in range(5):
            await subscribe(f"{number}", READER)
        await subscribe("other", OTHER)
        params, paths = {"limit": str(limit)}, list[str]()
        while params:
            page = await listed(READER, **params)
            paths += [each["path"] for each in page["subscriptions"]]
            assert page["more"] is ("nextLink" in page)
            params = dict(parse_qsl(urlsplit(page.get("nextLink", "")).query))
        assert sorted(paths) == [f"/{number}" for number in range(5)]

    async def test_a_cursor_shows_no_others(self, make_app: MakeApp) -> None:
        """Whatever place it names."""
        made(make_app)
        await subscribe("other", OTHER)
        assert (await listed(READER, cursor="WyIwIl0"))["subscriptions"] == []


WRITES = {str(each): each for each in ROUTES.values() if each.is_write and not each.takes_strangers}
CROSS_SITE = [
    {**COOKIE, **PROOF, "Sec-Fetch-Site": "cross-site"},
    {**COOKIE, **PROOF, "Origin": "https://evil.example"},
    {**COOKIE, "Origin": "https://app.example.com"},
    {"Sec-Fetch-Site": "same-origin"},
    COOKIE,
]


class TestCrossSite:
    def test_every_write_is_looked_at(self) -> None:
        """All methods that may change something, but for webhooks."""
        assert set(WRITES) == {
            what for what in EXPECTED if what.split()[0] in {"POST", "PUT", "DELETE"}
        }

    @pytest.mark.parametrize("headers", CROSS_SITE)
    @pytest.mark.parametrize("what", WRITES)
    async def test_another_sites_write_is_refused(
        self, make_app: MakeApp, what: str, headers: dict[str, str]
    ) -> None:
        """Though the cookie is that of a caller who may do it: nothing is done."""
        app = made(make_app)
        place = "x" if "{" in what else None
        sent = {**principal("SoD.Admin"), **headers}
        assert await problem(what, place, body=FREEZE, headers=sent) == (403, "cross-site")
        assert (app.storage.sent, await app.records.controls.frozen()) == ([], None)

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {**COOKIE, **PROOF},
            {**COOKIE, **PROOF, "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"},
            {**COOKIE, **PROOF, "Origin": "https://app.example.com"},
            {**COOKIE, "Authorization": "Bearer x.y.z"},
        ],
    )
    async def test_the_apps_own_page_and_programs_write(
        self, make_app: MakeApp, headers: dict[str, str]
    ) -> None:
        """By what the browser says, and the header; a program has neither cookie nor site."""
        app = made(make_app)
        sent = {**principal("SoD.Admin"), **headers}
        assert (await ask("PUT freeze", body=FREEZE, headers=sent)).status_code == 200
        assert await app.records.controls.frozen() is not None

    @pytest.mark.parametrize("headers", CROSS_SITE)
    async def test_a_key_is_proof_enough(self, make_app: MakeApp, headers: dict[str, str]) -> None:
        """No browser adds it by itself, whatever else a client sends."""
        made(make_app)
        sent = {**with_key(), **headers}
        assert (await ask("PUT freeze", body=FREEZE, headers=sent)).status_code == 200

    @pytest.mark.parametrize("headers", CROSS_SITE)
    async def test_reading_is_not_asked(self, make_app: MakeApp, headers: dict[str, str]) -> None:
        """It changes nothing, and no other site can read the answer."""
        made(make_app)
        sent = {**principal("SoD.Read"), **headers}
        assert (await ask("GET findings", headers=sent)).status_code == 200

    async def test_a_custom_domain_is_the_apps_own(self, make_app: MakeApp) -> None:
        """The browser says by which name it asked."""
        made(make_app)
        sent = {**principal("SoD.Admin"), **COOKIE, **PROOF, "Host": "sod.contoso.example"}
        origin = {"Origin": "https://sod.contoso.example"}
        answer = await ask("PUT freeze", body=FREEZE, headers={**sent, **origin})
        assert answer.status_code == 200

    async def test_a_role_is_asked_first(self, make_app: MakeApp) -> None:
        """A caller without the role is told that, and learns nothing else."""
        made(make_app)
        sent = {**principal("SoD.Read"), **COOKIE}
        assert await problem("PUT freeze", body=FREEZE, headers=sent) == (403, "not-allowed")

    async def test_a_write_is_one_line_in_the_log(
        self, make_app: MakeApp, caplog: pytest.LogCaptureFixture
    ) -> None:
        """With the caller, the route and the id in its path; what is no id is left out."""
        made(make_app)
        with caplog.at_level(logging.INFO, "entra_sod"):
            for place in ("0" * 32, "ada@contoso.example"):
                await ask("POST findings/{id}/claims", place, body={}, headers=with_key())
        lines = [
            each.__dict__
            for each in caplog.records
            if getattr(each, "action", "") == "caller_admitted"
        ]
        assert [each["caller"] for each in lines] == ["key:jira"] * 2
        assert [each.get("target") for each in lines] == ["0" * 32, None]

    async def test_a_refusal_is_one_line_in_the_log(
        self, make_app: MakeApp, caplog: pytest.LogCaptureFixture
    ) -> None:
        made(make_app)
        sent = {**principal("SoD.Admin"), **COOKIE}
        await ask("PUT freeze", body=FREEZE, headers=sent)
        [line] = [e for e in caplog.records if getattr(e, "action", "") == "caller_refused"]
        assert line.__dict__["why"] == "cross-site"


async def test_a_local_world_is_asked_the_same(make_app: MakeApp) -> None:
    """Any page that a developer opens could send a form to the app on the same machine."""
    make_app([package("a")], {}, [])
    assert (await get("me"))["kind"] == "anyone"
    assert await problem("PUT freeze", body=FREEZE, headers={"Origin": "https://evil.example"}) == (
        403,
        "cross-site",
    )
