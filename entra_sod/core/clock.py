"""Time as a port, so that nothing in the app waits or dates by itself in a test."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """Return the present moment, in UTC."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        # A command that only reads the date does not wait for an event loop to load.
        import asyncio

        await asyncio.sleep(seconds)


# How far the clocks of two instances may be apart before one of them is called wrong.
MAX_CLOCK_SKEW = timedelta(seconds=60)


def is_leased(until: datetime, now: datetime, lease: timedelta) -> bool:
    """Whether a lease of this length still runs.

    What ends later than a lease can was written by a clock that is wrong. Its holder may be dead,
    and no instance would get in for as long as that clock is ahead.
    """
    return timedelta(0) < until - now <= lease + MAX_CLOCK_SKEW


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC, to the second: `2026-11-22T02:00:00Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
