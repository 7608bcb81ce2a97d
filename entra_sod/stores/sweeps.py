"""Where a sweep's life is kept: one row for the whole, one for each part, blobs for what was found.

A part is done once its row says so. The worker that sees all parts done
closes the sweep, one at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

import msgspec

from entra_sod.core.clock import Clock
from entra_sod.core.names import cut
from entra_sod.domain.results.status import SweepStatus
from entra_sod.domain.sweeps.parts import SweepPlan
from entra_sod.ports.storage import Row, Storage, Value
from entra_sod.stores.leases import LeaseStore

TABLE, CONTAINER = "sweeps", "sweeps"
CLOSING_LEASE = timedelta(seconds=60)
_WHOLE, _PART, _CLOSING = "sweep", "part-", "closing"
_NOTE, _ATTEMPT_COSTS = "note-", "tried-"
_DIGEST = "digest-"
_LATEST = "latest"
_NEWEST, _INDEXED, _ANNOUNCED = _WHOLE, "index", "announced"

_plans = msgspec.json.Decoder(SweepPlan)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRecord:
    """A sweep's row.

    Attributes:
        parts: how many there are; None until the sweep is planned.
    """

    id: str
    status: SweepStatus
    parts: int | None
    started_at: datetime
    row: Row


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRecord:
    """What a part that is done says of itself: where its findings lie, and counts by name."""

    number: int
    blob: str
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartNote:
    """Why a part is not done yet, and since when; part -1 is the sweep's planning."""

    part: int
    why: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """All that is known of a sweep's parts.

    Attributes:
        done: in order.
        attempt_costs: counts of tries that came to nothing, of parts that are not done.
        notes: of those that are not done.
    """

    done: Sequence[PartRecord]
    attempt_costs: Sequence[Mapping[str, int]]
    notes: Sequence[PartNote]


