"""Pages: read to the last one, and followed nowhere that the token must not go."""

from __future__ import annotations

import pytest

from entra_sod.adapters.graph.client import GraphClient
from entra_sod.adapters.graph.urls import GraphUrls
from entra_sod.core.errors import GraphError, Rejected, Unavailable, UnsafeLink
from tests.adapters.graph.fixtures import SECRET, Simulator
from tests.adapters.graph.server import RecordingServer
from tests.adapters.graph.tenant import APPROVE, ORDER, PAY, assignments

ROOT = "https://graph.test"
PRESENT = f"{ROOT}/v1.0/identityGovernance/entitlementManagement/assignments?$expand=target"


async def all_assignments(graph: GraphClient) -> list[object]:
    return [found async for page in graph.assignments(PAY) for found in page]


async def test_empty_pages_do_not_end_a_list(client: GraphClient, simulator: Simulator) -> None:
    """A list goes on behind an empty page that has a nextLink."""
    simulator.control.behave(page_size=2, empty_pages=2)
    assert await all_assignments(client) == assignments(PAY)
    assert len(simulator.requests()) == 9


async def test_packages_and_references_go_on_behind_empty_pages(
    client: GraphClient, simulator: Simulator
) -> None:
    """Every kind of list is read in the same way."""
    simulator.control.behave(page_size=1, empty_pages=1)
    assert {each.id for each in await client.packages()} == {PAY, APPROVE, ORDER}
    found = [each async for page in client.additional_access(PAY, APPROVE) for each in page]
    assert len(found) == 2


async def test_a_link_to_the_same_page_is_not_followed_again(
    client: GraphClient, simulator: Simulator
) -> None:
    """A page that names itself as its next one ends in an error, not in a loop."""
    simulator.control.behave(looping_next_link=True)
    with pytest.raises(UnsafeLink):
        await all_assignments(client)
    assert len(simulator.requests()) <= 2


async def test_a_longer_circle_of_pages_is_left(
    served: GraphClient, server: RecordingServer
) -> None:
    """Pages that lead back to one read before are not read again."""
    for page in ("a", "b", "a"):
        link = f"{server.root}/v1.0/pages?$skiptoken={page}"
        server.will_answer({"value": [], "@odata.nextLink": link})
    with pytest.raises(UnsafeLink):
        await served.packages()
    assert len(server.received) == 3


async def test_a_relative_link_is_followed_under_the_root(
    served: GraphClient, server: RecordingServer
) -> None:
    """A link without a host is one of this Graph's own, and gets the token."""
    server.will_answer({"value": [], "@odata.nextLink": "/v1.0/pages?$skiptoken=a"})
    server.will_answer({"value": []})
    await served.packages()
    assert server.targets()[1] == "/v1.0/pages?$skiptoken=a"
    assert server.received[1].headers["authorization"] == f"Bearer {SECRET}"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_another_host_never_sees_a_request(
    client: GraphClient, simulator: Simulator, server: RecordingServer, host: str
) -> None:
    """A nextLink to another port or host is refused before anything is sent there."""
    simulator.control.behave(page_size=2, foreign_next_link=f"http://{host}:{server.port}")
    with pytest.raises(UnsafeLink) as refused:
        await all_assignments(client)
    assert f"{host}:{server.port}" in str(refused.value)
    assert server.received == []


async def test_the_other_server_would_have_noticed(
    served: GraphClient, server: RecordingServer
) -> None:
    """The server that must see nothing does see what is sent to it, token and all."""
    server.will_answer({"value": []})
    await served.probe()
    assert server.received[0].headers["authorization"] == f"Bearer {SECRET}"


async def test_pages_before_an_unsafe_link_are_given(
    client: GraphClient, simulator: Simulator
) -> None:
    """What came before a link that is not followed has been given already."""
    simulator.control.behave(page_size=2, foreign_next_link="https://graph.example")
    pages = client.assignments(PAY)
    assert await anext(pages) == assignments(PAY)[:2]
    with pytest.raises(UnsafeLink):
        await anext(pages)


