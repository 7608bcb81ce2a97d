"""One rollback at a time: a row that the one under way renews, and what it means to remove.

A rollback that is killed leaves the row and the list behind. So the next rollback finds what the
killed one has removed, and seals its evidence.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

import msgspec

from entra_sod.cli.made_by import user_and_host
from entra_sod.cli.operations.rollback_plan import RollbackRefused
from entra_sod.core.clock import Clock, is_leased
from entra_sod.core.errors import StorageUnavailable
from entra_sod.domain.entra import Reference
from entra_sod.ports.storage import Row, Storage, Value
from entra_sod.stores.evidence_drafts import CONTAINER
from entra_sod.stores.ledger import LedgerEntry
from entra_sod.stores.write_controls import PARTITION, TABLE

KEY = "rollback"
LEASE = timedelta(seconds=30)
RENEW_SECONDS = 10.0


class PlannedRemoval(msgspec.Struct, frozen=True):
    """A reference that a rollback means to remove, and what the ledger said of it then."""

    reference: Reference
    run_id: str
    at: str

    @classmethod
    def of(cls, entry: LedgerEntry) -> PlannedRemoval:
        return cls(entry.reference, entry.run_id, entry.at)


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackRun:
    """One try of a rollback.

    Attributes:
        scope: as it was asked for.
    """

    id: str
    scope: str
    started_at: datetime


class RollbackLease:
    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._table, self._blobs, self._clock = storage.table(TABLE), storage.blobs, clock
        self._owner = uuid4().hex
        self.is_lost = False

    async def take(self, run: RollbackRun, removals: Iterable[LedgerEntry]) -> None:
        """Take the lease, and keep what the run means to remove.

        Raises:
            RollbackRefused: another rollback has it.
        """
        row = Row(partition=PARTITION, key=KEY, values=self._values(run))
        if not await self._table.insert(row):
            raise RollbackRefused(_under_way(await self._table.get(PARTITION, KEY)))
        planned = msgspec.json.encode([PlannedRemoval.of(each) for each in removals])
        await self._blobs.put(CONTAINER, _blob(run.id), planned)

    async def take_over(self) -> RollbackRun | None:
        """Take the lease of a rollback that died, and return it; None where there is none.

        Raises:
            RollbackRefused: it is alive.
        """
        row = await self._table.get(PARTITION, KEY)
        if row is None:
            return None
        run = _run(row)
        until = datetime.fromisoformat(str(row.values["until"]))
        taken = row.changed(**self._values(run))
        if is_leased(until, self._clock.now(), LEASE) or not await self._table.replace(taken):
            raise RollbackRefused(_under_way(row))
        return run

    async def planned(self, run: RollbackRun) -> Sequence[PlannedRemoval]:
        """What a run meant to remove; nothing where it died before it removed anything."""
        data = await self._blobs.get(CONTAINER, _blob(run.id))
        return msgspec.json.decode(data, type=list[PlannedRemoval]) if data else ()

    @asynccontextmanager
    async def renewed(self) -> AsyncIterator[None]:
        """Renew the lease meanwhile."""
        renewing = asyncio.create_task(self._renew())
        try:
            yield
        finally:
            renewing.cancel()
            with suppress(asyncio.CancelledError):
                await renewing

    async def end(self) -> bool:
        """Let others in; False if another rollback has taken over."""
        row = await self._table.get(PARTITION, KEY)
        if row is None or row.values["owner"] != self._owner:
            return False
        return await self._table.delete(PARTITION, KEY, etag=row.etag)

    async def _renew(self) -> None:
        while not self.is_lost:
            await asyncio.sleep(RENEW_SECONDS)
            with suppress(StorageUnavailable):  # it may answer the next time
                row = await self._table.get(PARTITION, KEY)
                if row is None or row.values["owner"] != self._owner:
                    self.is_lost = True
                else:
                    await self._table.replace(row.changed(until=self._until()))

    def _values(self, run: RollbackRun) -> dict[str, Value]:
        return {
            "run": run.id,
            "scope": run.scope,
            "startedAt": run.started_at.isoformat(),
            "by": user_and_host(),
            "owner": self._owner,
            "until": self._until(),
        }

    def _until(self) -> str:
        return (self._clock.now() + LEASE).isoformat()


def _blob(run_id: str) -> str:
    return f"{run_id}/planned.json"  # goes with the other drafts of the run


def _run(row: Row) -> RollbackRun:
    """Read the row.

    Raises:
        RollbackRefused: it is damaged.
    """
    values = row.values
    try:
        started_at = datetime.fromisoformat(str(values["startedAt"]))
        datetime.fromisoformat(str(values["until"]))
        return RollbackRun(id=str(values["run"]), scope=str(values["scope"]), started_at=started_at)
    except (KeyError, ValueError) as error:
        raise RollbackRefused(
            f"The row {KEY} of the table {TABLE} is damaged ({error!r}), so it is unknown whether "
            "another rollback is under way. Fix: delete the row if none is, and run this again."
        ) from error


def _under_way(row: Row | None) -> str:
    values = row.values if row else {}
    scope, started_at, by = (str(values.get(each)) for each in ("scope", "startedAt", "by"))
    return (
        f"Another rollback ({scope}) is under way since {started_at[:19]} UTC, by {by}, so nothing "
        "was removed. Fix: wait until it has ended. If it was killed, its lease ends within "
        f"{LEASE.seconds} seconds: then run this again."
    )
