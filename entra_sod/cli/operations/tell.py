"""What commands announce to subscribers: the app sends it, for no command reads their addresses."""

from __future__ import annotations

from collections.abc import Iterable

from entra_sod.bootstrap.make_records import Records, make_records
from entra_sod.core.clock import Clock
from entra_sod.core.errors import SodError
from entra_sod.domain.enforcement.result import EnforcementResult
from entra_sod.domain.notifications.kept_event import KeptEvent, RunReferences, run_events
from entra_sod.domain.results.check import references_view
from entra_sod.ports.storage import Storage
from entra_sod.services.doctor.results import error_of
from entra_sod.services.enforcement.reference_writer import AppliedPlan


async def tell_applied(
    storage: Storage, clock: Clock, run: str, applied: AppliedPlan
) -> SodError | None:
    """Announce what a command has written and removed; return why it could not."""
    references = references_view(
        EnforcementResult(
            written=tuple(applied.written),
            removed=tuple(applied.removed),
            failed=tuple(applied.failed),
        )
    )
    events = run_events(RunReferences.of(run, references), ())
    return await error_of(tell(make_records(storage, clock), events))


async def tell(records: Records, events: Iterable[KeptEvent]) -> None:
    """Queue events for the app.

    Raises:
        StorageUnavailable: the container `events` or the queue `deliveries` takes nothing from you.
    """
    for event in events:
        await records.announcer.announce_kept(event, traceparent="")