class SweepStore:
    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._table, self._blobs, self._clock = storage.table(TABLE), storage.blobs, clock
        self.closing = LeaseStore(
            table=self._table,
            clock=clock,
            key=_CLOSING,
            doing="closing sweep",
            length=CLOSING_LEASE,
        )
        self._plan: tuple[str, SweepPlan] | None = None  # the last that was read, and its blob

    async def announce(self, sweep_id: str) -> None:
        """Say which sweep is about to start, before anything of it is there."""
        await self._put(_LATEST, _ANNOUNCED, {"sweepId": sweep_id})

    async def announced(self) -> str | None:
        """The id of the sweep that was started last; it may have no row yet."""
        row = await self._table.get(_LATEST, _ANNOUNCED)
        return str(row.values["sweepId"]) if row else None

    async def create(self, sweep_id: str) -> SweepRecord:
        """Make a sweep's row and point `latest` at it; a sweep that exists stays as it is."""
        values: dict[str, Value] = {
            "status": str(SweepStatus.QUEUED),
            "startedAt": self._clock.now().isoformat(),
        }
        row = Row(partition=sweep_id, key=_WHOLE, values=values)
        # The pointer first: with the row there, no worker would set it any more.
        await self._put(_LATEST, _NEWEST, {"sweepId": sweep_id})
        await self._table.insert(row)
        return _record(await self._table.get(sweep_id, _WHOLE) or row)

    async def get(self, sweep_id: str) -> SweepRecord | None:
        row = await self._table.get(sweep_id, _WHOLE)
        return _record(row) if row and _is_sweep_row(row) else None

    async def latest(self) -> SweepRecord | None:
        row = await self._table.get(_LATEST, _NEWEST)
        return await self.get(str(row.values["sweepId"])) if row else None

    async def newest_ended(self, limit: int) -> Sequence[SweepRecord]:
        """The newest sweeps that have ended, newest first; reads the rows of all that are kept."""
        wholes = [_record(row) async for row in self._table.rows() if _is_sweep_row(row)]
        ended = [each for each in wholes if each.status.has_ended]
        return sorted(ended, key=lambda each: each.started_at, reverse=True)[:limit]

    async def store_plan(self, record: SweepRecord, plan: SweepPlan) -> bool:
        """Keep a plan; False where another worker has changed the sweep's row."""
        name = await self.store_blob(record.id, "plan", msgspec.json.encode(plan))
        changed = record.row.changed(parts=len(plan.parts), planBlob=name)
        return await self._table.replace(changed)

    async def plan(self, record: SweepRecord) -> SweepPlan:
        """Read the plan of a sweep that has one.

        Raises:
            LookupError: its blob is gone.
        """
        name = str(record.row.values["planBlob"])
        if self._plan is None or self._plan[0] != name:
            self._plan = name, _plans.decode(await self.blob(name))
        return self._plan[1]

    async def mark_running(self, sweep_id: str) -> None:
        row = await self._table.get(sweep_id, _WHOLE)
        if row is not None and row.values["status"] == SweepStatus.QUEUED:
            # Losing this race means that another part marked it: as good.
            await self._table.replace(row.changed(status=str(SweepStatus.RUNNING)))

    async def part_is_done(self, sweep_id: str, part: int) -> bool:
        return await self._table.get(sweep_id, _key(_PART, part)) is not None

    async def end_part(
        self, sweep_id: str, part: int, findings: bytes, counts: Mapping[str, int]
    ) -> None:
        """Keep what a part found; a part that is done keeps what it has."""
        name = await self.store_blob(sweep_id, _key(_PART, part), findings)
        values: dict[str, Value] = {"blob": name, **counts}
        await self._table.insert(Row(partition=sweep_id, key=_key(_PART, part), values=values))

    async def store_blob(self, sweep_id: str, kind: str, data: bytes) -> str:
        """Keep bytes under a name of their own, which is never written again, and return it."""
        name = f"{sweep_id}/{kind}-{uuid4().hex}"
        await self._blobs.put(CONTAINER, name, data)
        return name

    async def blob(self, name: str) -> bytes:
        """Read a blob whole.

        Raises:
            LookupError: it is gone.
        """
        return _there(name, await self._blobs.get(CONTAINER, name))

    async def blob_range(self, name: str, start: int, length: int) -> bytes:
        """Read a part of a blob.

        Raises:
            LookupError: it is gone.
        """
        return _there(name, await self._blobs.get_range(CONTAINER, name, start, length))

    async def record_part_note(self, sweep_id: str, part: int, why: str) -> None:
        """Keep why a part is not done yet, in place of an earlier note."""
        values = {"why": cut(why), "since": self._clock.now().isoformat()}
        await self._put(sweep_id, _key(_NOTE, part), values)

    async def clear_note(self, sweep_id: str, part: int) -> None:
        """Forget why a part was not done, now that it is worked again."""
        await self._table.delete(sweep_id, _key(_NOTE, part))

    async def part_note(self, sweep_id: str, part: int) -> str:
        row = await self._table.get(sweep_id, _key(_NOTE, part))
        return str(row.values["why"]) if row else ""

    async def store_attempt_costs(
        self, sweep_id: str, part: int, counts: Mapping[str, int]
    ) -> None:
        """Keep what the tries of a part have cost so far, though they came to nothing."""
        await self._put(sweep_id, _key(_ATTEMPT_COSTS, part), counts)

    async def attempt_costs(self, sweep_id: str, part: int) -> Mapping[str, int]:
        row = await self._table.get(sweep_id, _key(_ATTEMPT_COSTS, part))
        return _counts(row) if row else {}

    async def parts(self, sweep_id: str) -> Parts:
        """Everything about the parts, in one reading."""
        rows = [row async for row in self._table.rows(sweep_id)]
        done = [_part_record(row) for row in rows if row.key.startswith(_PART)]
        past = {None, *(part.number for part in done)}
        return Parts(
            done=done,
            attempt_costs=[
                _counts(row) for row in rows if _number(row, _ATTEMPT_COSTS) not in past
            ],
            notes=[_note(row) for row in rows if _number(row, _NOTE) not in past],
        )

    async def parts_done(self, sweep_id: str) -> Sequence[PartRecord]:
        """Every part that is done, in order."""
        return (await self.parts(sweep_id)).done

    async def end(self, record: SweepRecord, status: SweepStatus, result: bytes) -> bool:
        """Close a sweep; False for one that is closed: it keeps the result it has."""
        name = await self.store_blob(record.id, "result", result)
        now: SweepRecord | None = record
        while now is not None and not now.status.has_ended:
            if await self._table.replace(now.row.changed(status=str(status), resultBlob=name)):
                return True
            now = await self.get(record.id)
        return False

    async def store_digest(self, sweep_id: str, number: int, digest: bytes) -> None:
        """Keep what one owner is told, in place of what a try that died has kept."""
        blob = await self.store_blob(sweep_id, f"{_DIGEST}{number}", digest)
        await self._put(sweep_id, f"{_DIGEST}{number}", {"blob": blob})

    async def digest(self, sweep_id: str, number: str) -> bytes | None:
        row = await self._table.get(sweep_id, f"{_DIGEST}{number}")
        return await self._blobs.get(CONTAINER, str(row.values["blob"])) if row else None

    async def store_summary(self, sweep_id: str, summary: bytes) -> None:
        """Keep for the next sweep what it may learn from this one."""
        blob = await self.store_blob(sweep_id, "summary", summary)
        await self._put(_LATEST, _INDEXED, {"sweepId": sweep_id, "blob": blob})

    async def last_summary(self) -> bytes | None:
        row = await self._table.get(_LATEST, _INDEXED)
        return await self._blobs.get(CONTAINER, str(row.values["blob"])) if row else None

    async def result(self, record: SweepRecord) -> bytes | None:
        name = record.row.values.get("resultBlob")
        return await self._blobs.get(CONTAINER, str(name)) if name else None

    async def _put(self, partition: str, key: str, values: Mapping[str, Value]) -> None:
        new = Row(partition=partition, key=key, values=values)
        while not await self._table.insert(new):
            row = await self._table.get(partition, key)
            if row is not None and await self._table.replace(row.changed(**values)):
                return


def _there(name: str, data: bytes | None) -> bytes:
    if data is None:
        raise LookupError(f"the blob {CONTAINER}/{name} is gone")
    return data


def _is_sweep_row(row: Row) -> bool:
    return row.key == _WHOLE and row.partition != _LATEST


def _key(kind: str, part: int) -> str:
    return f"{kind}{part:06}"


def _number(row: Row, kind: str) -> int | None:
    return int(row.key.removeprefix(kind)) if row.key.startswith(kind) else None


def _record(row: Row) -> SweepRecord:
    parts = row.values.get("parts")
    return SweepRecord(
        id=row.partition,
        status=SweepStatus(str(row.values["status"])),
        parts=None if parts is None else int(parts),
        started_at=datetime.fromisoformat(str(row.values["startedAt"])),
        row=row,
    )


def _part_record(row: Row) -> PartRecord:
    return PartRecord(
        number=int(row.key.removeprefix(_PART)), blob=str(row.values["blob"]), counts=_counts(row)
    )


def _counts(row: Row) -> Mapping[str, int]:
    return {name: value for name, value in row.values.items() if isinstance(value, int)}


def _note(row: Row) -> PartNote:
    return PartNote(
        part=int(row.key.removeprefix(_NOTE)),
        why=str(row.values["why"]),
        since=datetime.fromisoformat(str(row.values["since"])),
    )
