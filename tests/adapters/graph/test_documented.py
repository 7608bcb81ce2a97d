"""Microsoft's own documented exchanges: we send what they show, and read what they answer.

`../shared/graph-contract` has them; ENTRA_SOD_SHARED names another place.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import pytest

from entra_sod.adapters.graph.client import GraphClient
from entra_sod.domain.entra import Assignment, Reference, ReferenceKind, Subject
from local.processes import CHECKOUT
from tests.adapters.graph.server import RecordingServer

PAY, APPROVE = "2506aef1-3929-4d24-a61e-7c8b83d95e6f", "d5d99728-8c0b-4ede-83d2-cf9b0e8dabfb"
PACKAGE, OTHER = "73eb2497-3b88-4c0a-8bb3-68ba8162beff", "c0a74b4d-2694-4d5d-a964-1bee4ff0aaf2"
GRAPH = "https://graph.microsoft.com"
GROUP_REFERENCE = Reference(PACKAGE, ReferenceKind.GROUP, OTHER)
PACKAGE_REFERENCE = Reference(PACKAGE, ReferenceKind.PACKAGE, OTHER)


class Exchange:
    """A documented request and its answer."""

    def __init__(self, file: Path) -> None:
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        self.request: dict[str, Any] = content["request"]
        self.response: dict[str, Any] = content["response"]

    @property
    def target(self) -> str:
        """Path and query, as they are written in the documentation."""
        url: str = self.request["url"]
        assert url.startswith(GRAPH)
        return url.removeprefix(GRAPH)

    def answer(self, server: RecordingServer) -> None:
        server.will_answer(self.response["body"], self.response["status"])

    def body_under(self, root: str) -> object:
        """The documented body, with the configured root in place of the public cloud's."""
        return json.loads(json.dumps(self.request["body"]).replace(GRAPH, root))


@pytest.fixture
def exchange(request: pytest.FixtureRequest) -> Exchange:
    """The exchange whose number the test is parametrised with."""
    shared = Path(os.environ.get("ENTRA_SOD_SHARED", CHECKOUT.parent / "shared"))
    folder = shared / "graph-contract" / "examples"
    if not folder.is_dir():
        pytest.skip("no graph-contract beside the checkout; ENTRA_SOD_SHARED names another place")
    (file,) = folder.glob(f"{request.param}-*.json")
    return Exchange(file)


