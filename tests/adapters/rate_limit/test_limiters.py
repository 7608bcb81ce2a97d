"""The shared row: silence, faults of storage, wrong clocks and unreadable rows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import uuid4

import msgspec
import pytest

from entra_sod.adapters.rate_limit.gcra import RateState, fresh
from entra_sod.adapters.rate_limit.limiters import (
    COLUMN,
    KEY,
    PARTITION,
    LocalRateLimiter,
    SharedRateLimiter,
)
from entra_sod.adapters.storage.azure import AzureStorage
from entra_sod.core.clock import SystemClock
from entra_sod.core.errors import Throttled, ThrottledLocally, Unavailable
from entra_sod.core.request_meter import metered
from entra_sod.ports.rate_limit import low_priority
from entra_sod.ports.storage import Row, Table
from entra_sod.settings import StorageSettings
from local.memory.clock import ManualClock
from local.memory.storage import MemoryTable
from tests.adapters.rate_limit.crowd import CountingTable, Traffic, limiters
from tests.adapters.rate_limit.virtual import VirtualClock
from tests.adapters.storage.test_storage_contract import no_identity


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def table(clock: VirtualClock) -> CountingTable:
    return CountingTable(clock)


def actions(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.__dict__["action"] for record in caplog.records]


async def test_a_429_silences_everybody(clock: VirtualClock, table: CountingTable) -> None:
    """No instance sends while it lasts, not even those that had their turns before."""
    traffic, crowd = Traffic(clock), limiters(table, clock, 100)

    async def refused() -> None:
        await clock.sleep(21.0)
        await crowd[0].slow_down(8.0)

    sweeps = [
        traffic.sweep(limiter, until=60.0, seconds=0.3) for limiter in crowd for _ in range(2)
    ]
    await clock.run_well(refused(), traffic.check(crowd[1], at=22.0), *sweeps)
    assert traffic.within(21.1, 29.0) == 0
    assert traffic.within(29.0, 31.0) > 0
    assert traffic.most() <= 100


async def test_after_a_silence_no_worker_sends_all_at_once(
    clock: VirtualClock, table: CountingTable
) -> None:
    """Those who had turns go on one after the other, as they would have done."""
    traffic, crowd = Traffic(clock), limiters(table, clock, 100, 8)

    async def refused() -> None:
        await clock.sleep(10.5)
        await crowd[0].slow_down(9.0)

    sweeps = [traffic.sweep(limiter, until=40.0, seconds=0.3) for limiter in crowd]
    await clock.run_well(refused(), *sweeps)
    assert max(traffic.within(start / 10, start / 10 + 2) for start in range(190, 300)) <= 20


async def test_a_long_silence_is_handed_back_and_a_short_one_kept(
    clock: VirtualClock, table: CountingTable
) -> None:
    """What Retry-After says holds for all instances; over ten seconds the caller is told."""
    first, second, third = limiters(table, clock, 100, 3)
    await clock.run_well(first.slow_down(8.0))
    started = clock.seconds
    with metered() as meter:
        await clock.run_well(second.acquire())
    assert clock.seconds - started >= 7.9
    assert 7.9 <= meter.throttled_seconds <= 8.1
    await clock.run_well(first.slow_down(60.0))
    (error,) = await clock.run(third.acquire())
    assert isinstance(error, ThrottledLocally)
    assert error.retry_after is not None
    assert 59 <= error.retry_after <= 60


async def test_without_storage_nothing_is_sent_and_the_caller_is_told(
    clock: VirtualClock, table: CountingTable
) -> None:
    """The other hosts' requests are unknown: Unavailable, so that the message is tried later."""
    (limiter,) = limiters(table, clock, 100, 1)
    table.is_away = True
    (error,) = await clock.run(limiter.acquire())
    assert isinstance(error, Unavailable)
    table.is_away = False
    assert await clock.run(limiter.acquire()) == [None]


async def test_who_has_a_turn_sends_though_storage_went_away(
    clock: VirtualClock, table: CountingTable
) -> None:
    """Nothing that has begun is lost to that."""
    (limiter,) = limiters(table, clock, 100, 1)

    async def part() -> None:
        with low_priority():
            await limiter.acquire(20)
            await limiter.acquire(20)

    async def goes_away() -> None:
        await clock.sleep(1.0)
        table.is_away = True

    assert await clock.run(part(), goes_away()) == [None, None]
    assert clock.seconds >= 2.0


async def test_without_storage_a_429_is_kept_in_mind_and_told_later(
    clock: VirtualClock, table: CountingTable, caplog: pytest.LogCaptureFixture
) -> None:
    """The process that was throttled keeps silent, and others learn of it with its next turn."""
    first, second = limiters(table, clock, 100, 2)
    table.is_away = True
    await clock.run_well(first.slow_down(9.0))
    table.is_away = False
    assert actions(caplog) == ["throttled", "throttle_not_shared"]
    await clock.run(first.acquire(), second.acquire())
    assert clock.seconds >= 8.99
    await clock.run_well(first.slow_down(30.0))
    assert isinstance((await clock.run(second.acquire()))[0], Throttled)


class LosingTable(CountingTable):
    """One on which another instance is always faster."""

    async def replace(self, row: Row) -> bool:
        return await super().replace(replace(row, etag="older"))


