"""Several instances behind one gate, in virtual time: what they send, and who waits how long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from entra_sod.adapters.rate_limit.local import OpenGate
from entra_sod.adapters.rate_limit.schedule import Schedule
from entra_sod.adapters.rate_limit.shared import KEY, PARTITION, SharedGate
from entra_sod.adapters.storage.azure import AzureStorage
from entra_sod.core.clock import ManualClock, SystemClock
from entra_sod.core.errors import StorageUnavailable, Throttled, Unavailable
from entra_sod.core.request_meter import metered
from entra_sod.ports.rate_limit import background
from entra_sod.ports.storage import Row, Table
from entra_sod.settings import StorageSettings
from local.memory.storage import MemoryTable
from tests.adapters.rate_limit.virtual import VirtualClock
from tests.adapters.storage.test_storage_contract import no_identity


class CountingTable(MemoryTable):
    """Counts its calls, answers not at once, and may be away."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self._clock, self.calls, self.is_away = clock, 0, False

    async def get(self, partition: str, key: str) -> Row | None:
        await self._called()
        return await super().get(partition, key)

    async def insert(self, row: Row) -> bool:
        await self._called()
        return await super().insert(row)

    async def replace(self, row: Row) -> bool:
        await self._called()
        return await super().replace(row)

    async def _called(self) -> None:
        self.calls += 1
        await self._clock.sleep(0.01)
        if self.is_away:
            raise StorageUnavailable("away")


@dataclass
class Traffic:
    """What passed the gates, as moments and numbers of requests."""

    clock: VirtualClock
    sent: list[tuple[float, int]] = field(default_factory=list)

    async def sweep(self, gate: SharedGate, *, until: float, batch: int, seconds: float) -> None:
        """Send batches, as full as they may be, each of which Graph takes so long to answer."""
        with background():
            while self.clock.seconds < until:
                requests = await gate.take(batch)
                self.sent.append((self.clock.seconds, requests))
                await self.clock.sleep(seconds)

    async def check(self, gate: SharedGate, *, at: float, requests: int = 7) -> float:
        """Make some requests in a row; how many seconds it took."""
        await self.clock.sleep(at)
        for _ in range(requests):
            await gate.enter()
            self.sent.append((self.clock.seconds, 1))
            await self.clock.sleep(0.1)
        return self.clock.seconds - at

    def within(self, start: float, end: float) -> int:
        return sum(count for moment, count in self.sent if start < moment <= end)

    def most(self, seconds: float = 10) -> int:
        return max(self.within(end - seconds, end) for end, _ in self.sent)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def table(clock: VirtualClock) -> CountingTable:
    return CountingTable(clock)


def gates(table: Table, clock: VirtualClock, ceiling: int, count: int = 4) -> list[SharedGate]:
    return [SharedGate(table, clock, ceiling) for _ in range(count)]


@pytest.mark.parametrize(
    ("ceiling", "instances", "end"),
    [(100, 1, 80.0), (100, 4, 80.0), (100, 10, 80.0), (1000, 4, 80.0)],
)
async def test_a_sweep_uses_the_rate_and_never_more(
    clock: VirtualClock, table: CountingTable, ceiling: int, instances: int, end: float
) -> None:
    """Over time 95 % of the rate is used, no window has more, and storage is asked rarely."""
    traffic = Traffic(clock)
    working = [
        traffic.sweep(gate, until=end, batch=gate.most_at_once, seconds=0.3)
        for gate in gates(table, clock, ceiling, instances)
        for _ in range(2)
    ]
    await clock.run_well(*working)
    assert traffic.most() <= ceiling
    assert traffic.within(20, end) >= 0.95 * ceiling * (end - 20) / 10
    assert table.calls / clock.seconds / instances <= 1.2


async def test_a_check_in_the_middle_of_a_sweep_goes_first(
    clock: VirtualClock, table: CountingTable
) -> None:
    """While four instances use the whole rate, a check's requests are made in five seconds."""
    traffic = Traffic(clock)
    all_gates = gates(table, clock, 100)
    sweeps = [
        traffic.sweep(gate, until=75.0, batch=gate.most_at_once, seconds=0.3)
        for gate in all_gates
        for _ in range(4)
    ]
    took = (await clock.run_well(traffic.check(all_gates[0], at=30.0), *sweeps))[0]
    assert took <= 5
    assert traffic.most() <= 100
    minutes = [traffic.within(start, start + 60) for start in range(10, 25)]
    assert max(minutes) >= 0.95 * 600


async def test_a_slow_sweep_does_not_hoard_turns(clock: VirtualClock, table: CountingTable) -> None:
    """One that waits for each answer takes what it uses, and others find the rest."""
    traffic, slow = Traffic(clock), Traffic(clock)
    first, second = gates(table, clock, 1000, 2)
    await clock.run_well(
        slow.sweep(first, until=30.0, batch=20, seconds=2.0),
        *(traffic.sweep(second, until=30.0, batch=20, seconds=0.5) for _ in range(8)),
    )
    assert slow.within(0, 30) >= 140
    assert traffic.within(10, 30) + slow.within(10, 30) >= 0.9 * 2 * 1000


