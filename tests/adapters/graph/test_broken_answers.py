"""Answers that are cut short, garbled, late, or do not come: another time they may be whole."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entra_sod.adapters.graph import wire
from entra_sod.adapters.graph.client import GraphClient
from entra_sod.core.errors import GraphError, Unavailable, Unreadable
from entra_sod.domain.entra import ReferenceKind
from tests.adapters.graph.fixtures import Connect, Simulator
from tests.adapters.graph.server import RecordingServer
from tests.adapters.graph.tenant import APPROVE, PAY

type Ask = Callable[[GraphClient], Awaitable[object]]


async def all_of(pages: AsyncIterator[object]) -> list[object]:
    return [each async for each in pages]


ASKS: dict[str, Ask] = {
    "packages": lambda graph: graph.packages(),
    "package": lambda graph: graph.package(PAY),
    "packages_by_id": lambda graph: graph.packages_by_id([PAY]),
    "additional_access": lambda graph: all_of(graph.additional_access(PAY, APPROVE)),
    "assignments": lambda graph: all_of(graph.assignments(PAY)),
    "references": lambda graph: graph.references(PAY, ReferenceKind.GROUP),
    "assignments_of": lambda graph: anext(graph.assignments_of([PAY])),
    "additional_access_of": lambda graph: anext(graph.additional_access_of([(PAY, APPROVE)])),
    "references_of": lambda graph: graph.references_of([PAY]),
}
BROKEN: dict[str, dict[str, object]] = {
    "truncated": {"kind": "truncate-json"},
    "cut": {"kind": "cut-connection"},
    "dropped": {"kind": "drop-connection"},
    "garbage": {"kind": "garbage", "status": 200},
    "502": {"kind": "status", "status": 502},
    "garbage of 500": {"kind": "garbage", "status": 500},
}
DECODERS: dict[str, wire.AnswerDecoder[Any]] = {
    "assignments": wire.assignments_page,
    "ids": wire.ids_page,
    "packages": wire.packages_page,
    "package": wire.one_package,
    "batch": wire.batch_answers,
}
NOT_JSON = b"\xff\xfe"
SHAPES = [b"null", b"[]", b"3", b"{}", b'"x"', b'{"value": null}', b'{"value": [{}]}', NOT_JSON]


@pytest.mark.slow
@pytest.mark.parametrize("fault", BROKEN.values(), ids=BROKEN)
async def test_a_broken_answer_is_an_unavailable_service(
    client: GraphClient, simulator: Simulator, fault: dict[str, object]
) -> None:
    """Whatever is read, an answer that is not whole says to try again later."""
    simulator.control.add_faults({**fault, "times": 100})
    for ask in ASKS.values():
        with pytest.raises(Unavailable):
            await ask(client)
    assert all(request["fault"] == fault["kind"] for request in simulator.requests())


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
async def test_json_of_another_shape_is_never_an_empty_answer(
    served: GraphClient, server: RecordingServer, ask: Ask
) -> None:
    """It is told from an answer that was cut off, for the next answer would be the same."""
    for shape in SHAPES:
        server.answers_only(shape)
        with pytest.raises(Unavailable if shape == NOT_JSON else Unreadable):
            await ask(served)
    assert len(server.received) == len(SHAPES)


@given(
    data=st.one_of(
        st.binary(),
        st.sampled_from([b'{"value":[', b'{"x":' + b"[" * 5000]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        ).map(lambda value: str(value).encode()),
    ),
    decoder=st.sampled_from(list(DECODERS)),
)
def test_no_body_breaks_the_decoder(data: bytes, decoder: str) -> None:
    """Decoding gives a value or one of two errors, and nothing else."""
    try:
        wire.decode(DECODERS[decoder], data)
    except (Unavailable, Unreadable):
        return


async def test_a_page_that_breaks_off_in_the_middle_of_a_list_is_not_its_end(
    client: GraphClient, simulator: Simulator
) -> None:
    """A later page that fails fails the list: half a list is no list."""
    simulator.control.behave(page_size=2)
    simulator.control.add_faults({"kind": "truncate-json", "skip": 1})
    with pytest.raises(Unavailable):
        await client.packages()


async def test_a_batch_may_answer_in_any_order(
    served: GraphClient, server: RecordingServer
) -> None:
    """Parts are told apart by their ids, which Graph may give back in any order."""
    server.will_answer(
        {
            "responses": [
                {"id": "1", "status": 200, "body": {"id": APPROVE, "displayName": "second"}},
                {"id": "0", "status": 200, "body": {"id": PAY, "displayName": "first"}},
            ]
        }
    )
    found = await served.packages_by_id([APPROVE, PAY])
    first, second = found[PAY], found[APPROVE]
    assert not isinstance(first, GraphError)
    assert not isinstance(second, GraphError)
    assert (first.display_name, second.display_name) == ("first", "second")


async def test_an_answer_that_does_not_come_in_time_is_an_unavailable_service(
    client: GraphClient, simulator: Simulator
) -> None:
    """A read that takes too long says to try again later."""
    await client.probe()
    client._transport._http.timeout = httpx.Timeout(0.2)
    simulator.control.add_faults({"kind": "delay", "seconds": 1.0})
    with pytest.raises(Unavailable) as late:
        await client.package(PAY)
    assert "ReadTimeout" in str(late.value)


async def test_the_client_waits_for_an_answer_not_for_ever(client: GraphClient) -> None:
    """There is a limit to every wait for Graph, and it is below the host's own of ten minutes."""
    timeout = client._transport._http.timeout
    for limit in (timeout.connect, timeout.read, timeout.write, timeout.pool):
        assert limit is not None
        assert limit <= 100


async def test_no_server_is_an_unavailable_service(connect: Connect) -> None:
    """Without a server at the address, the service is unavailable."""
    async with RecordingServer() as gone:
        root = gone.root
    with pytest.raises(Unavailable):
        await connect(GRAPH_ROOT=root).probe()