async def test_a_429_that_others_do_not_learn_of_is_said(
    clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Where every write is lost to another instance, the log says so as for a storage fault."""
    (limiter,) = limiters(LosingTable(clock), clock, 100, 1)
    await clock.run_well(limiter.acquire(), limiter.slow_down(1.0))
    assert "throttle_not_shared" in actions(caplog)
    assert isinstance((await clock.run(limiter.acquire()))[0], Unavailable)


async def test_a_storm_is_told_once(
    clock: VirtualClock, table: CountingTable, caplog: pytest.LogCaptureFixture
) -> None:
    """However many 429s a window brings, the rate is cut and logged once."""
    (limiter,) = limiters(table, clock, 100, 1)
    await clock.run_well(*(limiter.slow_down(1.0) for _ in range(5)))
    assert actions(caplog) == ["throttled"]


@pytest.mark.parametrize("hours", [-2, 2])
async def test_a_clock_that_was_wrong_holds_no_worker_up(
    clock: VirtualClock, table: CountingTable, hours: int
) -> None:
    """Turns and silence that it has noted, in the row and in its process, last no longer."""
    first, second = limiters(table, clock, 100, 2)
    clock.seconds += hours * 3600
    await clock.run_well(first.acquire(20))
    await clock.run_well(first.slow_down(5.0))
    clock.seconds -= hours * 3600
    started = clock.seconds
    await clock.run_well(first.acquire(), second.acquire())
    assert clock.seconds - started <= 5.1


def row_of(text: str | int) -> Row:
    return Row(partition=PARTITION, key=KEY, values={COLUMN: text})


def encoded(seconds_ahead: float, **changes: object) -> str:
    now = VirtualClock().now().timestamp() + seconds_ahead
    state = msgspec.to_builtins(fresh(100, now)) | changes
    return msgspec.json.encode(state).decode()


ROWS = {
    "empty": "",
    "no object": "null",
    "no state": "{}",
    "no number": '{"rate":"x"}',
    "rate 0": encoded(0, rate=0),
    "another version": encoded(0, version=1),
    "from the future": encoded(3600),
    "line of a year": encoded(0, queue=[(4e9, 1)]),
    "request of nothing": encoded(0, log=[(1, 0)]),
    "silence of a year": encoded(0, silent_until=4e9),
    "not a number": '{"at":NaN}',
    "no text": 7,
}


@pytest.mark.parametrize("text", ROWS.values(), ids=ROWS)
async def test_a_row_that_cannot_be_believed_is_written_anew_and_logged_once(
    clock: VirtualClock,
    table: CountingTable,
    caplog: pytest.LogCaptureFixture,
    text: str | int,
) -> None:
    """Damaged, from the future or of another version: work goes on under the ceiling."""
    (limiter,) = limiters(table, clock, 100, 1)
    await clock.run_well(table.insert(row_of(text)), Traffic(clock).check(limiter, at=1.0))
    state = await state_in(table, clock)
    assert state.version == 2
    row = await clock.run_well(table.get(PARTITION, KEY))
    await clock.run_well(table.replace(replace(row[0], values={COLUMN: text})))
    await clock.run_well(limiter.acquire())
    assert actions(caplog) == ["rate_written_anew"]


async def test_a_row_without_its_column_is_written_anew(
    clock: VirtualClock, table: CountingTable
) -> None:
    """The app treats it as any other unreadable row."""
    (limiter,) = limiters(table, clock, 100, 1)
    empty = Row(partition=PARTITION, key=KEY, values={"other": 1})
    await clock.run_well(table.insert(empty), limiter.acquire())
    assert (await state_in(table, clock)).rate == 100


async def state_in(table: Table, clock: VirtualClock) -> RateState:
    (row,) = await clock.run_well(table.get(PARTITION, KEY))
    return msgspec.json.decode(str(row.values[COLUMN]), type=RateState)


async def test_a_cancelled_wait_blocks_no_caller(clock: VirtualClock, table: CountingTable) -> None:
    """Who gives up waiting leaves the line to the next."""
    (limiter,) = limiters(table, clock, 1, 1)
    await clock.run_well(limiter.acquire())
    impatient = asyncio.ensure_future(limiter.acquire())
    await clock.run(clock.sleep(0.005))
    impatient.cancel()
    assert await clock.run(limiter.acquire(), limiter.acquire()) == [None, None]


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
    """Of twenty that come at once each passes, and the row has every request."""
    crowd = [SharedRateLimiter(any_table, SystemClock(), 1000) for _ in range(20)]
    before = SystemClock().now().timestamp()
    await asyncio.gather(*(limiter.acquire(10) for limiter in crowd))
    row = await any_table.get(PARTITION, KEY)
    assert row is not None
    state = msgspec.json.decode(str(row.values[COLUMN]), type=RateState)
    assert sum(requests for start, requests in state.log if start >= before) == 200


async def test_the_local_limiter_keeps_the_silence_graph_asks_for() -> None:
    """It knows no limit, yet a 429 is waited for, or handed back where that takes long."""
    clock = ManualClock()
    limiter = LocalRateLimiter(clock)
    assert limiter.max_batch == 20
    await limiter.acquire(1000)
    await limiter.slow_down(4)
    await limiter.acquire()
    assert clock.slept == [4]
    await limiter.slow_down(11)
    with pytest.raises(Throttled):
        await limiter.acquire()
    clock.advance(-7200)  # it was two hours ahead
    await limiter.acquire()
