"""Whatever is sent to Graph passes the gate first, and whatever Graph says of pace gets there."""

from __future__ import annotations

import pytest

from entra_sod.adapters.graph.client import GraphClient
from entra_sod.adapters.rate_limit.local import OpenGate
from entra_sod.core.clock import ManualClock
from entra_sod.core.errors import Silenced, Throttled
from entra_sod.core.request_meter import metered
from entra_sod.domain.entra import Reference, ReferenceKind
from tests.adapters.graph.fixtures import Connect, Simulator
from tests.adapters.graph.tenant import APPROVE, ORDER, PAY

REFERENCE = Reference(PAY, ReferenceKind.PACKAGE, APPROVE)


class NotingGate(OpenGate):
    """Notes who passes and what Graph says; may refuse to let anybody in."""

    def __init__(self) -> None:
        super().__init__(ManualClock())
        self.entered: list[int] = []
        self.told: list[float | None] = []
        self.is_shut = False

    async def enter(self, requests: int = 1) -> None:
        if self.is_shut:
            raise Silenced("shut", retry_after=42)
        self.entered.append(requests)
        await super().enter(requests)

    async def take(self, most: int) -> int:
        await self.enter(most)
        return most

    async def slow_down(self, retry_after: float | None) -> None:
        self.told.append(retry_after)
        await super().slow_down(retry_after)


@pytest.fixture
def gate() -> NotingGate:
    return NotingGate()


@pytest.fixture
def gated(connect: Connect, gate: NotingGate) -> GraphClient:
    """A client behind a gate that keeps notes."""
    return connect(gate)


async def test_every_request_enters_the_gate_once(
    gated: GraphClient, gate: NotingGate, simulator: Simulator
) -> None:
    """Reads, pages and writes enter one by one, a batch with all that it carries."""
    simulator.control.behave(page_size=2)
    pages = [page async for page in gated.assignments(PAY)]
    await gated.add(REFERENCE)
    await gated.packages_by_id([PAY, APPROVE, ORDER])
    assert len(pages) == 3
    assert gate.entered == [1, 1, 1, 1, 3]


async def test_the_sdks_own_repetitions_enter_the_gate(
    gated: GraphClient, gate: NotingGate, simulator: Simulator, waits: list[float]
) -> None:
    """A read or batch that is sent again after a 503 counts again."""
    with metered() as meter:
        simulator.fail(503, retry_after=1, times=1)
        await gated.package(PAY)
        simulator.fail(503, retry_after=1, times=1)
        await gated.packages_by_id([PAY, APPROVE])
    assert gate.entered == [1, 1, 2, 2]
    assert (meter.requests, meter.round_trips) == (6, 4)
    assert waits == [1, 1]


async def test_the_gate_learns_of_every_429(
    gated: GraphClient, gate: NotingGate, simulator: Simulator
) -> None:
    """It is told how long Graph wants silence, and the read is sent again after that."""
    simulator.fail(429, retry_after=3, times=2)
    with metered() as meter:
        await gated.package(PAY)
    assert gate.told == [3, 3]
    assert (meter.requests, meter.throttled, meter.throttled_seconds) == (3, 2, 6)


async def test_a_throttled_write_is_told_and_not_repeated(
    gated: GraphClient, gate: NotingGate, simulator: Simulator
) -> None:
    """The gate learns of it, and the queue brings the work again."""
    simulator.fail(429, retry_after=3, times=1)
    with pytest.raises(Throttled):
        await gated.add(REFERENCE)
    assert gate.told == [3]
    assert len(simulator.requests()) == 1


async def test_what_the_gate_does_not_let_in_is_not_sent(
    gated: GraphClient, gate: NotingGate, simulator: Simulator
) -> None:
    """Neither reads nor writes, and the gate is not told of its own refusals."""
    gate.is_shut = True
    for work in (gated.package(PAY), gated.add(REFERENCE), gated.packages_by_id([PAY])):
        with pytest.raises(Throttled) as refused:
            await work
        assert refused.value.retry_after == 42
    assert simulator.requests() == []
    assert gate.told == []
