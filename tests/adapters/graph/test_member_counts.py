"""Counts of members: plain text that a batch carries as a number or as text, and nothing else."""

from __future__ import annotations

import msgspec
import pytest

from entra_sod.adapters.graph import wire
from entra_sod.core.errors import Unreadable
from tests.adapters.graph.fixtures import Connect, Simulator
from tests.adapters.graph.server import RecordingServer
from tests.adapters.graph.tenant import ADMIN_CLIENT, OWNERS, PAYERS, READERS


@pytest.mark.parametrize(
    ("data", "count"), [("7", 7), ('"7"', 7), ('"\\ufeff893\\r\\n"', 893), ("0", 0), ('"0"', 0)]
)
def test_a_count_is_a_number_or_its_text(data: str, count: int) -> None:
    """OData writes text with a byte order mark, which a batch may carry along."""
    assert wire.decode(wire.count, data.encode()) == count


@pytest.mark.parametrize(
    "data", ["null", "-1", "1.5", "true", "[]", "{}", '""', '"many"', '"-3"', '"٣"', '"1 2"']
)
def test_what_is_no_count_is_unreadable(data: str) -> None:
    """It is an error, and not 0."""
    with pytest.raises(Unreadable):
        wire.decode(wire.count, data.encode())


async def test_groups_are_counted_in_one_batch(connect: Connect, simulator: Simulator) -> None:
    """Three groups, each asked for once, in one round trip."""
    counts = await connect(AZURE_CLIENT_ID=ADMIN_CLIENT).member_counts([PAYERS, READERS, OWNERS])
    assert counts == {PAYERS: 3, READERS: 0, OWNERS: 0}
    assert len(simulator.requests()) == 1


async def test_each_request_says_that_a_count_may_be_old(
    connect: Connect, server: RecordingServer
) -> None:
    """The header stands with the request itself, as a batch hands none of its own on."""
    server.will_answer({"responses": [{"id": "0", "status": 200, "body": 12}]})
    assert await connect(GRAPH_ROOT=server.root).member_counts([PAYERS]) == {PAYERS: 12}
    (sent,) = server.received
    assert msgspec.json.decode(sent.body) == {
        "requests": [
            {
                "id": "0",
                "method": "GET",
                "url": f"/groups/{PAYERS}/transitiveMembers/$count",
                "headers": {"ConsistencyLevel": "eventual"},
            }
        ]
    }


async def test_one_count_that_is_none_does_not_keep_the_others(
    connect: Connect, server: RecordingServer
) -> None:
    """A group whose answer is no number is unreadable; the next one has its count."""
    text = {"headers": {"Content-Type": "text/plain"}, "status": 200}
    answers = [{"id": "0", "body": "many", **text}, {"id": "1", "body": "5", **text}]
    server.will_answer({"responses": answers})
    found = await connect(GRAPH_ROOT=server.root).member_counts([PAYERS, READERS])
    assert isinstance(found[PAYERS], Unreadable)
    assert found[READERS] == 5
