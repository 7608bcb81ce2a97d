"""The gate that every request to Graph passes, as a port, and who may pass it first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from contextvars import ContextVar
from enum import Enum
from typing import Protocol


class Urgency(Enum):
    INTERACTIVE = "interactive"
    BACKGROUND = "background"


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
