"""Whatever is sent to Graph takes a turn first, and the rate limiter learns of each 429."""

from __future__ import annotations

import pytest

from entra_sod.adapters.graph import transport
from entra_sod.adapters.graph.client import GraphClient
from entra_sod.adapters.rate_limit.limiters import LocalRateLimiter
from entra_sod.core.errors import Forbidden, Throttled, ThrottledLocally
from entra_sod.core.request_meter import metered
from entra_sod.domain.entra import Reference, ReferenceKind
from local.memory.clock import ManualClock
from tests.adapters.graph.fixtures import Connect, Simulator
from tests.adapters.graph.tenant import APPROVE, ORDER, PAY

REFERENCE = Reference(PAY, ReferenceKind.PACKAGE, APPROVE)


class NotingLimiter(LocalRateLimiter):
    """Notes who takes turns and what Graph says; may refuse to give any."""

    def __init__(self) -> None:
        super().__init__(ManualClock())
        self.taken: list[int] = []
        self.told: list[float | None] = []
        self.is_full = False

    async def acquire(self, requests: int = 1) -> None:
        if self.is_full:
            raise ThrottledLocally("full", retry_after=42)
        self.taken.append(requests)
        await super().acquire(requests)

    async def slow_down(self, retry_after: float | None) -> None:
        self.told.append(retry_after)
        await super().slow_down(retry_after)


@pytest.fixture
def limiter() -> NotingLimiter:
    return NotingLimiter()


@pytest.fixture
def gated(connect: Connect, limiter: NotingLimiter) -> GraphClient:
    """A client with a rate limiter that keeps notes."""
    return connect(limiter)


async def test_every_request_takes_one_turn(
    gated: GraphClient, limiter: NotingLimiter, simulator: Simulator
) -> None:
    """Reads, pages and writes take one each, a batch one for all that it carries."""
    simulator.control.behave(page_size=2)
    pages = [page async for page in gated.assignments(PAY)]
    await gated.add(REFERENCE)
    await gated.packages_by_id([PAY, APPROVE, ORDER])
    assert len(pages) == 3
    assert limiter.taken == [1, 1, 1, 1, 3]


async def test_the_sdks_own_repetitions_take_turns(
    gated: GraphClient, limiter: NotingLimiter, simulator: Simulator, waits: list[float]
) -> None:
    """A read or batch that is sent again after a 503 counts again."""
    with metered() as meter:
        simulator.fail(503, retry_after=1, times=1)
        await gated.package(PAY)
        simulator.fail(503, retry_after=1, times=1)
        await gated.packages_by_id([PAY, APPROVE])
    assert limiter.taken == [1, 1, 2, 2]
    assert (meter.requests, meter.round_trips) == (6, 4)
    assert waits == [1, 1]


async def test_the_limiter_learns_of_every_429(
    gated: GraphClient, limiter: NotingLimiter, simulator: Simulator
) -> None:
    """It is told how long Graph wants silence, and the read is sent again after that."""
    simulator.fail(429, retry_after=3, times=2)
    with metered() as meter:
        await gated.package(PAY)
    assert limiter.told == [3, 3]
    assert (meter.requests, meter.throttled, meter.throttled_seconds) == (3, 2, 6)


async def test_a_throttled_write_is_told_and_not_repeated(
    gated: GraphClient, limiter: NotingLimiter, simulator: Simulator
) -> None:
    """The rate limiter learns of it, and the queue brings the work again."""
    simulator.fail(429, retry_after=3, times=1)
    with pytest.raises(Throttled):
        await gated.add(REFERENCE)
    assert limiter.told == [3]
    assert len(simulator.requests()) == 1


async def test_what_gets_no_turn_is_not_sent(
    gated: GraphClient, limiter: NotingLimiter, simulator: Simulator
) -> None:
    """Neither reads nor writes, and the rate limiter is not told of its own refusals."""
    limiter.is_full = True
    for work in (gated.package(PAY), gated.add(REFERENCE), gated.packages_by_id([PAY])):
        with pytest.raises(Throttled) as refused:
            await work
        assert refused.value.retry_after == 42
    assert simulator.requests() == []
    assert limiter.told == []


async def test_a_request_that_has_waited_long_gets_a_new_token(
    gated: GraphClient, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token that it was made with may have expired while it waited for its turn."""
    asked: list[str] = []

    async def token() -> str:
        asked.append("once more")
        return "new"

    monkeypatch.setattr(gated._transport._rate_limit, "_token", token)
    await gated.package(PAY)
    assert asked == []
    monkeypatch.setattr(transport, "MAX_SECONDS_WITH_ONE_TOKEN", -1.0)
    with pytest.raises(Forbidden):
        await gated.package(PAY)
    assert asked == ["once more"]
    assert len(simulator.requests()) == 2
