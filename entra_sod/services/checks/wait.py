"""Waiting a little for a check, for callers who would rather hold the line than poll."""

from __future__ import annotations

from entra_sod.core.clock import Clock
from entra_sod.stores.checks import CheckRecord, CheckStore

LONGEST_WAIT_SECONDS = 20
_LOOK_EVERY_SECONDS = 0.5


async def wait_for_end(
    store: CheckStore, clock: Clock, check_id: str, seconds: float
) -> CheckRecord | None:
    """Return a check once it has ended; None where it has not within so many seconds.

    With 0 seconds nothing is looked at.
    """
    start = clock.now()
    while (clock.now() - start).total_seconds() < seconds:
        record = await store.get(check_id)
        if record is not None and record.status.has_ended:
            return record
        await clock.sleep(_LOOK_EVERY_SECONDS)
    return None