@pytest.mark.parametrize(
    "link",
    [
        "https://graph.example/v1.0/x",
        "http://graph.test/v1.0/x",
        "https://graph.test:8443/v1.0/x",
        "https://graph.test.example/v1.0/x",
        "https://graph.test@graph.example/v1.0/x",
        "https://user:password@graph.test/v1.0/x",
        "https://graph.test\\@graph.example/v1.0/x",
        "https://graph.te\tst.example/v1.0/x",
        "//graph.example/v1.0/x",
        "mailto:graph@graph.test",
        "https://[graph.test/v1.0/x",
        "https://graph.test\u2100/v1.0/x",
    ],
)
def test_a_link_out_of_the_root_is_unsafe(link: str) -> None:
    """Another scheme, host or port, and what is no address at all, is refused."""
    with pytest.raises(UnsafeLink):
        GraphUrls(ROOT).next_page(PRESENT, link)


@pytest.mark.parametrize(
    ("link", "following"),
    [
        (f"{ROOT}/v1.0/x?$skiptoken=a", f"{ROOT}/v1.0/x?$skiptoken=a"),
        ("/v1.0/x?$skiptoken=a", f"{ROOT}/v1.0/x?$skiptoken=a"),
        ("https://GRAPH.test/v1.0/x", "https://GRAPH.test/v1.0/x"),
        ("?$skiptoken=a", PRESENT.replace("$expand=target", "$skiptoken=a")),
    ],
)
def test_a_link_under_the_root_is_followed(link: str, following: str) -> None:
    """Absolute or relative, a link that stays under the root is the next page."""
    assert GraphUrls(ROOT).next_page(PRESENT, link) == following


@pytest.mark.parametrize("link", ["/v1.0/\x7f", "/v1.0/x\x00y", "/" + "x" * 70_000])
async def test_a_link_that_cannot_be_sent_is_unsafe(
    served: GraphClient, server: RecordingServer, link: str
) -> None:
    """A link under the root that is no usable address is one of our errors, too."""
    server.will_answer({"value": [], "@odata.nextLink": link})
    with pytest.raises(UnsafeLink):
        await served.packages()


async def test_an_empty_link_is_unsafe(served: GraphClient, server: RecordingServer) -> None:
    """A nextLink without anything in it leads back to its own page."""
    server.will_answer({"value": [], "@odata.nextLink": ""})
    with pytest.raises(UnsafeLink):
        await served.packages()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_of_a_read_is_not_followed(
    served: GraphClient, server: RecordingServer, other_server: RecordingServer, status: int
) -> None:
    """A redirect is a refusal, and nothing arrives where it points."""
    server.will_answer(status=status, Location=f"{other_server.root}/v1.0/x")
    with pytest.raises(Rejected) as refused:
        await served.packages()
    assert refused.value.status == status
    assert other_server.received == []


async def test_a_redirect_within_the_root_is_not_followed_either(
    served: GraphClient, server: RecordingServer
) -> None:
    """Graph does not redirect: what does is looked at by a person."""
    server.will_answer(status=302, Location="/v1.0/x")
    with pytest.raises(Rejected):
        await served.packages()
    assert len(server.received) == 1


async def test_a_redirect_of_the_simulator_is_not_followed(
    client: GraphClient, simulator: Simulator, server: RecordingServer
) -> None:
    """Neither is the simulator's redirect to another host, which sees no token."""
    simulator.control.behave(redirect_to=server.root)
    with pytest.raises(Rejected):
        await client.package(PAY)
    assert server.received == []
    assert len(simulator.requests()) == 1


@pytest.mark.parametrize("status", [304, 305])
async def test_what_is_neither_success_nor_error_is_no_success(
    served: GraphClient, server: RecordingServer, status: int
) -> None:
    """An answer that is no success raises, whatever the SDK makes of it."""
    server.will_answer(status=status)
    with pytest.raises(GraphError) as refused:
        await served.packages()
    assert not isinstance(refused.value, Unavailable)
