"""Several hosts share one request rate, whatever each of them is asked for."""

from __future__ import annotations

from itertools import cycle

import httpx
import pytest

from local.graph.demo import APPROVE_INVOICES, MAINTAIN_VENDORS, ORDER_GOODS, PAY_INVOICES
from tests.host.client import Caller
from tests.host.conftest import Stage

pytestmark = [pytest.mark.slow, pytest.mark.host]

LIMIT = 50
BATCH = LIMIT // 10
PACKAGES = (PAY_INVOICES, APPROVE_INVOICES, MAINTAIN_VENDORS, ORDER_GOODS)
PAIRS = [(first, second) for first in PACKAGES for second in PACKAGES if first != second]


def test_hosts_that_share_a_storage_share_the_rate(world: Stage) -> None:
    """No window of Graph's log has more than its limit and a batch, and few requests see a 429."""
    world.graph.behave(throttle={"limit": LIMIT, "window_seconds": 10})
    hosts = [world.start_host(GRAPH_REQUESTS_PER_10S=str(LIMIT)) for _ in range(4)]
    callers = cycle([Caller(host.url) for host in hosts])
    started = [(caller, caller.start(*pair)) for caller, pair in zip(callers, PAIRS, strict=False)]
    answers = [caller.wait(location, 100) for caller, location in started]
    assert {answer["status"] for answer in answers} == {"completed"}
    requests = world.graph.requests()
    times = sorted(each["time"] for each in requests)
    assert len(times) > LIMIT
    assert max(sum(end - 10 < time <= end for time in times) for end in times) <= LIMIT + BATCH
    throttled = sum(each["status"] == httpx.codes.TOO_MANY_REQUESTS for each in requests)
    assert throttled <= 0.02 * len(requests)
