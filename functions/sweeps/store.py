"""Where a sweep's life is kept: one row for the whole, one for each part, blobs for what was found.

A part is done once its row says so; the sweep is closed once, by whoever sees all parts done.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import uuid4

from functions.clock import Clock
from functions.storage.ports import Row, Storage, Value

TABLE, CONTAINER = "sweeps", "sweeps"
_WHOLE, _PART = "sweep", "part-"
_LATEST = Row(partition="latest", key=_WHOLE)


class SweepStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    COMPLETED_WITH_GAPS = "completed-with-gaps"
    FAILED = "failed"

    @property
    def has_ended(self) -> bool:
        return self not in (SweepStatus.QUEUED, SweepStatus.RUNNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRecord:
    id: str
    status: SweepStatus
    parts: int
    started_at: datetime
    rules_hash: str
    scope_hash: str
    row: Row


class SweepStore:
    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._table, self._blobs, self._clock = storage.table(TABLE), storage.blobs, clock

    async def create(self, sweep_id: str, *, parts: int, rules_hash: str, scope_hash: str) -> None:
        """Make a sweep's row and point `latest` at it; a sweep that exists stays as it is."""
        values: dict[str, Value] = {
            "status": str(SweepStatus.QUEUED),
            "parts": parts,
            "startedAt": self._clock.now().isoformat(),
            "rulesHash": rules_hash,
            "scopeHash": scope_hash,
        }
        await self._table.insert(Row(partition=sweep_id, key=_WHOLE, values=values))
        await self._point_latest(sweep_id)

    async def get(self, sweep_id: str) -> SweepRecord | None:
        row = await self._table.get(sweep_id, _WHOLE)
        return _record(row) if row else None

    async def latest(self) -> SweepRecord | None:
        row = await self._table.get(_LATEST.partition, _LATEST.key)
        return await self.get(str(row.values["sweepId"])) if row else None

    async def mark_running(self, sweep_id: str) -> None:
        row = await self._table.get(sweep_id, _WHOLE)
        if row is not None and row.values["status"] == SweepStatus.QUEUED:
            # Losing this race means that another part marked it: as good.
            await self._replace(row, status=str(SweepStatus.RUNNING))

    async def part_is_done(self, sweep_id: str, part: int) -> bool:
        return await self._table.get(sweep_id, _part_key(part)) is not None

    async def end_part(self, sweep_id: str, part: int, findings: bytes) -> None:
        """Keep what a part found; a part that is done keeps what it has."""
        name = f"{sweep_id}/{_part_key(part)}-{uuid4().hex}.json"
        await self._blobs.put(CONTAINER, name, findings)
        values: dict[str, Value] = {"blob": name}
        await self._table.insert(Row(partition=sweep_id, key=_part_key(part), values=values))

    async def note_part(self, sweep_id: str, part: int, why: str) -> None:
        """Keep why a part is not done yet, in place of an earlier note."""
        key, values = _note_key(part), {"why": why[:1000]}
        while not await self._table.insert(Row(partition=sweep_id, key=key, values=values)):
            row = await self._table.get(sweep_id, key)
            if row is not None and await self._replace(row, **values):
                return

    async def part_note(self, sweep_id: str, part: int) -> str:
        row = await self._table.get(sweep_id, _note_key(part))
        return str(row.values["why"]) if row else ""

    async def parts_done(self, sweep_id: str) -> frozenset[int]:
        return frozenset([_number(row) async for row in self._parts(sweep_id)])

    async def findings(self, sweep_id: str) -> AsyncIterator[bytes]:
        """Yield what each part found, in the order of the parts."""
        async for row in self._parts(sweep_id):
            yield await self._blobs.get(CONTAINER, str(row.values["blob"])) or b""

    async def end(self, sweep_id: str, status: SweepStatus, result: bytes) -> None:
        """Close a sweep; one that is closed keeps the result it has."""
        name = f"{sweep_id}/result-{uuid4().hex}.json"
        await self._blobs.put(CONTAINER, name, result)
        while True:
            row = await self._table.get(sweep_id, _WHOLE)
            if row is None or _record(row).status.has_ended:
                return
            if await self._replace(row, status=str(status), resultBlob=name):
                return

    async def result(self, record: SweepRecord) -> bytes | None:
        name = record.row.values.get("resultBlob")
        return await self._blobs.get(CONTAINER, str(name)) if name else None

    async def _parts(self, sweep_id: str) -> AsyncIterator[Row]:
        async for row in self._table.rows(sweep_id):
            if row.key.startswith(_PART):
                yield row

    async def _point_latest(self, sweep_id: str) -> None:
        values: dict[str, Value] = {"sweepId": sweep_id}
        new = Row(partition=_LATEST.partition, key=_LATEST.key, values=values)
        while not await self._table.insert(new):
            row = await self._table.get(_LATEST.partition, _LATEST.key)
            if row is not None and await self._replace(row, sweepId=sweep_id):
                return

    async def _replace(self, row: Row, **values: Value) -> bool:
        changed = {**row.values, **values}
        return await self._table.replace(
            Row(partition=row.partition, key=row.key, values=changed, etag=row.etag)
        )


def _part_key(part: int) -> str:
    return f"{_PART}{part:06}"


def _note_key(part: int) -> str:
    return f"note-{part:06}"


def _number(row: Row) -> int:
    return int(row.key.removeprefix(_PART))


def _record(row: Row) -> SweepRecord:
    return SweepRecord(
        id=row.partition,
        status=SweepStatus(str(row.values["status"])),
        parts=int(str(row.values["parts"])),
        started_at=datetime.fromisoformat(str(row.values["startedAt"])),
        rules_hash=str(row.values["rulesHash"]),
        scope_hash=str(row.values["scopeHash"]),
        row=row,
    )
