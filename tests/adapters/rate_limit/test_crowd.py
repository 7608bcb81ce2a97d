"""A sweep's parts on many instances, in virtual time: each is worked once, and at the full rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entra_sod.adapters.rate_limit.schedule import Schedule
from entra_sod.adapters.rate_limit.shared import KEY, PARTITION, PATIENCE, SharedGate
from entra_sod.adapters.rate_limit.slots import (
    LAPSES_AFTER,
    Places,
    believed,
    fits,
    is_due,
    with_busy,
)
from entra_sod.core.errors import Crowded, Unavailable
from entra_sod.ports.rate_limit import background
from tests.adapters.rate_limit.test_shared_gate import CountingTable, Traffic, gates
from tests.adapters.rate_limit.virtual import VirtualClock

PARTS_AT_ONCE = 2  # of one instance
SECONDS_OF_ANSWER = 0.5
SECONDS_OF_POLL = 2.0
LONGEST_PART = 300.0  # the host ends a function after 1800
LONGEST_WAIT = 8.0


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@dataclass
class Sweep:
    """A queue of parts, and what becomes of them.

    Attributes:
        waiting: when each is seen on the queue, and how many requests it takes.
        left: how many are not done.
        took: seconds that those done took, each from taking its place.
        wasted: requests of tries that came to nothing.
        refused: how often a part found no place.
    """

    clock: VirtualClock
    traffic: Traffic
    waiting: list[tuple[float, int]]
    left: int
    took: list[float] = field(default_factory=list)
    wasted: int = 0
    refused: int = 0

    async def work(self, gate: SharedGate) -> None:
        """One worker of an instance: takes parts off the queue until all are done."""
        while self.left:
            if self.waiting and min(self.waiting)[0] <= self.clock.seconds:
                await self._try(gate)
            else:
                await self.clock.sleep(SECONDS_OF_POLL)

    async def _try(self, gate: SharedGate) -> None:
        message = min(self.waiting)
        self.waiting.remove(message)
        sent: list[int] = []
        try:
            async with gate.place():
                await self._part(gate, message[1], sent)
            self.left -= 1
        except Crowded as error:
            self.wasted += sum(sent)
            self.refused += 1
            back_at = self.clock.seconds + (error.retry_after or 0)
            self.waiting.append((back_at, message[1]))

    async def _part(self, gate: SharedGate, size: int, sent: list[int]) -> None:
        began = self.clock.seconds
        with background():
            while (rest := size - sum(sent)) > 0:
                sent.append(await gate.take(min(gate.most_at_once, rest)))
                self.traffic.sent.append((self.clock.seconds, sent[-1]))
                await self.clock.sleep(SECONDS_OF_ANSWER)
        self.took.append(self.clock.seconds - began)


async def checks(sweep: Sweep, all_gates: Sequence[SharedGate]) -> list[float]:
    """A check of seven requests every minute, on one instance after the other; all their waits."""
    waits: list[float] = []
    for gate in cycle(all_gates):
        await sweep.clock.sleep(60)
        if not sweep.left:
            return waits
        for _ in range(7):
            asked_at = sweep.clock.seconds
            await gate.enter()
            waits.append(sweep.clock.seconds - asked_at)
            sweep.traffic.sent.append((sweep.clock.seconds, 1))
            await sweep.clock.sleep(0.1)
    raise AssertionError("there are no instances")


@pytest.mark.parametrize("size", [60, 200])
@pytest.mark.parametrize(
    ("ceiling", "instances"), [(100, 1), (100, 4), (100, 12), (100, 40), (20, 8)]
)
async def test_a_sweep_on_many_instances_wastes_nothing_and_uses_the_rate(
    ceiling: int, instances: int, size: int
) -> None:
    """However many instances work, no part is begun twice or takes long, and checks go first."""
    clock = VirtualClock()
    table, traffic = CountingTable(clock), Traffic(clock)
    parts = max(PARTS_AT_ONCE * instances, 12)
    sweep = Sweep(clock, traffic, [(0.0, size)] * parts, parts)
    all_gates = gates(table, clock, ceiling, instances)
    workers = [sweep.work(gate) for gate in all_gates for _ in range(PARTS_AT_ONCE)]
    waits, *_ = await clock.run_well(checks(sweep, all_gates), *workers)
    sent = sum(requests for _, requests in traffic.sent)
    end = max(moment for moment, _ in traffic.sent)
    assert len(sweep.took) == parts
    assert sweep.wasted == 0
    assert max(sweep.took) <= LONGEST_PART
    assert traffic.most() <= ceiling
    assert sent >= 0.9 * ceiling * end / 10
    assert max(waits) <= LONGEST_WAIT
    assert table.calls / clock.seconds / instances <= 1.0


async def test_an_instance_gives_back_the_turns_that_its_last_part_left(
    clock: VirtualClock,
) -> None:
    """Others count them no more: only what was sent."""
    table = CountingTable(clock)
    first, second = gates(table, clock, 1000, 2)

    async def two_requests() -> None:
        async with first.place():
            with background():
                await first.take(20)
                await first.take(1)

    await clock.run_well(part(clock, second, begins=0, lasts=1), two_requests())
    (row,) = await clock.run_well(table.get(PARTITION, KEY))
    schedule = msgspec.json.decode(str(row.values["schedule"]), type=Schedule)
    assert sum(lease.requests for lease in schedule.leases) == 21


async def test_a_fast_sweep_ends_without_turns_left_over(clock: VirtualClock) -> None:
    """In half a minute of work, what one process has taken and cannot use holds no other up."""
    table, traffic = CountingTable(clock), Traffic(clock)
    sweep = Sweep(clock, traffic, [(0.0, 60)] * 50, 50)
    all_gates = gates(table, clock, 1000, 4)
    workers = [sweep.work(gate) for gate in all_gates for _ in range(PARTS_AT_ONCE)]
    await clock.run_well(*workers)
    end = max(moment for moment, _ in traffic.sent)
    assert sweep.left == sweep.wasted == 0
    assert traffic.most() <= 1000
    assert sum(requests for _, requests in traffic.sent) >= 0.95 * 1000 * end / 10


@pytest.mark.parametrize("ceiling", [100, 1000])
async def test_checks_beside_a_sweep_take_seconds(clock: VirtualClock, ceiling: int) -> None:
    """Also on an instance that works on the sweep, whose parts leave a check its turns."""
    table, traffic = CountingTable(clock), Traffic(clock)
    sweep = Sweep(clock, traffic, [(0.0, 60)] * 25, 25)
    all_gates = gates(table, clock, ceiling, 4)
    workers = [sweep.work(gate) for gate in all_gates for _ in range(PARTS_AT_ONCE)]
    asked = [traffic.check(gate, at=2.0 + 3 * n) for n, gate in enumerate(all_gates)]
    took = (await clock.run_well(*asked, *workers))[: len(asked)]
    assert max(took) <= 5
    assert traffic.most() <= ceiling


async def part(clock: VirtualClock, gate: SharedGate, *, begins: float, lasts: float) -> None:
    """A part that asks for no turns."""
    await clock.sleep(begins)
    async with gate.place():
        await clock.sleep(lasts)


async def test_as_many_parts_are_begun_as_the_rate_carries() -> None:
    """The next waits for a place, and is told to come back where none is free in time."""
    clock = VirtualClock()
    first, second, third = gates(CountingTable(clock), clock, 100, 3)
    *begun, refused, late = await clock.run(
        *(part(clock, first, begins=0, lasts=60) for _ in range(2)),
        *(part(clock, second, begins=0, lasts=90) for _ in range(3)),
        part(clock, third, begins=60 - PATIENCE - 5, lasts=1),
        part(clock, third, begins=60 - PATIENCE / 2, lasts=1),
    )
    assert begun == [None] * 5
    assert isinstance(refused, Crowded)
    assert refused.retry_after is not None
    assert 5 <= refused.retry_after <= 15
    assert late is None


async def test_a_process_gives_the_place_of_a_part_to_its_next_one() -> None:
    """What is known to be free is not asked for: storage is not called for each part."""
    clock = VirtualClock()
    table = CountingTable(clock)
    (gate,) = gates(table, clock, 100, 1)

    async def one_after_another() -> None:
        for _ in range(10):
            await part(clock, gate, begins=0, lasts=1)

    await clock.run_well(part(clock, gate, begins=0, lasts=20), one_after_another())
    assert table.calls <= 6


async def test_the_places_of_an_instance_that_died_lapse() -> None:
    """A minute after it said for the last time that it works on parts, others may begin theirs."""
    clock = VirtualClock()
    table = CountingTable(clock)
    dead, living = gates(table, clock, 20, 2)

    async def keeps_it_from_saying_its_end() -> None:
        await clock.sleep(25)
        table.is_away = True
        await clock.sleep(10)
        table.is_away = False

    died = [part(clock, dead, begins=0, lasts=30) for _ in range(2)]
    early = part(clock, living, begins=LAPSES_AFTER - PATIENCE - 5, lasts=0)
    late = part(clock, living, begins=LAPSES_AFTER + 1, lasts=0)
    *_, refused, begun = await clock.run(*died, keeps_it_from_saying_its_end(), early, late)
    assert isinstance(refused, Crowded)
    assert begun is None


async def test_a_part_that_takes_turns_keeps_its_place() -> None:
    """However long it takes, as long as it asks for turns now and then."""
    clock = VirtualClock()
    busy, other = gates(CountingTable(clock), clock, 20, 2)
    end = 5 * LAPSES_AFTER
    *worked, refused = await clock.run(
        *(part(clock, busy, begins=0, lasts=end) for _ in range(2)),
        Traffic(clock).sweep(busy, until=end, batch=4, seconds=0.5),
        part(clock, other, begins=end - PATIENCE - 5, lasts=0),
    )
    assert worked == [None] * 3
    assert isinstance(refused, Crowded)


def test_places_are_said_again_before_they_lapse() -> None:
    """Half a minute later, or at once where the number of parts has changed."""
    places = with_busy((), "a", 2, 0)
    assert not is_due(places, "a", 2, 29)
    assert is_due(places, "a", 2, 31)
    assert is_due(places, "a", 1, 1)
    assert is_due((), "a", 1, 1)
    assert not is_due(places, "b", 0, 31)


async def test_a_cut_rate_lets_fewer_parts_begin() -> None:
    """After a 429 the parts that are begun go on, and the next waits for the lower rate."""
    clock = VirtualClock()
    first, second = gates(CountingTable(clock), clock, 100, 2)
    *_, refused = await clock.run(
        *(part(clock, first, begins=0, lasts=40) for _ in range(4)),
        first.slow_down(1.0),
        part(clock, second, begins=5, lasts=0),
    )
    assert isinstance(refused, Crowded)


async def test_work_that_is_begun_waits_for_its_turn_and_a_check_does_not_for_ever() -> None:
    """In the longest of queues a sweep's read is not lost; who asks for a person is told."""
    clock = VirtualClock()
    (gate,) = gates(CountingTable(clock), clock, 1, 1)

    async def read() -> None:
        with background():
            await gate.enter()

    outcomes = await clock.run(*(read() for _ in range(12)))
    assert outcomes == [None] * 12
    assert clock.seconds > 100
    checks_outcomes = await clock.run(*(gate.enter() for _ in range(12)))
    assert any(isinstance(each, Crowded) for each in checks_outcomes)


async def test_without_storage_no_part_is_begun() -> None:
    """Nobody can say how many others work; what has a place goes on."""
    clock = VirtualClock()
    table = CountingTable(clock)
    (gate,) = gates(table, clock, 100, 1)

    async def goes_away() -> None:
        await clock.sleep(1)
        table.is_away = True

    begun, _, refused = await clock.run(
        part(clock, gate, begins=0, lasts=3),
        goes_away(),
        part(clock, gate, begins=2, lasts=0),
    )
    assert begun is None
    assert isinstance(refused, Unavailable)


@given(
    noted=st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 5), st.floats(-100, 1e6))),
    rate=st.floats(1, 200_000),
)
def test_places_are_believed_for_a_minute_and_no_longer(
    noted: list[tuple[str, int, float]], rate: float
) -> None:
    """Whatever clocks have noted, a minute later there is room again."""
    places: Places = ()
    for name, parts, at in noted:
        places = with_busy(places, name, parts, at)
        assert len({each.name for each in places}) == len(places)
    now = 0.0
    later = [each for each in believed(places, now) if each.until > now + LAPSES_AFTER + 10]
    assert not later
    assert fits(believed(believed(places, now), now + LAPSES_AFTER + 11), rate)
