"""Reads in batches: what is sent once, what again, and what ends them; seen from Graph's log."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import unquote

import pytest

from entra_sod.adapters.graph import wire
from entra_sod.adapters.graph.client import GraphClient
from entra_sod.core.errors import GraphError, Throttled, Unavailable, UnsafeLink
from entra_sod.core.request_meter import metered
from entra_sod.domain.entra import Assignment
from entra_sod.ports.graph import AssignmentPage
from tests.adapters.graph.fixtures import Connect, Simulator
from tests.adapters.graph.server import RecordingServer
from tests.adapters.graph.tenant import APPROVE, ORDER, PAY, assignments
from tests.adapters.graph.test_rate_limited import NotingLimiter

ALL = [PAY, APPROVE, ORDER]


def inner(simulator: Simulator) -> list[dict[str, Any]]:
    """What batches carried, in the order in which Graph saw it."""
    return [each for each in simulator.control.requests() if each["batch"] is not None]


def asked(simulator: Simulator, package_id: str) -> int:
    return sum(package_id in unquote(each["target"]) for each in inner(simulator))


def fault(package_id: str, **kind: object) -> dict[str, object]:
    return {"match": {"method": "GET", "path_contains": package_id}, **kind}


async def collected(
    answers: AsyncIterator[tuple[str, AssignmentPage | GraphError]],
) -> dict[str, list[Assignment]]:
    found: dict[str, list[Assignment]] = {}
    async for key, page in answers:
        assert not isinstance(page, GraphError)
        found.setdefault(key, []).extend(page)
    return found


async def assert_all_read(client: GraphClient) -> None:
    assert await collected(client.assignments_of(ALL)) == {key: assignments(key) for key in ALL}


async def test_pages_of_many_packages_share_batches(
    client: GraphClient, simulator: Simulator
) -> None:
    """Three lists of six pages in all take three round trips, the length of the longest."""
    simulator.control.behave(page_size=2)
    with metered() as meter:
        await assert_all_read(client)
    assert Counter(each["batch"] for each in inner(simulator)).total() == 6
    assert len(simulator.requests()) == 3
    assert (meter.requests, meter.round_trips) == (6, 3)


async def test_empty_pages_do_not_end_a_list_in_a_batch(
    client: GraphClient, simulator: Simulator
) -> None:
    """A list goes on behind an empty page that has a nextLink."""
    simulator.control.behave(page_size=2, empty_pages=2)
    await assert_all_read(client)


async def test_no_batch_is_larger_than_the_rate_allows(
    connect: Connect, simulator: Simulator
) -> None:
    """The rate limiter says how many requests may go together."""

    class NarrowLimiter(NotingLimiter):
        @property
        def max_batch(self) -> int:
            return 2

    limiter = NarrowLimiter()
    await assert_all_read(connect(limiter))
    assert limiter.taken == [2, 1]
    assert len(simulator.requests()) == 2


async def test_what_is_throttled_in_a_batch_is_sent_again_alone(
    connect: Connect, simulator: Simulator
) -> None:
    """One of three refused: the limiter is told, and after the wait that one is asked for again."""
    limiter = NotingLimiter()
    simulator.control.add_faults(fault(APPROVE, kind="status", status=429, retry_after=4, times=2))
    with metered() as meter:
        await assert_all_read(connect(limiter))
    assert [asked(simulator, key) for key in ALL] == [1, 3, 1]
    assert limiter.told == [4, 4]
    assert limiter.taken == [3, 1, 1]
    assert (meter.requests, meter.throttled, meter.throttled_seconds) == (5, 2, 8)


async def test_a_batch_tells_the_limiter_once_and_the_longest_wait(
    connect: Connect, simulator: Simulator
) -> None:
    """However many parts are refused, it is one answer of Graph's."""
    limiter = NotingLimiter()
    simulator.control.add_faults(
        fault(PAY, kind="status", status=429),
        fault(APPROVE, kind="status", status=429, retry_after=2),
        fault(ORDER, kind="status", status=429, retry_after=7),
    )
    await assert_all_read(connect(limiter))
    assert limiter.told == [7]


async def test_what_is_throttled_without_end_is_handed_back(
    client: GraphClient, simulator: Simulator, waits: list[float]
) -> None:
    """Short waits are not waited for ever: the work comes back later."""
    simulator.control.add_faults(fault(PAY, kind="status", status=429, retry_after=1, times=1000))
    with pytest.raises(Throttled):
        await collected(client.assignments_of(ALL))
    assert sum(waits) <= 30


