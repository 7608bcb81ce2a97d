"""The rate limiters: one that all instances share, and one for a single process.

The shared state is one table row, replaced only in the version that was read. If storage fails, the
limiter gives no turn, and `Unavailable` makes the message come again later.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import msgspec

from entra_sod.adapters.rate_limit import gcra
from entra_sod.adapters.rate_limit.gcra import RateState, Turn
from entra_sod.core.clock import Clock, SystemClock
from entra_sod.core.errors import StorageUnavailable, Unavailable
from entra_sod.core.request_meter import count_block
from entra_sod.ports.rate_limit import Priority, take_priority
from entra_sod.ports.storage import Row, Table

log = logging.getLogger("entra_sod")
PARTITION, KEY, COLUMN = "graph", "rate", "state"
# Seconds. LOOK_AHEAD before a turn the row is read again, unless it was read within MAX_AGE.
MIN_SLEEP, LOOK_AHEAD, MAX_AGE = 0.001, 0.2, 0.5
MAX_ATTEMPTS = 20  # to replace the row: other instances may replace it in between


class LocalRateLimiter:
    """For one process, such as the command line. Has no rate; waits as Graph's 429s require."""

    def __init__(self, clock: Clock | None = None, ceiling: int = 1_000_000) -> None:
        self._clock, self._ceiling = clock or SystemClock(), ceiling
        self._seen = gcra.fresh(ceiling, 0.0)

    @property
    def max_batch(self) -> int:
        return gcra.max_batch(self._ceiling)

    async def acquire(self, requests: int = 1) -> None:  # noqa: ARG002 - it has no rate
        if left := gcra.silence(self._known(), Priority.HIGH):
            count_block(left)
            await self._clock.sleep(left)

    async def slow_down(self, retry_after: float | None) -> None:
        self._seen = gcra.throttled(self._known(), retry_after)

    def _known(self) -> RateState:
        """Return the last state that this process read. A new one if its clock was set back."""
        try:
            return gcra.later(self._seen, self._now(), self._ceiling)
        except ValueError:
            return gcra.fresh(self._ceiling, self._now())

    def _now(self) -> float:
        return self._clock.now().timestamp()


class SharedRateLimiter(LocalRateLimiter):
    """Limits all instances together to one ceiling per 10 s. Their clocks must agree."""

    def __init__(self, table: Table, clock: Clock, ceiling: int) -> None:
        super().__init__(clock, ceiling)
        self._table, self._storage, self._has_told = table, asyncio.Lock(), False

    async def acquire(self, requests: int = 1) -> None:
        priority = take_priority()
        turn = await self._reserve(priority, requests)
        while (left := turn.start - self._now()) > MIN_SLEEP:
            pause = left - LOOK_AHEAD if left > 2 * LOOK_AHEAD else left
            count_block(max(0.0, min(pause, self._seen.silent_until - self._now())))
            await self._clock.sleep(pause)
            if not 0 <= self._now() - self._seen.at <= MAX_AGE:
                with suppress(StorageUnavailable):  # the turn stays valid
                    await self._read()
            gcra.silence(seen := self._known(), priority)
            turn = gcra.moved(turn, seen) or await self._reserve(priority, requests)

    async def _reserve(self, priority: Priority, requests: int) -> Turn:
        reserved = partial(gcra.reserve, priority=priority, requests=requests)
        reserved(self._known())  # fails without storage access if the wait is known to be too long
        try:
            return await self._change(reserved)
        except StorageUnavailable as error:
            raise Unavailable(f"Cannot reserve a request to Graph: {error}") from error

    async def slow_down(self, retry_after: float | None) -> None:
        before = self._known().rate
        await super().slow_down(retry_after)
        if (rate := self._seen.rate) < before:
            extra = {"action": "throttled", "rate": rate, "retry_after": retry_after}
            log.warning("Graph throttles: %.0f requests per 10 s from now on", rate, extra=extra)
        try:
            await self._change(lambda state: (gcra.throttled(state, retry_after), None))
        except StorageUnavailable:
            told = "the other instances do not learn that Graph throttles"
            log.warning(told, extra={"action": "throttle_not_shared"})

    async def _change[T](self, change: Callable[[RateState], tuple[RateState, T]]) -> T:
        """Change the row. Raises StorageUnavailable, also after MAX_ATTEMPTS conflicts."""
        async with self._storage:
            for attempt in range(MAX_ATTEMPTS):
                row = await self._read()
                after, result = change(self._seen)
                write = self._table.replace if row.etag else self._table.insert
                if await write(row.changed(**{COLUMN: msgspec.json.encode(after).decode()})):
                    self._seen = after
                    return result
                jitter = random.random()  # noqa: S311 - not for security
                await self._clock.sleep(jitter * 0.02 * 2 ** min(attempt, 5))
        raise StorageUnavailable("other instances change the shared rate without a pause")

    async def _read(self) -> Row:
        """Read the row and its state. Returns a new row, without a version, if there is none."""
        row = await self._table.get(PARTITION, KEY)
        known = self._known()
        self._seen = self._state_in(row) if row else gcra.fresh(self._ceiling, self._now())
        if (silent := known.silent_until) > self._seen.silent_until:  # not stored yet
            self._seen = gcra.throttled(self._seen, silent - self._seen.at)
        return row or Row(partition=PARTITION, key=KEY)

    def _state_in(self, row: Row) -> RateState:
        try:
            found = msgspec.json.decode(str(row.values[COLUMN]), type=RateState)
            return gcra.later(found, self._now(), self._ceiling)
        except (msgspec.DecodeError, KeyError, ValueError) as error:
            if not self._has_told:
                extra = {"action": "rate_written_anew"}
                log.warning("the shared rate is written anew: %s", error, extra=extra)
            self._has_told = True
            return gcra.fresh(self._ceiling, self._now())