async def test_checks_that_find_nobody_wait_for_nothing(
    clock: VirtualClock, table: CountingTable
) -> None:
    """An idle tenant's first checks start at once."""
    traffic = Traffic(clock)
    all_gates = gates(table, clock, 100)
    took = await clock.run_well(*(traffic.check(gate, at=1.0) for gate in all_gates))
    assert max(took) <= 1.5


async def test_a_check_uses_turns_that_its_process_took_for_the_sweep(
    clock: VirtualClock, table: CountingTable
) -> None:
    """A process spends what it has by urgency, before it queues for more."""
    traffic = Traffic(clock)
    (gate,) = gates(table, clock, 100, 1)
    sweep = traffic.sweep(gate, until=3.0, batch=20, seconds=0)
    took, _ = await clock.run_well(traffic.check(gate, at=1.7, requests=1), sweep)
    assert took <= 0.8
    assert traffic.most() <= 100


def four_sweeps(
    gate: SharedGate, traffic: Traffic, *, until: float
) -> list[Coroutine[Any, Any, None]]:
    """Enough to use up the rate in one process."""
    return [traffic.sweep(gate, until=until, batch=20, seconds=0.3) for _ in range(4)]


async def test_a_sweep_leaves_the_turns_of_a_check_to_it(
    clock: VirtualClock, table: CountingTable
) -> None:
    """Once a check has got its turns, its next request waits for nothing."""
    traffic = Traffic(clock)
    (gate,) = gates(table, clock, 1000, 1)
    sweeps = four_sweeps(gate, traffic, until=14.0)

    async def check() -> float:
        await clock.sleep(10.0)
        await gate.enter()
        await clock.sleep(0.5)
        asked_at = clock.seconds
        await gate.enter()
        return clock.seconds - asked_at

    waited, *_ = await clock.run_well(check(), *sweeps)
    assert waited == 0


async def test_a_check_that_reads_a_long_list_takes_more_turns_each_time(
    clock: VirtualClock, table: CountingTable
) -> None:
    """A hundred pages beside a sweep need few places in its line."""
    traffic = Traffic(clock)
    (gate,) = gates(table, clock, 1000, 1)
    sweeps = four_sweeps(gate, traffic, until=20.0)
    waits: list[float] = []

    async def check() -> None:
        await clock.sleep(10.0)
        for _ in range(100):
            asked_at = clock.seconds
            await gate.enter()
            waits.append(clock.seconds - asked_at)
            await clock.sleep(0.01)

    await clock.run_well(check(), *sweeps)
    assert sum(wait > 0.1 for wait in waits) <= 3


async def test_a_long_silence_is_handed_back_and_a_short_one_kept(
    clock: VirtualClock, table: CountingTable
) -> None:
    """What Retry-After says holds for all instances; over ten seconds the caller is told."""
    first, second, third = gates(table, clock, 100, 3)
    await clock.run_well(first.slow_down(8.0))
    started = clock.seconds
    with metered() as meter:
        await clock.run_well(second.enter())
    assert clock.seconds - started >= 7.9
    assert 7.9 <= meter.throttled_seconds <= 8.1
    await clock.run_well(first.slow_down(60.0))
    (error,) = await clock.run(third.enter())
    assert isinstance(error, Throttled)
    assert error.retry_after is not None
    assert 59 <= error.retry_after <= 60


async def test_turns_that_were_taken_before_a_429_are_not_used(
    clock: VirtualClock, table: CountingTable
) -> None:
    """The rest of an interactive reservation waits for the end of the silence, too."""
    (gate,) = gates(table, clock, 100, 1)
    await clock.run_well(gate.enter())
    await clock.run_well(gate.slow_down(5.0))
    started = clock.seconds
    await clock.run_well(gate.enter())
    assert clock.seconds - started >= 4.9


async def test_without_storage_nothing_is_sent_and_the_caller_is_told(
    clock: VirtualClock, table: CountingTable
) -> None:
    """Nobody knows what the others send: Unavailable, so that the work comes back later."""
    (gate,) = gates(table, clock, 100, 1)
    table.is_away = True
    (error,) = await clock.run(gate.enter())
    assert isinstance(error, Unavailable)
    table.is_away = False
    assert await clock.run(gate.enter()) == [None]


async def test_without_storage_a_429_is_kept_in_mind(
    clock: VirtualClock, table: CountingTable, caplog: pytest.LogCaptureFixture
) -> None:
    """The process that was throttled keeps silent, and says that the others do not know."""
    (gate,) = gates(table, clock, 100, 1)
    table.is_away = True
    await clock.run_well(gate.slow_down(30.0))
    table.is_away = False
    (error,) = await clock.run(gate.enter())
    assert isinstance(error, Throttled)
    assert [record.__dict__["action"] for record in caplog.records] == ["throttle_not_shared"]