BROKEN: dict[str, dict[str, object]] = {
    "503": {"kind": "status", "status": 503},
    "500": {"kind": "status", "status": 500},
    "408": {"kind": "status", "status": 408},
    "truncated": {"kind": "truncate-json"},
    "dropped": {"kind": "drop-connection"},
    "garbage": {"kind": "garbage", "status": 200},
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
async def test_what_fails_in_passing_is_sent_again_alone(
    client: GraphClient, simulator: Simulator, waits: list[float], broken: dict[str, object]
) -> None:
    """A part that fails up to three times does not keep the others, and is read in the end."""
    simulator.control.add_faults(fault(APPROVE, **broken, times=3))
    await assert_all_read(client)
    assert [asked(simulator, key) for key in ALL] == [1, 4, 1]
    assert waits == [1, 2, 4]


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
async def test_what_goes_on_failing_spoils_nothing_else(
    client: GraphClient, simulator: Simulator, waits: list[float], broken: dict[str, object]
) -> None:
    """After the fourth time it is that list's error; the other lists are read."""
    simulator.control.add_faults(fault(APPROVE, **broken, times=100))
    answers = [each async for each in client.assignments_of(ALL)]
    errors = [(key, type(each)) for key, each in answers if isinstance(each, GraphError)]
    assert errors == [(APPROVE, Unavailable)]
    assert {key for key, _ in answers} == {*ALL}
    assert asked(simulator, APPROVE) == 4
    assert waits == [1, 2, 4]


async def test_a_page_in_the_middle_that_fails_is_read_again(
    client: GraphClient, simulator: Simulator, waits: list[float]
) -> None:
    """No page is lost and none comes twice."""
    simulator.control.behave(page_size=2)
    simulator.control.add_faults(
        fault(PAY, kind="status", status=503, skip=1), fault(PAY, kind="status", status=429, skip=2)
    )
    await assert_all_read(client)
    assert asked(simulator, PAY) == 5
    assert waits


async def test_a_part_that_a_batch_leaves_out_is_asked_for_again(
    served: GraphClient, server: RecordingServer, waits: list[float]
) -> None:
    """A part without an answer has not been answered, and is no empty list."""
    server.will_answer({"responses": []})
    server.will_answer({"responses": [{"id": "0", "status": 200, "body": {"value": []}}]})
    assert await collected(served.assignments_of([PAY])) == {PAY: []}
    server.answers_only({"responses": []})
    with pytest.raises(Unavailable):
        await collected(served.assignments_of([PAY]))
    assert waits == [1, 1, 2, 4]


async def test_a_circle_of_pages_is_left(client: GraphClient, simulator: Simulator) -> None:
    """A page that names itself as its next one ends that package, with its error."""
    simulator.control.behave(looping_next_link=True)
    answers = [each async for each in client.assignments_of([PAY])]
    assert [type(each) for _, each in answers] == [list, UnsafeLink]
    assert len(simulator.requests()) <= 2


@pytest.mark.parametrize("link", ["https://graph.example/v1.0/x", "/beta/x", "/v1.0x"])
async def test_a_link_out_of_the_root_ends_its_package_alone(
    served: GraphClient, server: RecordingServer, link: str
) -> None:
    """Its pages so far are given, then its error; the other package is read."""
    first = {"id": "0", "status": 200, "body": {"value": [], "@odata.nextLink": link}}
    second = {"id": "1", "status": 200, "body": {"value": []}}
    server.will_answer({"responses": [first, second]})
    answers = [each async for each in served.assignments_of([PAY, APPROVE])]
    assert Counter(type(each) for _, each in answers) == {list: 2, UnsafeLink: 1}
    assert len(server.received) == 1


async def test_a_batch_that_is_refused_as_a_whole_is_an_error(
    client: GraphClient, simulator: Simulator
) -> None:
    """Without a batch's answer nothing is known of its parts."""
    simulator.fail(500)
    with pytest.raises(Unavailable):
        await collected(client.assignments_of(ALL))


async def test_only_what_is_read_of_an_assignment_is_asked_for(
    client: GraphClient, simulator: Simulator
) -> None:
    """Batched lists select their properties, by documented options."""
    await collected(client.assignments_of([PAY]))
    (sent,) = inner(simulator)
    subject = "id,objectId,displayName,subjectType,principalName"
    options = f"$select=id,state,schedule&$expand=target($select={subject})"
    assert unquote(sent["target"]).endswith(
        f"assignments?$filter=accessPackage/id eq '{PAY}'&{options}"
    )


async def test_no_more_than_who_holds_a_package_is_asked_for_where_nothing_else_counts(
    client: GraphClient, simulator: Simulator
) -> None:
    """A plan counts subjects: it needs neither their names nor the dates of their access."""
    pages = [page async for _, page in client.holders_of([PAY])]
    (sent,) = inner(simulator)
    assert unquote(sent["target"]).endswith("&$select=id,state&$expand=target($select=id)")
    held = {each.subject.id for each in assignments(PAY) if each.is_held}
    assert {each for page in pages if not isinstance(page, GraphError) for each in page} == held


def test_who_had_an_assignment_that_is_over_holds_nothing() -> None:
    """A page with one that expired, one without a state, and one that is no assignment."""
    page = wire.holders_page.decode(
        b'{"value": [{"id": "1", "state": "Expired", "target": {"id": "A"}},'
        b'{"id": "2", "target": {"id": "B"}}, {"id": "3"}]}'
    )
    assert page.items == [None, "b"]
    assert [name for name, _ in page.unreadable] == ["3"]
