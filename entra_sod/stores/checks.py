"""Where a check's life is kept: one row each, and a blob where the result outgrows the row.

queued → running → completed or failed. The row is changed only in the version that was read, so a
check that ended stays as it ended, however often its message is delivered. Only an operator makes a
failed one queued again (`entra-sod redrive`). One worker at a time works on a check: what one
writes, another would not tell.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import uuid4

from entra_sod.core.clock import Clock, timestamp
from entra_sod.core.names import cut
from entra_sod.domain.results.status import CheckStatus
from entra_sod.ports.storage import MAX_BINARY_BYTES, Row, Storage, Value
from entra_sod.stores.leases import LeaseStore

TABLE, CONTAINER, ROW_KEY = "checks", "checks", "check"
_WORKING = "working"
WORKING_LEASE = timedelta(seconds=20)
RETENTION = timedelta(days=30)
_MAX_INLINE_BYTES = MAX_BINARY_BYTES - 4096
_END_PROPERTIES = ("result", "resultBlob", "evidence")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRecord:
    """A check as it stands.

    Attributes:
        note: why it waits, where it does.
        asked: what a caller asked for; empty where none did, or the row was lost.
        reach: how far the check may go: off, plan or apply; empty where no caller asked.
        round: 1, and one more each time an operator has sent it again.
    """

    id: str
    status: CheckStatus
    created_at: datetime
    note: str
    asked: str
    reach: str
    round: int
    row: Row

    @property
    def run(self) -> str:
        """What its findings and its evidence call it: each round looks anew, and seals a pack."""
        return self.id if self.round == 1 else f"{self.id}-{self.round}"

    def is_expired(self, now: datetime) -> bool:
        return now - self.created_at > RETENTION


class CheckStore:
    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._table, self._blobs, self._clock = storage.table(TABLE), storage.blobs, clock
        self.working = LeaseStore(
            table=self._table,
            clock=clock,
            key=_WORKING,
            doing="working on check",
            length=WORKING_LEASE,
        )

    async def get(self, check_id: str) -> CheckRecord | None:
        row = await self._table.get(check_id, ROW_KEY)
        return _record(row) if row else None

    async def has_ended(self, check_id: str) -> bool:
        record = await self.get(check_id)
        return record is not None and record.status.has_ended

    async def create(self, check_id: str, *, asked: str = "", reach: str = "") -> None:
        """Make the row of a queued check; one that exists stays as it is."""
        values: dict[str, Value] = {
            "status": str(CheckStatus.QUEUED),
            "createdAt": self._clock.now().isoformat(),
            "note": "",
            "asked": asked,
            "reach": reach,
        }
        await self._table.insert(Row(partition=check_id, key=ROW_KEY, values=values))

    async def begin(self, check_id: str) -> CheckRecord:
        """Mark a check as running, unless it has ended; makes its row where it was lost."""
        await self.create(check_id)
        return await self._change(check_id, status=str(CheckStatus.RUNNING), note="")

    async def record_note(self, check_id: str, why: str) -> None:
        """Say why a check that has not ended is not running."""
        await self._change(check_id, note=cut(why))

    async def end(
        self, check_id: str, status: CheckStatus, result: bytes, *, evidence: bytes
    ) -> None:
        """Keep the result; a check that has ended keeps the one it has.

        Args:
            check_id: of a check that was begun.
            status: completed or failed.
            result: JSON as callers get it.
            evidence: JSON with all holders, kept apart where it says more than `result`.
        """
        values: dict[str, Value] = {"status": str(status), "note": ""}
        if evidence != result:
            values["evidence"] = await self._store_result(check_id, "evidence", evidence)
        if len(result) > _MAX_INLINE_BYTES:
            values["resultBlob"] = await self._store_result(check_id, "result", result)
        else:
            values["result"] = result
        await self._change(check_id, **values)

    async def reopen(self, check_id: str, note: str) -> bool:
        """Make a check that failed queued again; False where it did not fail.

        Its poller sees 202 again. For an operator alone, who has mended why it failed.
        """
        row = await self._table.get(check_id, ROW_KEY)
        if row is None or row.values["status"] != CheckStatus.FAILED:
            return False
        left = {name: row.values[name] for name in row.values if name not in _END_PROPERTIES}
        following = _record(row).round + 1
        values = {**left, "status": str(CheckStatus.QUEUED), "note": cut(note), "round": following}
        return await self._table.replace(replace(row, values=values))

    async def result(self, record: CheckRecord) -> bytes | None:
        """Read the JSON of an ended check; None where its blob is gone."""
        inline = record.row.values.get("result")
        if isinstance(inline, bytes):
            return inline
        return await self._blobs.get(CONTAINER, str(record.row.values.get("resultBlob", "")))

    async def _store_result(self, check_id: str, what: str, data: bytes) -> str:
        # A name of its own for each try: only the one that wins the row is ever read.
        name = f"{check_id}/{what}-{uuid4().hex}.json"
        await self._blobs.put(CONTAINER, name, data)
        return name

    async def _change(self, check_id: str, **values: Value) -> CheckRecord:
        while True:
            row = await self._table.get(check_id, ROW_KEY)
            if row is None:
                raise LookupError(f"check {check_id} has no row")
            record = _record(row)
            if record.status.has_ended:
                return record
            new = row.changed(**values, updatedAt=timestamp(self._clock.now()))
            if await self._table.replace(new):
                return _record(new)


def _record(row: Row) -> CheckRecord:
    return CheckRecord(
        id=row.partition,
        status=CheckStatus(str(row.values["status"])),
        created_at=datetime.fromisoformat(str(row.values["createdAt"])),
        note=str(row.values["note"]),
        asked=str(row.values["asked"]),
        reach=str(row.values.get("reach", "")),
        round=int(row.values.get("round", 1)),
        row=row,
    )