class LosingTable(CountingTable):
    """One on which another instance is always faster."""

    async def replace(self, row: Row) -> bool:
        return await super().replace(replace(row, etag="older"))


async def test_a_429_that_others_do_not_learn_of_is_said(
    clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Where every write is lost to another instance, the log says so as for a storage fault."""
    losing = LosingTable(clock)
    (gate,) = gates(losing, clock, 100, 1)
    await clock.run_well(gate.enter(), gate.slow_down(1.0))
    assert "throttle_not_shared" in [record.__dict__["action"] for record in caplog.records]


async def test_a_silence_noted_by_a_wrong_clock_is_not_kept_in_mind(
    clock: VirtualClock, table: CountingTable
) -> None:
    """A clock that was two hours ahead during a 429 silences its process no longer than others."""
    first, second = gates(table, clock, 100, 2)
    clock.seconds += 7200
    await clock.run_well(first.enter())
    await clock.run_well(first.slow_down(5.0))
    clock.seconds -= 7200
    started = clock.seconds
    await clock.run_well(first.enter(), second.enter())
    assert clock.seconds - started <= 5


async def test_turns_planned_by_a_wrong_clock_hold_nobody_up(
    clock: VirtualClock, table: CountingTable
) -> None:
    """Turns that lie hours ahead, since the clock was set right, are not waited for."""
    (gate,) = gates(table, clock, 100, 1)
    clock.seconds += 7200
    await clock.run_well(gate.enter())
    clock.seconds -= 7200
    started = clock.seconds
    await clock.run_well(gate.enter())
    assert clock.seconds - started <= 5


@pytest.mark.parametrize("text", ["", "{}", '{"rate":"x"}', '{"rate":0,"ceiling":0}', "null"])
async def test_a_row_that_cannot_be_read_is_written_anew(
    clock: VirtualClock, table: CountingTable, text: str
) -> None:
    """Whatever lies in the schedule's row, work goes on under the ceiling."""
    traffic = Traffic(clock)
    row = Row(partition=PARTITION, key=KEY, values={"schedule": text})
    (gate,) = gates(table, clock, 100, 1)
    await clock.run_well(table.insert(row), traffic.check(gate, at=0))
    assert len(traffic.sent) == 7


async def test_a_cancelled_wait_blocks_nobody(clock: VirtualClock, table: CountingTable) -> None:
    """Who gives up waiting leaves the gate to the next."""
    (gate,) = gates(table, clock, 1, 1)
    await clock.run_well(gate.enter())
    impatient = asyncio.ensure_future(gate.enter())
    await clock.run(clock.sleep(0.1))
    impatient.cancel()
    outcomes = await clock.run(gate.enter(), gate.enter())
    assert outcomes == [None, None]


@pytest.mark.parametrize(("ceiling", "most"), [(1, 1), (7, 1), (50, 10), (100, 20), (9999, 20)])
async def test_a_batch_is_a_fifth_of_the_rate_at_most(
    clock: VirtualClock, table: CountingTable, ceiling: int, most: int
) -> None:
    """Five batches or more make up ten seconds, and Graph takes twenty requests in one."""
    (gate,) = gates(table, clock, ceiling, 1)
    assert gate.most_at_once == most


@pytest.fixture(params=["memory", "azurite"])
async def any_table(request: pytest.FixtureRequest) -> AsyncIterator[Table]:
    if request.param == "memory":
        yield MemoryTable()
        return
    connection = request.getfixturevalue("azurite")
    azure = AzureStorage(StorageSettings(connection_string=connection), no_identity)
    yield azure.table(f"t{uuid4().hex}")
    await azure.close()


async def test_instances_share_the_rate_through_any_table(any_table: Table) -> None:
    """Twenty instances at once each pass, and the row tells of every request."""
    all_gates: Sequence[SharedGate] = [
        SharedGate(any_table, SystemClock(), 1000) for _ in range(20)
    ]
    await asyncio.gather(*(gate.enter() for gate in all_gates))
    row = await any_table.get(PARTITION, KEY)
    assert row is not None
    schedule = msgspec.json.decode(str(row.values["schedule"]), type=Schedule)
    assert sum(lease.requests for lease in schedule.leases) == 20 * 20


async def test_the_open_gate_keeps_the_silence_graph_asks_for() -> None:
    """It knows no limit, yet a 429 is waited for, or handed back where that takes long."""
    clock = ManualClock()
    gate = OpenGate(clock)
    await gate.enter(1000)
    await gate.slow_down(4)
    await gate.enter()
    assert clock.slept == [4]
    await gate.slow_down(11)
    with pytest.raises(Throttled):
        await gate.enter()
    clock.advance(-7200)  # it was two hours ahead
    await gate.enter()
