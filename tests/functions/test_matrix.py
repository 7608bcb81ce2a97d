"""Each route, with each role, by each kind of credential."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest

import function_app
from entra_sod.domain.callers.caller import AppRole
from entra_sod.domain.callers.routes import ROUTES, OpenAccess
from entra_sod.domain.webhooks.source import Scheme
from entra_sod.settings import read_webhook_sources
from functions.http.guard import GuardedBlueprint
from tests.app import App, app_functions, body_of
from tests.builders import package
from tests.credentials import KEY, OTHER_KEY, encoded, keys_setting, principal, with_key
from tests.services.webhooks.jira import ISSUE
from tests.services.webhooks.sender import hub_signature
from tests.services.webhooks.setup import ENVIRONMENT

type MakeApp = type[App]

PLATFORM = {"WEBSITE_AUTH_ENABLED": "True"}
KEYS = {"CALLER_KEYS": keys_setting(jira=KEY)}
NO_KEYS = {"CALLER_KEYS": ""}
BOTH = {**PLATFORM, **KEYS}

# Said here once more, so that a slip in the table is not its own proof.
EXPECTED: Mapping[str, str] = {
    "POST checks": "Check Enforce",
    "GET checks/{id}": "Check Enforce Read",
    "POST decisions": "Decide",
    "POST decisions/batch": "Decide",
    "POST sweeps": "Enforce",
    "GET sweeps/{id}": "Enforce Read",
    "POST subscriptions": "Read",
    "DELETE subscriptions/{id}": "Read",
    "GET subscriptions": "Read",
    "GET subjects": "Read",
    "GET subjects/{id}": "Read",
    "GET rules": "Read",
    "GET exceptions": "Read",
    "GET selections": "Read",
    "POST selections/approve": "Admin",
    "GET me": "known",
    "GET freeze": "Enforce Read",
    "PUT freeze": "Admin",
    "DELETE freeze": "Admin",
    "GET packages": "Check Decide Enforce Read",
    "GET openapi.json": "everybody",
    "GET report": "Read",
    "GET console": "everybody",
    "GET findings": "Read",
    "GET findings/{id}": "Read",
    "POST findings/{id}/claims": "Enforce",
    "GET ready": "Read",
    "GET health": "everybody",
}
# Routes that verify their callers themselves: no role and no key is anything there.
SEND, SHAKE = "POST webhooks/{source}", "OPTIONS webhooks/{source}"
OWN = frozenset({SEND, SHAKE})
BY_SECRET = ("jira", "automation", "desk", "generic", "plain", "cloudevents", "broker", "nosuch")
BY_ENTRA = "servicenow"

ROLE_SETS = [(), *((role,) for role in AppRole), ("SoD.Check", "SoD.Decide", "SoD.Read")]


@dataclass(frozen=True, kw_only=True)
class Credential:
    """What is sent, under which settings, and whom the app takes the sender for.

    `believed` is `stranger`, `all` (a caller with every role), or `roles` (the principal's).
    """

    settings: Mapping[str, str]
    believed: str
    key: str | None = None
    principal: Callable[..., dict[str, str]] | None = None

    def headers(self, roles: tuple[str, ...]) -> dict[str, str]:
        key = {} if self.key is None else with_key(self.key)
        return {**key, **(self.principal(*roles) if self.principal else {})}


def google(*roles: str) -> dict[str, str]:
    return principal(*roles, auth_typ="google")


def broken(*roles: str) -> dict[str, str]:
    return encoded({"claims": list(roles)})


STRANGER, ALL, ROLES = "stranger", "all", "roles"
OFF = {**KEYS, "WEBSITE_AUTH_ENABLED": "False"}
REFUSED = {**PLATFORM, **NO_KEYS}
CREDENTIALS: Mapping[str, Credential] = {
    "none": Credential(settings=BOTH, believed=STRANGER),
    "none, and nothing is configured": Credential(settings=NO_KEYS, believed=STRANGER),
    "key": Credential(settings=BOTH, believed=ALL, key=KEY),
    "key, no platform": Credential(settings=KEYS, believed=ALL, key=KEY),
    "unknown key": Credential(settings=BOTH, believed=STRANGER, key=OTHER_KEY),
    "empty key": Credential(settings=BOTH, believed=STRANGER, key=""),
    "key, and keys are refused": Credential(settings=REFUSED, believed=STRANGER, key=KEY),
    "principal": Credential(settings=BOTH, believed=ROLES, principal=principal),
    "principal, and keys are refused": Credential(
        settings=REFUSED, believed=ROLES, principal=principal
    ),
    "principal and key": Credential(settings=BOTH, believed=ROLES, key=KEY, principal=principal),
    "principal and unknown key": Credential(
        settings=BOTH, believed=ROLES, key=OTHER_KEY, principal=principal
    ),
    "forged principal": Credential(settings=KEYS, believed=STRANGER, principal=principal),
    "forged principal, platform off": Credential(
        settings=OFF, believed=STRANGER, principal=principal
    ),
    "forged principal and key": Credential(
        settings=KEYS, believed=ALL, key=KEY, principal=principal
    ),
    "another provider's principal": Credential(settings=BOTH, believed=STRANGER, principal=google),
    "broken principal and key": Credential(
        settings=BOTH, believed=STRANGER, key=KEY, principal=broken
    ),
}


def http_functions() -> dict[str, Any]:
    """Every HTTP function of the app by method and route, as the worker finds them."""
    found = {}
    for function in app_functions():
        trigger = function.get_trigger()
        if trigger is None or trigger.get_binding_name() != "httpTrigger":
            continue
        binding = trigger.get_dict_repr()
        for method in binding.get("methods") or []:  # all, of the one for what is elsewhere
            found[f"{method.value} {binding['route']}"] = function
    return found


FUNCTIONS = http_functions()


async def ask(
    what: str, headers: Mapping[str, str], place: str = "no-such-thing", body: bytes = b"{}"
) -> func.HttpResponse:
    """Send a request that is well-formed, and mostly finds nothing, to one of the functions."""
    method, _, route = what.partition(" ")
    name = route.partition("{")[2].rstrip("}")
    params = {name: place} if name else {}
    request = func.HttpRequest(
        method,
        f"https://app.example.com/api/{route}",
        headers={"Content-Type": "application/json", **headers},
        route_params=params,
        body=body if method == "POST" else b"",
    )
    answer: func.HttpResponse = await FUNCTIONS[what].get_user_function()(request)
    return answer


def expected_refusal(what: str, roles: tuple[str, ...], believed: str) -> int | None:
    """The status of a refusal, or None where the request is let through."""
    wanted = EXPECTED[what]
    if wanted == "everybody" or believed == ALL:
        return None
    if believed == STRANGER:
        return 401
    if wanted == "known":
        return None
    allowed = {f"SoD.{each}" for each in [*wanted.split(), "Admin"]}
    return None if allowed & set(roles) else 403


def test_every_route_is_declared_and_every_declaration_is_a_route() -> None:
    """The table, the functions that the worker finds, and this file's own table are the same."""
    routes = {str(each): each.access for each in ROUTES.values()}
    assert set(FUNCTIONS) == set(routes) == set(EXPECTED) | OWN
    assert {what for what, access in routes.items() if access is OpenAccess.OWN} == OWN


@pytest.mark.parametrize("credential", CREDENTIALS)
@pytest.mark.parametrize("what", EXPECTED)
async def test_the_matrix(make_app: MakeApp, what: str, credential: str) -> None:
    """Each route lets exactly those through who have a role for it, by whatever credential."""
    sent = CREDENTIALS[credential]
    make_app([package("a")], {}, [], **sent.settings)
    for roles in ROLE_SETS:
        answer = await ask(what, sent.headers(roles))
        refusal = expected_refusal(what, roles, sent.believed)
        if refusal is None:
            assert answer.status_code not in (401, 403, 429, 500, 503), roles
            continue
        slug = {401: "unauthenticated", 403: "not-allowed"}[refusal]
        assert (answer.status_code, answer.mimetype) == (refusal, "application/problem+json"), roles
        assert body_of(answer)["type"] == f"urn:entra-sod:problem:{slug}"
        assert (answer.headers.get("WWW-Authenticate") == "Bearer") is (refusal == 401)


@pytest.mark.parametrize("credential", CREDENTIALS)
@pytest.mark.parametrize("source", [*BY_SECRET, BY_ENTRA])
async def test_no_credential_is_a_webhooks_proof(
    make_app: MakeApp, source: str, credential: str
) -> None:
    """Whatever key, principal or role is sent: 401, and nothing is done; but where Entra proves."""
    sent = CREDENTIALS[credential]
    app = make_app([package("a")], {}, [], **{**ENVIRONMENT, **sent.settings})
    for roles in ROLE_SETS:
        answer = await ask(SEND, sent.headers(roles), source)
        is_proof = source == BY_ENTRA and sent.believed == ROLES and is_asking(roles)
        assert answer.status_code == (422 if is_proof else 401), roles
        slug = "invalid-request" if is_proof else "unverified-webhook"
        assert body_of(answer)["type"] == f"urn:entra-sod:problem:{slug}"
    assert app.storage.sent == []


def is_asking(roles: tuple[str, ...]) -> bool:
    """Whether one of the roles is for what a webhook asks."""
    return not {"SoD.Check", "SoD.Decide", "SoD.Admin"}.isdisjoint(roles)


@pytest.mark.parametrize("credential", CREDENTIALS)
async def test_a_webhooks_proof_is_enough(make_app: MakeApp, credential: str) -> None:
    """A signed delivery is accepted, whatever other identity the sender claims."""
    sent = CREDENTIALS[credential]
    make_app([package("a")], {}, [], **{**ENVIRONMENT, **sent.settings})
    for roles in ROLE_SETS:
        headers = {**sent.headers(roles), **hub_signature(ISSUE)}
        assert (await ask(SEND, headers, "jira", ISSUE)).status_code == 202, roles


@pytest.mark.parametrize("credential", CREDENTIALS)
@pytest.mark.parametrize(("source", "status"), [("cloudevents", 200), ("jira", 405)])
async def test_the_handshake_is_the_same_for_everybody(
    make_app: MakeApp, source: str, status: int, credential: str
) -> None:
    """It gives no access: consent depends on the source, and on no credential."""
    sent = CREDENTIALS[credential]
    make_app([package("a")], {}, [], **{**ENVIRONMENT, **sent.settings})
    for roles in ROLE_SETS:
        headers = {**sent.headers(roles), "WebHook-Request-Origin": "mq.example.com"}
        assert (await ask(SHAKE, headers, source)).status_code == status, roles


def test_every_source_is_in_the_matrix() -> None:
    """All sorts of proof that there are, and a source that is not set up."""
    sources = read_webhook_sources(ENVIRONMENT, Path())
    assert {*BY_SECRET, BY_ENTRA} == {*sources, "nosuch"}
    assert {each.scheme for each in sources.values()} == set(Scheme)


def test_the_matrix_is_whole() -> None:
    """Every role stands alone in it, and is wanted by some route or covers them all."""
    assert {roles for roles in ROLE_SETS if len(roles) == 1} == {(role,) for role in AppRole}
    wanted = {
        role
        for each in ROUTES.values()
        if isinstance(each.access, frozenset)
        for role in each.access
    }
    assert wanted == set(AppRole)


def test_a_function_without_a_line_in_the_table_is_no_function() -> None:
    """The app cannot even be imported with a guarded function that the table does not declare."""

    async def forgotten(req: func.HttpRequest) -> func.HttpResponse:
        raise AssertionError(req.url)

    with pytest.raises(LookupError, match="forgotten"):
        GuardedBlueprint().answers(forgotten)


@pytest.mark.parametrize("what", FUNCTIONS)
def test_no_function_is_anonymous_at_the_host_without_the_guard(what: str) -> None:
    """What the host lets through is wrapped; the app's own level is that of keys."""
    function = FUNCTIONS[what].get_user_function()
    guard = function.__code__.co_filename.replace("\\", "/")
    assert guard.endswith("functions/http/guard.py")
    assert function_app.app.auth_level is func.AuthLevel.FUNCTION
