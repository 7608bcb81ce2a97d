"""The gate that every request to Graph passes, and who may pass it first."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from entra_sod.adapters.rate_limit.schedule import Block, fresh, slow_down
from entra_sod.core.clock import Clock, SystemClock
from entra_sod.core.errors import Silenced
from entra_sod.core.request_meter import count_block

LONGEST_BLOCK_IN_PLACE = 10.0
MOST_IN_BATCH = 20  # the most that Graph takes in one $batch


class OpenGate:
    """Lets everybody through, and keeps the silence that Graph asks for; for one process alone."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._schedule = fresh(1, 0.0)

    @property
    def most_at_once(self) -> int:
        return MOST_IN_BATCH

    async def enter(self, requests: int = 1) -> None:  # noqa: ARG002 - as many as you like
        await wait_out_block(self._clock, self._schedule.block)

    async def take(self, most: int) -> int:
        await self.enter()
        return most

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        yield

    async def slow_down(self, retry_after: float | None) -> None:
        now = self._clock.now().timestamp()
        self._schedule = slow_down(self._schedule, now, retry_after)


async def wait_out_block(clock: Clock, block: Block) -> None:
    """Sleep until a block is over.

    Raises:
        Silenced: it lasts longer than is waited in place.
    """
    now = clock.now().timestamp()
    left = block.believed_until(now) - now
    if left <= 0:
        return
    if left > LONGEST_BLOCK_IN_PLACE:
        raise Silenced("Graph asked for silence, which is kept", retry_after=left)
    count_block(left)
    await clock.sleep(left)