def documented(number: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("exchange", [number], indirect=True)


def assert_sent(server: RecordingServer, exchange: Exchange) -> None:
    """One request was sent: the documented one, byte for byte but for scheme and host."""
    (sent,) = server.received
    assert (sent.method, sent.target) == (exchange.request["method"], exchange.target)
    if exchange.request["body"] is None:
        assert sent.body == b""
        return
    assert sent.headers["content-type"] == exchange.request["headers"]["Content-type"]
    assert json.loads(sent.body) == exchange.body_under(server.root)


def assert_extended(server: RecordingServer, exchange: Exchange, *options: str) -> None:
    """One request was sent: the documented path, with documented options."""
    (sent,) = server.received
    path, _, query = sent.target.partition("?")
    assert (sent.method, path) == (exchange.request["method"], exchange.target)
    assert [name for name, _ in parse_qsl(query)] == list(options)


@documented("01")
async def test_additional_access(
    served: GraphClient, server: RecordingServer, exchange: Exchange
) -> None:
    """The documented call finds its two people, whose assignments have no state."""
    exchange.answer(server)
    (page,) = [page async for page in served.additional_access(PAY, APPROVE)]
    assert_sent(server, exchange)
    assert page == [
        Assignment(
            id="a61f7889-ae61-4e97-a4dc-e4fa525f5b33",
            subject=Subject(
                id="ebaf071e-c647-42c6-b86f-fbe3625b4b63",
                object_id="cdbdf152-82ce-479c-b5b8-df90f561d5c7",
                display_name="user1",
            ),
        ),
        Assignment(
            id="a7284263-8233-44de-8095-0ee3ff5a1716",
            subject=Subject(
                id="9865b0f8-868f-42c6-a49b-3067eb4b2da1",
                object_id="79a8f0b6-61dc-41db-b49e-470c278e05b6",
                display_name="user2",
            ),
        ),
    ]
    assert all(each.is_held for each in page)


@documented("02")
async def test_list_incompatible_groups(
    served: GraphClient, server: RecordingServer, exchange: Exchange
) -> None:
    """The documented list of groups has its one group."""
    exchange.answer(server)
    found = await served.references(PACKAGE, ReferenceKind.GROUP)
    assert_sent(server, exchange)
    assert found == {"a743348f-5667-41a4-89a3-5ad8a94da5d2"}


@documented("03")
async def test_add_an_incompatible_group(
    served: GraphClient, server: RecordingServer, exchange: Exchange
) -> None:
    """A group is added by the documented request, under the configured root."""
    exchange.answer(server)
    await served.add(GROUP_REFERENCE)
    assert_sent(server, exchange)


@documented("04")
async def test_remove_an_incompatible_group(
    served: GraphClient, server: RecordingServer, exchange: Exchange
) -> None:
    """A group is removed by the documented request."""
    exchange.answer(server)
    await served.remove(GROUP_REFERENCE)
    assert_sent(server, exchange)


@documented("05")
async def test_list_incompatible_packages(
    served: GraphClient, server: RecordingServer, exchange: Exchange
) -> None:
    """The documented list of packages has its one package."""
    exchange.answer(server)
    found = await served.references(PACKAGE, ReferenceKind.PACKAGE)
    assert_sent(server, exchange)
    assert found == {OTHER}


@documented("06")
async def test_add_an_incompatible_package(
    served: GraphClient, server: RecordingServer, exchange: Exchange
) -> None:
    """A package is added by the documented request, under the configured root."""
    exchange.answer(server)
    await served.add(PACKAGE_REFERENCE)
    assert_sent(server, exchange)


@documented("07")
async def test_remove_an_incompatible_package(
    served: GraphClient, server: RecordingServer, exchange: Exchange
) -> None:
    """A package is removed by the documented request."""
    exchange.answer(server)
    await served.remove(PACKAGE_REFERENCE)
    assert_sent(server, exchange)


@documented("09")
async def test_list_packages(
    served: GraphClient, server: RecordingServer, exchange: Exchange
) -> None:
    """The documented list has its one package, though no catalog is expanded in it."""
    exchange.answer(server)
    (found,) = await served.packages()
    assert_extended(server, exchange, "$expand")
    assert found.id == "114d3459-3459-114d-5934-4d1159344d11"
    assert (found.display_name, found.catalog_id) == ("Access package for testing", None)


@documented("11")
async def test_get_a_package_with_what_it_grants(
    served: GraphClient, server: RecordingServer, exchange: Exchange
) -> None:
    """The documented package adds no members: it grants only ownership of a group."""
    exchange.answer(server)
    package_id = "933a4822-aed1-445b-9623-62116cd07a39"
    found = await served.package(package_id)
    (sent,) = server.received
    assert sent.method == exchange.request["method"]
    assert sent.target == exchange.target.replace("{id}", package_id)
    assert (found.id, found.display_name) == (package_id, "Test Package 9-9")
    assert found.member_groups == frozenset()


@documented("12")
async def test_list_assignments(
    served: GraphClient, server: RecordingServer, exchange: Exchange
) -> None:
    """The documented assignment is held; its subject is added here, which we ask to expand."""
    subject = {"id": "ebaf071e-c647-42c6-b86f-fbe3625b4b63", "objectId": None}
    for each in cast("list[dict[str, Any]]", exchange.response["body"]["value"]):
        each["target"] = subject
    exchange.answer(server)
    (page,) = [page async for page in served.assignments(PAY)]
    assert_extended(server, exchange, "$filter", "$expand")
    assert urlsplit(server.targets()[0]).query.endswith("&$expand=target")
    assert page == [
        Assignment(
            id="2a353749-3749-2a35-4937-352a4937352a",
            state="delivered",
            subject=Subject(id="ebaf071e-c647-42c6-b86f-fbe3625b4b63"),
        )
    ]
