"""The limit on requests to Graph that all instances share, as a port, and who goes first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum
from typing import Protocol


class Priority(Enum):
    HIGH = "high"  # a check: a person waits for the answer
    LOW = "low"  # a sweep's work that has begun: what it has read would be lost
    NEW = "new"  # a sweep's work of which nothing is done yet: it may as well come back later


# Seconds. A sweep part that has started waits until shortly before the host's function timeout.
MAX_WAIT = {Priority.HIGH: 60.0, Priority.LOW: 900.0, Priority.NEW: 15.0}
MAX_SILENCE_IN_PLACE = 10.0

# In a list, so that the tasks of one piece of work see that it has begun.
_priority: ContextVar[list[Priority] | None] = ContextVar("priority", default=None)


class RateLimiter(Protocol):
    @property
    def max_batch(self) -> int:
        """How many requests to put into one `$batch`, at most."""
        ...

    async def acquire(self, requests: int = 1) -> None:
        """Wait until these requests may be sent, all of them now.

        Raises:
            ThrottledLocally: Graph asked for a longer silence than is waited in place.
            ConcurrencyLimited: too many others wait.
            Unavailable: the shared rate cannot be read or written.
        """
        ...

    async def slow_down(self, retry_after: float | None) -> None:
        """Take a 429 into account; `retry_after` in seconds, None if Graph did not say."""
        ...


@contextmanager
def low_priority(*, is_new: bool = False) -> Iterator[None]:
    """Let checks go before the work in this block.

    With `is_new` its first request raises `ConcurrencyLimited` if the line is long.
    """
    token = _priority.set([Priority.NEW if is_new else Priority.LOW])
    try:
        yield
    finally:
        _priority.reset(token)


def take_priority() -> Priority:
    """Return the priority of the next request. New work has begun with its first one."""
    held = _priority.get()
    if held is None:
        return Priority.HIGH
    priority, held[0] = held[0], Priority.LOW
    return priority
