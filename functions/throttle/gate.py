"""The gate that every request to Graph passes, and who may pass it first."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Protocol

from functions.clock import Clock, SystemClock
from functions.errors import Silenced
from functions.graph.meter import count_block
from functions.throttle.schedule import Block, Urgency, fresh, slow_down

LONGEST_BLOCK_IN_PLACE = 10.0
MOST_IN_BATCH = 20  # the most that Graph takes in one $batch

_urgency: ContextVar[Urgency] = ContextVar("urgency", default=Urgency.INTERACTIVE)


class Gate(Protocol):
    @property
    def most_at_once(self) -> int:
        """How many requests to put into one `$batch`."""
        ...

    async def enter(self, requests: int = 1) -> None:
        """Wait until so many requests may be sent.

        Raises:
            Silenced: Graph asked for a longer silence than is waited in place.
            Crowded: too many wait.
            Unavailable: nobody can say whether they may be sent.
        """
        ...

    async def take(self, most: int) -> int:
        """Wait until some requests may be sent, and say how many: 1 to `most`, all of them now.

        Raises:
            Silenced, Crowded, Unavailable: as `enter`.
        """
        ...

    def place(self) -> AbstractAsyncContextManager[None]:
        """Keep a place for one part of a sweep, so that what is begun ends soon.

        Raises:
            Crowded: on entering, after a wait in which as many parts were worked on as the rate
                carries.
            Unavailable: nobody can say how many.
        """
        ...

    async def slow_down(self, retry_after: float | None) -> None:
        """Take a 429 into account; `retry_after` in seconds, None where Graph did not say."""
        ...


@contextmanager
def background() -> Iterator[None]:
    """Mark the work in the block as one that lets others go first, such as a sweep's."""
    token = _urgency.set(Urgency.BACKGROUND)
    try:
        yield
    finally:
        _urgency.reset(token)


def current_urgency() -> Urgency:
    return _urgency.get()


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
