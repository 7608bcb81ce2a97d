"""How long the client waits by itself, and what it sends a second time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from entra_sod.adapters.graph.client import GraphClient
from entra_sod.adapters.graph.transport import MAX_WAIT_SECONDS
from entra_sod.core.errors import Throttled, Unavailable
from entra_sod.domain.entra import AccessPackage, Reference, ReferenceKind
from tests.adapters.graph.fixtures import Simulator
from tests.adapters.graph.server import RecordingServer
from tests.adapters.graph.tenant import APPROVE, AUDITORS, PAY

IMPOSSIBLE_DATE = "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"

type Write = Callable[[GraphClient], Awaitable[None]]

WRITES: dict[str, tuple[str, Write]] = {
    "add group": (
        "POST",
        lambda graph: graph.add(Reference(PAY, ReferenceKind.GROUP, AUDITORS)),
    ),
    "add package": (
        "POST",
        lambda graph: graph.add(Reference(PAY, ReferenceKind.PACKAGE, APPROVE)),
    ),
    "remove group": (
        "DELETE",
        lambda graph: graph.remove(Reference(PAY, ReferenceKind.GROUP, AUDITORS)),
    ),
    "remove package": (
        "DELETE",
        lambda graph: graph.remove(Reference(PAY, ReferenceKind.PACKAGE, APPROVE)),
    ),
}


def in_future(seconds: float) -> str:
    """An HTTP date."""
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize("status", [429, 503, 504])
@pytest.mark.parametrize("seconds", [1, 5, 10])
async def test_seconds_are_waited_in_place(
    client: GraphClient, simulator: Simulator, waits: list[float], status: int, seconds: int
) -> None:
    """A read that may come again within ten seconds is sent again after exactly that wait."""
    simulator.fail(status, retry_after=seconds, times=2)
    assert (await client.package(PAY)).id == PAY
    assert waits == [seconds, seconds]
    assert [request["status"] for request in simulator.requests()] == [status, status, 200]


async def test_the_wait_is_a_real_one(client: GraphClient, simulator: Simulator) -> None:
    """Without anything left out, a throttled read succeeds after its second."""
    simulator.fail(429, retry_after=1, times=1)
    assert (await client.package(PAY)).id == PAY
    first, second = simulator.requests()
    assert second["time"] - first["time"] >= 1


async def test_a_date_a_few_seconds_away_is_waited_for(
    client: GraphClient, simulator: Simulator, waits: list[float]
) -> None:
    """Retry-After may be a date, and a near one is waited for in place."""
    simulator.fail(429, retry_after=in_future(8), times=1)
    assert (await client.package(PAY)).id == PAY
    assert len(waits) == 1
    assert 0 < waits[0] <= MAX_WAIT_SECONDS


@pytest.mark.parametrize("seconds", [11, 60, 179, 180, 3600])
async def test_a_longer_wait_is_handed_back_at_once(
    client: GraphClient, simulator: Simulator, waits: list[float], seconds: int
) -> None:
    """Over ten seconds nothing is slept through: the caller learns how long to wait."""
    simulator.fail(429, retry_after=seconds)
    with pytest.raises(Throttled) as throttled:
        await client.package(PAY)
    assert throttled.value.retry_after == seconds
    assert waits == []
    assert len(simulator.requests()) == 1


async def test_a_far_date_is_handed_back_at_once(
    client: GraphClient, simulator: Simulator, waits: list[float]
) -> None:
    """A date beyond ten seconds becomes the seconds until then."""
    simulator.fail(429, retry_after=in_future(3600))
    with pytest.raises(Throttled) as throttled:
        await client.package(PAY)
    assert throttled.value.retry_after is not None
    assert 3000 < throttled.value.retry_after <= 3600
    assert waits == []
    assert len(simulator.requests()) == 1


async def test_graphs_own_throttle_speaks_in_dates_too(
    client: GraphClient, simulator: Simulator, waits: list[float]
) -> None:
    """The simulator's limit, told as a date, is understood like one told in seconds."""
    simulator.control.behave(
        throttle={"limit": 1, "window_seconds": 600, "retry_after": "http-date"}
    )
    await client.probe()
    with pytest.raises(Throttled) as throttled:
        await client.package(PAY)
    assert throttled.value.retry_after is not None
    assert throttled.value.retry_after > MAX_WAIT_SECONDS
    assert waits == []


async def test_without_a_word_the_gate_backs_off_for_seconds(
    client: GraphClient, simulator: Simulator, waits: list[float]
) -> None:
    """Without Retry-After a read is tried four times, seconds apart, and then handed back."""
    simulator.fail(429)
    with pytest.raises(Throttled) as throttled:
        await client.package(PAY)
    assert throttled.value.retry_after is None
    assert len(simulator.requests()) == 4
    assert len(waits) == 3
    assert all(0 < wait <= MAX_WAIT_SECONDS for wait in waits)


