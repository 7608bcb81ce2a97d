"""The references that this app wrote: what it may remove, and what a crash left half done.

An entry is made before the write (`intended`) and confirmed after it was seen in Graph
(`written`), so whoever comes after a crash knows that the write may have happened. A reference that
a person adds in just that gap is taken for ours; there is no way to tell the two apart. The gap
ends after an hour: what is found later is not taken for ours because of an old intent.

Whoever writes or removes a reference holds its entry meanwhile, and an entry goes only in the
version that was read: so none is lost whose reference somebody has just written.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import uuid4

import msgspec

from entra_sod.core.clock import Clock, is_leased, timestamp
from entra_sod.core.errors import NotYetConsistent
from entra_sod.domain.entra import Reference, ReferenceKind
from entra_sod.ports.storage import Row, Storage, Value

TABLE = "ledger"
WRITING_LEASE = timedelta(seconds=30)
LISTED_AFTER = timedelta(seconds=60)
# Longer than a message's own tries take. Whoever had the intent has given up by then.
ADOPTED_WITHIN = timedelta(hours=1)
ADOPTION = "adopt-"  # how the ids of runs begin that took over references of people


class LedgerState(StrEnum):
    INTENDED = "intended"
    WRITTEN = "written"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One reference of ours: which run wrote it, because of which rules, in which version.

    Attributes:
        at: when it was confirmed, or last intended.
        version: of the entry.
    """

    reference: Reference
    state: LedgerState
    run_id: str
    rule_ids: tuple[str, ...]
    rules_hash: str
    at: str
    version: str

    @property
    def is_adopted(self) -> bool:
        """Whether people made the reference, and `entra-sod adopt` took it over."""
        return self.run_id.startswith(ADOPTION) and self.state is LedgerState.WRITTEN

    def is_younger(self, age: timedelta, now: datetime) -> bool:
        return _is_younger(self.at, age, now)


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOrigin:
    """Why a write happens: goes into its ledger entry."""

    run_id: str
    rule_ids: tuple[str, ...]
    rules_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A noted intent, and the right to write the reference for a while.

    Attributes:
        owner: of that right.
        may_be_sent: whether an earlier run may have sent the write, unseen by whoever listed.
        may_show_late: whether it may have been so lately that lists do not show it yet.
        is_abandoned: whether the earlier run gave up so long ago that a reference is not its work.
        version: of the entry.
    """

    owner: str
    may_be_sent: bool = False
    may_show_late: bool = False
    is_abandoned: bool = False
    version: str


class Ledger:
    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._table, self._clock = storage.table(TABLE), clock

    async def get(self, reference: Reference) -> LedgerEntry | None:
        row = await self._table.get(reference.on, _key(reference))
        return entry_of(row) if row else None

    async def entries(self, package_id: str | None = None) -> AsyncIterator[LedgerEntry]:
        """Yield the entries of one package, or all."""
        async for row in self._table.rows(package_id):
            yield entry_of(row)

    async def intend(self, reference: Reference, write_origin: WriteOrigin) -> Intent:
        """Note a write that is about to happen; an entry that is there keeps its origin.

        One at a time: while somebody writes a reference nobody else does, until that one is done,
        lets it go, or has been silent for so long that it must have died.

        Raises:
            NotYetConsistent: somebody is writing it just now; come again.
        """
        owner = uuid4().hex
        while True:
            new = self._row(reference, write_origin, owner)
            is_first = await self._table.insert(new)
            row = await self._table.get(reference.on, _key(reference))
            if row is None:
                continue
            if is_first and row.values["owner"] == owner:
                return Intent(owner=owner, version=row.etag)
            at = self._now() if _is_intended(row) else row.values["at"]
            if version := await self._claim(row, reference, owner, at=at):
                return self._earlier(row, owner, version)

    async def claim_removal(self, reference: Reference) -> Intent | None:
        """Take the right to remove a reference; None where the ledger does not call it ours.

        Raises:
            NotYetConsistent: somebody is writing it just now; come again.
        """
        owner = uuid4().hex
        while True:
            row = await self._table.get(reference.on, _key(reference))
            if row is None or _is_intended(row):
                return None
            if version := await self._claim(row, reference, owner):
                return Intent(owner=owner, version=version)

    async def _claim(
        self, row: Row, reference: Reference, owner: str, **values: Value
    ) -> str | None:
        """Take the right to write; the entry's new version, or None where another was faster."""
        self._require_free(row, reference)
        if not await self._table.replace(row.changed(owner=owner, until=self._lease(), **values)):
            return None
        held = await self._table.get(row.partition, row.key)
        return held.etag if held is not None and held.values["owner"] == owner else None

    def _earlier(self, row: Row, owner: str, version: str) -> Intent:
        """What an entry that was there says about a write that may have been sent."""
        at, now, is_intended = str(row.values["at"]), self._clock.now(), _is_intended(row)
        may_show_late = _is_younger(at, LISTED_AFTER, now)
        return Intent(
            owner=owner,
            may_be_sent=is_intended or may_show_late,
            may_show_late=may_show_late,
            is_abandoned=is_intended and not _is_younger(at, ADOPTED_WITHIN, now),
            version=version,
        )

    def _require_free(self, row: Row, reference: Reference) -> None:
        until = str(row.values.get("until", ""))
        if until and is_leased(datetime.fromisoformat(until), self._clock.now(), WRITING_LEASE):
            raise NotYetConsistent(
                f"{reference.kind} {reference.target} on {reference.on} is being written by "
                "another run"
            )

    async def release(self, reference: Reference, intent: Intent) -> None:
        """Let others write it at once; the intent stays."""
        row = await self._table.get(reference.on, _key(reference))
        if row is not None and row.values["owner"] == intent.owner:
            await self._table.replace(row.changed(until=""))

    async def withdraw(self, reference: Reference, intent: Intent) -> bool:
        """Take an entry back whose write came to nothing; False where another run has it now."""
        return await self._table.delete(reference.on, _key(reference), etag=intent.version)

    async def confirm(self, reference: Reference, write_origin: WriteOrigin) -> None:
        """Note that the write of this run was seen in Graph, also where the intent is gone now."""
        while True:
            row = await self._table.get(reference.on, _key(reference))
            if row is None:
                await self._table.insert(self._row(reference, write_origin, uuid4().hex))
            elif await self._table.replace(
                row.changed(**_origin_values(write_origin), **self._written())
            ):
                return

    async def adopt(self, entry: LedgerEntry) -> bool:
        """Note that an intended write was seen in Graph; False where another run has it now."""
        row = await self._table.get(entry.reference.on, _key(entry.reference))
        if row is None or row.etag != entry.version:
            return False
        return await self._table.replace(row.changed(**self._written()))

    async def take_over(self, reference: Reference, write_origin: WriteOrigin) -> bool:
        """Note a reference that people made as ours; False where it has an entry already."""
        row = self._row(reference, write_origin, uuid4().hex)
        return await self._table.insert(row.changed(**self._written()))

    async def delete(self, reference: Reference, version: str) -> bool:
        """Remove an entry that was read; False where somebody else has changed it since."""
        return await self._table.delete(reference.on, _key(reference), etag=version)

    def _written(self) -> dict[str, Value]:
        return {"state": str(LedgerState.WRITTEN), "at": self._now(), "until": ""}

    def _row(self, reference: Reference, write_origin: WriteOrigin, owner: str) -> Row:
        return Row(
            partition=reference.on,
            key=_key(reference),
            values={
                "state": str(LedgerState.INTENDED),
                "owner": owner,
                "until": self._lease(),
                "at": self._now(),
                **_origin_values(write_origin),
            },
        )

    def _lease(self) -> str:
        return (self._clock.now() + WRITING_LEASE).isoformat()

    def _now(self) -> str:
        return timestamp(self._clock.now())


def _origin_values(write_origin: WriteOrigin) -> dict[str, Value]:
    return {
        "runId": write_origin.run_id,
        "ruleIds": msgspec.json.encode(write_origin.rule_ids).decode(),
        "rulesHash": write_origin.rules_hash,
    }


def _is_intended(row: Row) -> bool:
    return row.values["state"] == LedgerState.INTENDED


def _is_younger(at: str, age: timedelta, now: datetime) -> bool:
    return abs(now - datetime.fromisoformat(at)) < age


def _key(reference: Reference) -> str:
    return f"{reference.kind}:{reference.target}"


def entry_of(row: Row) -> LedgerEntry:
    """Read a row of the ledger; one that is damaged raises."""
    kind, target = row.key.split(":", 1)
    values = row.values
    return LedgerEntry(
        reference=Reference(row.partition, ReferenceKind(kind), target),
        state=LedgerState(str(values["state"])),
        run_id=str(values["runId"]),
        rule_ids=tuple(msgspec.json.decode(str(values["ruleIds"]), type=list[str])),
        rules_hash=str(values["rulesHash"]),
        at=str(values["at"]),
        version=row.etag,
    )
