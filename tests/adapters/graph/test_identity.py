"""The token: asked for once, for the right identity, and missed in plain words."""

from __future__ import annotations

import asyncio

import pytest

from entra_sod.adapters.graph.client import GraphClient
from entra_sod.core.errors import Forbidden, Unavailable
from entra_sod.settings import CredentialKind, GraphSettings
from tests.adapters.graph.fixtures import SECRET, Connect, Simulator, token_answer
from tests.adapters.graph.server import RecordingServer
from tests.adapters.graph.tenant import APP_CLIENT, PAY


async def test_graph_sees_the_apps_own_identity(client: GraphClient, simulator: Simulator) -> None:
    """The token that arrives is that of the identity in the settings."""
    await client.package(PAY)
    (request,) = simulator.requests()
    assert request["token"] == APP_CLIENT


async def test_concurrent_calls_share_one_transport(
    connect: Connect, identity: RecordingServer, server: RecordingServer
) -> None:
    """Two calls at once make one transport, whose token later calls use again."""
    server.will_answer({"value": []})
    graph = connect(GRAPH_ROOT=server.root)
    await asyncio.gather(graph.probe(), graph.probe())
    transport, asked = graph._transport, len(identity.received)
    await asyncio.gather(*(graph.probe() for _ in range(5)))
    assert graph._transport is transport
    assert len(identity.received) == asked
    assert len(server.received) == 7


async def test_closing_a_client_closes_its_connections(
    connect: Connect, simulator: Simulator
) -> None:
    """After closing, the pool has no connections left; closing an unused client does nothing."""
    graph = connect()
    await graph.close()
    await graph.probe()
    pool = graph._transport._connections._transport._pool  # type: ignore[attr-defined]
    assert len(pool.connections) == 1
    await graph.close()
    assert pool.connections == []
    assert simulator.requests()


async def test_a_wrong_header_gets_no_token(
    connect: Connect, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the identity endpoint refuses, there is no token and the service is unavailable."""
    monkeypatch.setenv("IDENTITY_HEADER", "of-another-app")
    with pytest.raises(Unavailable, match="No token for Graph") as refused:
        await connect().probe()
    assert "of-another-app" not in str(refused.value)
    assert simulator.requests() == []


async def test_an_unknown_identity_gets_no_token(connect: Connect, simulator: Simulator) -> None:
    """A client id that is not assigned to the app gets no token, and Graph is not asked."""
    with pytest.raises(Unavailable, match="No token for Graph"):
        await connect(AZURE_CLIENT_ID="00000000-0000-0000-0000-000000000009").probe()
    assert simulator.requests() == []


async def test_without_an_endpoint_there_is_no_token(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a server at the identity endpoint, the service is unavailable."""
    async with RecordingServer() as gone:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{gone.root}/token")
    monkeypatch.setattr(asyncio, "sleep", _no_sleep)
    with pytest.raises(Unavailable, match="No token for Graph"):
        await connect().probe()


@pytest.mark.parametrize(
    "answer",
    [
        b"<html></html>",
        b"",
        b"[]",
        {},
        {"access_token": SECRET},
    ],
    ids=["html", "empty", "list", "object", "no expiry"],
)
async def test_an_unreadable_token_answer_is_no_token(
    connect: Connect,
    identity: RecordingServer,
    server: RecordingServer,
    answer: object,
) -> None:
    """Whatever the identity endpoint says, the error is ours and shows nothing of a token."""
    identity.answers_only(answer)
    server.will_answer({"value": []})
    with pytest.raises(Unavailable, match="No token for Graph") as refused:
        await connect(GRAPH_ROOT=server.root).probe()
    assert SECRET not in f"{refused.value}{refused.value!r}"
    assert server.received == []


async def test_an_expired_token_is_replaced(
    connect: Connect, identity: RecordingServer, server: RecordingServer
) -> None:
    """A token that has expired is asked for anew."""
    identity.answers_only(token_answer(seconds=0))
    server.will_answer({"value": []})
    graph = connect(GRAPH_ROOT=server.root)
    await graph.probe()
    await graph.probe()
    assert len(identity.received) == 2


async def test_a_token_that_graph_does_not_take_is_forbidden(
    client: GraphClient, simulator: Simulator
) -> None:
    """A token for another audience is a matter of rights, not of waiting."""
    simulator.control.behave(audience="https://graph.example")
    with pytest.raises(Forbidden):
        await client.probe()


async def test_the_local_token_goes_to_loopback_only(server: RecordingServer) -> None:
    """With the local credential, Graph sees a token that is worth nothing elsewhere."""
    settings = GraphSettings(
        root=server.root,
        scope="https://graph.microsoft.com/.default",
        authority="login.microsoftonline.com",
        credential=CredentialKind.LOCAL,
        client_id=None,
    )
    server.will_answer({"value": []})
    graph = GraphClient(settings)
    await graph.probe()
    await graph.close()
    assert server.received[0].headers["authorization"] == "Bearer local"


async def _no_sleep(_seconds: float) -> None:
    return