@pytest.mark.parametrize(
    "garbage",
    ["soon", "-5", "1.5", "Fri, 31 Feb 2026 00:00:00 GMT", IMPOSSIBLE_DATE],
)
async def test_an_unreadable_retry_after_is_as_good_as_none(
    client: GraphClient, simulator: Simulator, waits: list[float], garbage: str
) -> None:
    """An unreadable value causes no error, and the client waits no longer than the maximum."""
    simulator.fail(429, retry_after=garbage)
    with pytest.raises(Throttled) as throttled:
        await client.package(PAY)
    assert throttled.value.retry_after is None
    assert all(wait <= MAX_WAIT_SECONDS for wait in waits)


async def test_an_impossible_date_on_a_success_does_no_harm(
    served: GraphClient, server: RecordingServer
) -> None:
    """The SDK reads Retry-After on every answer; one that no calendar has is passed over."""
    server.will_answer({"value": []}, Retry_After=IMPOSSIBLE_DATE)
    assert await served.packages() == []


async def test_a_long_wait_after_503_is_not_slept_through_either(
    client: GraphClient, simulator: Simulator, waits: list[float]
) -> None:
    """A service that is away for an hour is unavailable now."""
    simulator.fail(503, retry_after=3600)
    with pytest.raises(Unavailable):
        await client.package(PAY)
    assert waits == []
    assert len(simulator.requests()) == 1


async def test_a_batch_of_reads_is_sent_again(
    client: GraphClient, simulator: Simulator, waits: list[float]
) -> None:
    """A $batch of reads changes nothing, so it is retried although it is a POST."""
    simulator.fail(503, retry_after=5, times=1)
    found = await client.packages_by_id([PAY])
    assert isinstance(found[PAY], AccessPackage)
    assert waits == [5]
    assert len(simulator.requests("POST")) == 2


async def test_what_is_throttled_for_long_inside_a_batch_is_handed_back(
    client: GraphClient, simulator: Simulator, waits: list[float]
) -> None:
    """A part of a batch that is to wait for over ten seconds ends the batch with that wait."""
    simulator.control.add_faults(
        {
            "kind": "status",
            "status": 429,
            "retry_after": "77",
            "match": {"method": "GET", "path_contains": PAY},
        }
    )
    with pytest.raises(Throttled) as throttled:
        await client.packages_by_id([PAY, APPROVE])
    assert throttled.value.retry_after == 77
    assert waits == []
    assert len(simulator.requests("POST")) == 1


@pytest.mark.parametrize("status", [429, 503, 504])
@pytest.mark.parametrize("name", WRITES)
async def test_a_write_is_sent_exactly_once(
    client: GraphClient,
    simulator: Simulator,
    waits: list[float],
    name: str,
    status: int,
) -> None:
    """Whatever the answer, a write is not repeated: its outcome is settled by reading."""
    method, write = WRITES[name]
    simulator.fail(status, retry_after=1)
    with pytest.raises(Throttled if status == 429 else Unavailable):
        await write(client)
    (request,) = simulator.requests()
    assert request["method"] == method
    assert "retry-attempt" not in request["headers"]
    assert waits == []


@pytest.mark.parametrize("kind", ["drop-connection", "apply-then-drop"])
async def test_a_write_without_an_answer_is_sent_exactly_once(
    client: GraphClient, simulator: Simulator, kind: str
) -> None:
    """A connection that breaks says nothing about the write, so it is not repeated."""
    await client.probe()  # so that the write goes over a connection that was in use before
    simulator.control.add_faults({"kind": kind, "match": {"method": "POST"}, "times": 100})
    with pytest.raises(Unavailable):
        await WRITES["add group"][1](client)
    assert len(simulator.requests("POST")) == 1
    await client.probe()


async def test_a_write_that_took_effect_behind_an_error_stands_there_once(
    client: GraphClient, simulator: Simulator
) -> None:
    """After a 504 that came too late, reading shows the reference, added once."""
    simulator.control.add_faults({"kind": "apply-then-status", "status": 504})
    with pytest.raises(Unavailable):
        await WRITES["add group"][1](client)
    (package,) = (
        each for each in simulator.control.tenant()["accessPackages"] if each["id"] == PAY
    )
    assert package["incompatibleGroups"] == [{"id": AUDITORS, "additions": 1}]


async def test_a_remembered_wait_does_not_outlive_its_request(
    client: GraphClient, simulator: Simulator, waits: list[float]
) -> None:
    """That writes are sent once changes nothing for the reads after them."""
    simulator.fail(503, retry_after=2, times=1)
    with pytest.raises(Unavailable):
        await WRITES["add group"][1](client)
    simulator.fail(503, retry_after=3, times=1)
    assert (await client.package(PAY)).id == PAY
    assert waits == [3]
