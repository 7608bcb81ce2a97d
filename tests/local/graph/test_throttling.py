from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest

from local.graph import Simulator, Throttle
from local.graph.demo import PAY_INVOICES
from tests.local.graph.caller import Caller, error_code

PACKAGE = f"accessPackages/{PAY_INVOICES}"
NOW = 1_795_000_000.0


def at(simulator: Simulator, seconds: float) -> None:
    simulator.clock = lambda: NOW + seconds


@pytest.fixture
def throttled(graph: Caller) -> Caller:
    """Graph that takes two requests in ten seconds."""
    graph.behaviour.throttle = Throttle(limit=2, window_seconds=10)
    at(graph.simulator, 0)
    return graph


async def test_one_too_many_is_told_to_wait(throttled: Caller) -> None:
    """The third request of a window that takes two gets 429 and the seconds to wait."""
    statuses = [(await throttled.get(PACKAGE)).status_code for _ in range(2)]
    refused = await throttled.get(PACKAGE)
    assert [*statuses, refused.status_code] == [200, 200, 429]
    assert error_code(refused) == "TooManyRequests"
    assert refused.headers["retry-after"] == "10"


async def test_who_waits_as_told_is_served(throttled: Caller) -> None:
    """After Retry-After has passed the request goes through, and not a second earlier."""
    for second in (0, 4):
        at(throttled.simulator, second)
        await throttled.get(PACKAGE)
    at(throttled.simulator, 5)
    answer = await throttled.get(PACKAGE)
    wait = int(answer.headers["retry-after"])
    assert answer.status_code == 429
    at(throttled.simulator, 5 + wait)
    assert (await throttled.get(PACKAGE)).status_code == 200


async def test_refused_requests_count_too(throttled: Caller) -> None:
    """Hammering while throttled keeps the throttle shut, as Graph says it does."""
    statuses = []
    for second in range(0, 30, 3):
        at(throttled.simulator, second)
        statuses.append((await throttled.get(PACKAGE)).status_code)
    assert statuses == [200, 200, *[429] * 8]


async def test_the_wait_can_be_a_date(throttled: Caller) -> None:
    """Retry-After may be an HTTP date."""
    throttled.behaviour.throttle = Throttle(limit=0, retry_after="http-date")
    answer = await throttled.get(PACKAGE)
    until = parsedate_to_datetime(answer.headers["retry-after"])
    assert until == datetime.fromtimestamp(NOW + 10, UTC)


async def test_the_wait_can_be_unsaid(throttled: Caller) -> None:
    """A 429 may come without Retry-After."""
    throttled.behaviour.throttle = Throttle(limit=0, retry_after="absent")
    answer = await throttled.get(PACKAGE)
    assert answer.status_code == 429
    assert "retry-after" not in answer.headers


async def test_a_throttled_write_is_not_carried_out(throttled: Caller) -> None:
    """A refused POST leaves no reference behind."""
    throttled.behaviour.throttle = Throttle(limit=0)
    group_id = throttled.simulator.tenant.groups[0].id
    assert (await throttled.add_group(PAY_INVOICES, group_id)).status_code == 429
    assert throttled.simulator.index.packages[PAY_INVOICES].incompatible_groups == []
