"""Instances that share one rate, in virtual time: what they send, and who waits how long."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, cycle

from entra_sod.adapters.rate_limit.limiters import SharedRateLimiter
from entra_sod.core.errors import ConcurrencyLimited, StorageUnavailable
from entra_sod.ports.rate_limit import low_priority
from entra_sod.ports.storage import Row, Table
from local.memory.storage import MemoryTable
from tests.adapters.rate_limit.virtual import VirtualClock

type Write = Callable[[Row], Awaitable[bool]]

PARTS_AT_ONCE = 2  # of one instance
SECONDS_OF_ANSWER = 0.5
SECONDS_OF_POLL = 2.0
SECONDS_OF_STORAGE = 0.015


class CountingTable(MemoryTable):
    """Counts its calls, answers not at once, and may be away."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self._clock, self.is_away = clock, False
        self.reads = self.writes = self.conflicts = 0

    async def get(self, partition: str, key: str) -> Row | None:
        self.reads += 1
        await self._called()
        return await super().get(partition, key)

    async def insert(self, row: Row) -> bool:
        return self._counted(written=await self._after_a_while(row, super().insert))

    async def replace(self, row: Row) -> bool:
        return self._counted(written=await self._after_a_while(row, super().replace))

    async def _after_a_while(self, row: Row, write: Write) -> bool:
        await self._called()
        return await write(row)

    def _counted(self, *, written: bool) -> bool:
        self.writes += 1
        self.conflicts += not written
        return written

    async def _called(self) -> None:
        await self._clock.sleep(SECONDS_OF_STORAGE)
        if self.is_away:
            raise StorageUnavailable("away")


@dataclass
class Traffic:
    """What was sent, as moments and numbers of requests."""

    clock: VirtualClock
    sent: list[tuple[float, int]] = field(default_factory=list)

    async def send(self, limiter: SharedRateLimiter, requests: int) -> float:
        """Send so many together; how long that waited for its turn."""
        asked_at = self.clock.seconds
        await limiter.acquire(requests)
        self.sent.append((self.clock.seconds, requests))
        return self.clock.seconds - asked_at

    async def sweep(self, limiter: SharedRateLimiter, *, until: float, seconds: float) -> None:
        """Send batches, each of which Graph takes so long to answer."""
        with low_priority():
            while self.clock.seconds < until:
                await self.send(limiter, limiter.max_batch)
                await self.clock.sleep(seconds)

    async def check(self, limiter: SharedRateLimiter, *, at: float, requests: int = 7) -> float:
        """Make some requests in a row; how many seconds it took."""
        await self.clock.sleep(at - self.clock.seconds)
        for _ in range(requests):
            await self.send(limiter, 1)
            await self.clock.sleep(0.1)
        return self.clock.seconds - at

    def within(self, start: float, end: float) -> int:
        return sum(count for moment, count in self.sent if start < moment <= end)

    def most(self, seconds: float = 10) -> int:
        """In any window of so many seconds."""
        moments = [moment for moment, _ in self.sent]
        until = list(accumulate((count for _, count in self.sent), initial=0))
        begins, most = 0, 0
        for number, moment in enumerate(moments):
            while moments[begins] <= moment - seconds:
                begins += 1
            most = max(most, until[number + 1] - until[begins])
        return most


@dataclass
class Sweep:
    """A queue of parts, and what becomes of them.

    Attributes:
        waiting: when each is seen on the queue, and how many requests it takes.
        left: how many are not done.
        took: seconds that those done took.
        wasted: requests of tries that came to nothing.
        refused: how often a part did not begin.
    """

    traffic: Traffic
    waiting: list[tuple[float, int]]
    left: int
    took: list[float] = field(default_factory=list)
    wasted: int = 0
    refused: int = 0

    @property
    def clock(self) -> VirtualClock:
        return self.traffic.clock

    async def work(self, limiter: SharedRateLimiter) -> None:
        """One worker of an instance: takes parts off the queue until all are done."""
        while self.left:
            if self.waiting and min(self.waiting)[0] <= self.clock.seconds:
                await self._try(limiter)
            else:
                await self.clock.sleep(SECONDS_OF_POLL)

    async def _try(self, limiter: SharedRateLimiter) -> None:
        message = min(self.waiting)
        self.waiting.remove(message)
        sent: list[int] = []
        try:
            await self._part(limiter, message[1], sent)
            self.left -= 1
        except ConcurrencyLimited as error:
            self.wasted += sum(sent)
            self.refused += 1
            back_at = self.clock.seconds + (error.retry_after or 0)
            self.waiting.append((back_at, message[1]))

    async def _part(self, limiter: SharedRateLimiter, size: int, sent: list[int]) -> None:
        began = self.clock.seconds
        with low_priority(is_new=True):
            while (rest := size - sum(sent)) > 0:
                requests = min(limiter.max_batch, rest)
                await self.traffic.send(limiter, requests)
                sent.append(requests)
                await self.clock.sleep(SECONDS_OF_ANSWER)
        self.took.append(self.clock.seconds - began)

    async def checks(self, limiters: Sequence[SharedRateLimiter], *, every: float) -> list[float]:
        """One check after another, on one instance after the other; how long each took."""
        took: list[float] = []
        for number, limiter in enumerate(cycle(limiters)):
            await self.clock.sleep((number + 1) * every - self.clock.seconds)
            if not self.left:
                break
            took.append(await self.traffic.check(limiter, at=self.clock.seconds))
        return took


def limiters(
    table: Table, clock: VirtualClock, ceiling: int, count: int = 4
) -> list[SharedRateLimiter]:
    return [SharedRateLimiter(table, clock, ceiling) for _ in range(count)]
