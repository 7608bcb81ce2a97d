import time
from functools import partial

import httpx
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ManagedIdentityCredential as BlockingCredential
from azure.identity.aio import ManagedIdentityCredential

from local.graph import DEFAULT_IDENTITY_HEADER
from local.graph.demo import APP_CLIENT_ID, PAY_INVOICES
from local.graph.tokens import issue, read, signing_key
from tests.local.graph.caller import AUDIENCE, EM, ROOT, Caller, error_code, token_for

SCOPE = f"{AUDIENCE}/.default"
QUERY = {"api-version": "2019-08-01", "resource": AUDIENCE, "client_id": APP_CLIENT_ID}
HEADERS = {"X-IDENTITY-HEADER": DEFAULT_IDENTITY_HEADER}
PACKAGE = f"{EM}/accessPackages/{PAY_INVOICES}"


def point_at(monkeypatch: pytest.MonkeyPatch, served: dict[str, str]) -> None:
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER"):
        monkeypatch.setenv(name, served[name])


def status_with(served: dict[str, str], token: str) -> int:
    address = served["GRAPH_ROOT"] + PACKAGE
    return httpx.get(address, headers={"Authorization": f"Bearer {token}"}).status_code


async def test_the_real_credential_gets_a_token_that_graph_takes(
    monkeypatch: pytest.MonkeyPatch, served: dict[str, str]
) -> None:
    """azure-identity's asynchronous credential works against the endpoint over real HTTP."""
    point_at(monkeypatch, served)
    async with ManagedIdentityCredential(client_id=served["AZURE_CLIENT_ID"]) as credential:
        token = await credential.get_token(SCOPE)
    assert token.expires_on > time.time() + 3600
    assert status_with(served, token.token) == 200


def test_the_blocking_credential_works_too(
    monkeypatch: pytest.MonkeyPatch, served: dict[str, str]
) -> None:
    """azure-identity's blocking credential, which goes through MSAL, is served alike."""
    point_at(monkeypatch, served)
    with BlockingCredential(client_id=served["AZURE_CLIENT_ID"]) as credential:
        token = credential.get_token(f"{served['GRAPH_ROOT']}/.default")
    assert status_with(served, token.token) == 200


async def test_the_real_credential_reports_an_unknown_identity(
    monkeypatch: pytest.MonkeyPatch, served: dict[str, str]
) -> None:
    """A client id that is not assigned makes the credential fail, not hang."""
    point_at(monkeypatch, served)
    async with ManagedIdentityCredential(client_id="another-app") as credential:
        with pytest.raises(ClientAuthenticationError):
            await credential.get_token(SCOPE)


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ({}, {}, 401),
        ({}, {"X-IDENTITY-HEADER": "guessed"}, 401),
        ({"client_id": "another-app"}, HEADERS, 400),
        ({"client_id": ""}, HEADERS, 400),
        ({"resource": "https://vault.azure.net"}, HEADERS, 400),
        ({"resource": SCOPE}, HEADERS, 400),
        ({"api-version": "2018-02-01"}, HEADERS, 400),
        ({}, HEADERS, 200),
        ({"resource": "https://graph.microsoft.us/"}, HEADERS, 200),
        ({"resource": ROOT}, HEADERS, 200),
    ],
)
async def test_the_endpoint_is_as_strict_as_app_service(
    graph: Caller, query: dict[str, str], headers: dict[str, str], status: int
) -> None:
    """Header, version, resource and identity must all be right."""
    answer = await graph.http.get("/msi/token", params=QUERY | query, headers=headers)
    assert answer.status_code == status
    expected = (
        {"access_token", "expires_on", "resource", "token_type", "client_id"}
        if status == 200
        else {"statusCode", "message"}
    )
    assert answer.json().keys() == expected


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer garbage", "Basic dTpw", "Bearer a.b.c", "Bearer a.é.c"],
)
async def test_a_call_without_a_good_token_is_unauthenticated(
    graph: Caller, header: str | None
) -> None:
    """A missing or garbled token is 401 in Graph's shape, whatever the path."""
    headers = [] if header is None else [(b"Authorization", header.encode())]
    for path in (PACKAGE, f"{EM}/nothing"):
        answer = await graph.http.get(path, headers=headers)
        assert answer.status_code == 401
        assert error_code(answer) == "InvalidAuthenticationToken"


async def test_tokens_are_bound_to_an_audience(graph: Caller) -> None:
    """A token for another cloud is refused, unless this Graph is that cloud."""
    token = token_for(graph.simulator, APP_CLIENT_ID, audience="https://graph.microsoft.us")
    headers = {"Authorization": f"Bearer {token}"}
    assert (await graph.http.get(PACKAGE, headers=headers)).status_code == 401
    graph.behaviour.audience = "https://graph.microsoft.us"
    assert (await graph.http.get(PACKAGE, headers=headers)).status_code == 200


async def test_tokens_expire(graph: Caller) -> None:
    """A token is refused from the second on that it expires."""
    now = graph.simulator.clock()
    headers = {"Authorization": f"Bearer {token_for(graph.simulator, APP_CLIENT_ID)}"}
    for later, status in ((3590, 200), (3601, 401)):
        graph.simulator.clock = partial(float, now + later)
        assert (await graph.http.get(PACKAGE, headers=headers)).status_code == status


async def test_an_identity_that_was_removed_loses_access(graph: Caller) -> None:
    """A valid token of an identity that the tenant no longer has is refused."""
    token = token_for(graph.simulator, APP_CLIENT_ID)
    del graph.simulator.index.identities[APP_CLIENT_ID]
    answer = await graph.http.get(PACKAGE, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401


async def test_tokens_outlive_the_simulator(graph: Caller) -> None:
    """The signing key comes from the identity header, so that a restart changes nothing."""
    token = token_for(graph.simulator, APP_CLIENT_ID)
    key = signing_key(graph.simulator.identity_header)
    claims = read(token, key, now=time.time())
    assert claims.appid == APP_CLIENT_ID
    assert issue(claims, key) == token
