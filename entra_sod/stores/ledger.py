"""The references that this app wrote: what it may remove, and what a crash left half done.

An entry is made before the write (`intended`) and confirmed after it was seen in Graph
(`written`), so the run after a crash knows that the write may have happened. A reference that
a person adds in just that gap is taken for ours; there is no way to tell the two apart. The gap
ends after an hour: what is found later is not taken for ours because of an old intent.

A worker that writes or removes a reference holds its entry meanwhile, and an entry goes only in the
version that was read: so none is lost whose reference another worker has just written.

A damaged row costs its own reference: that counts as not proved ours, so it is
never removed. The row is named, and all other rows hold. A write of the reference mends the row.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import uuid4

import msgspec

from entra_sod.core.clock import Clock, is_leased, timestamp
from entra_sod.core.errors import NotYetConsistent, SodError
from entra_sod.domain.entra import Reference, ReferenceKind
from entra_sod.ports.storage import Row, Storage, Value

TABLE = "ledger"
WRITING_LEASE = timedelta(seconds=30)
LISTED_AFTER = timedelta(seconds=60)
# Longer than a message's own tries take. The run that had the intent has ended by then.
ADOPTED_WITHIN = timedelta(hours=1)
MAX_NAME_CHARACTERS = 100  # of a row that is named; keys may have a thousand
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
ADOPTION = "adopt-"  # how the ids of runs begin that took over references of people


class LedgerState(StrEnum):
    INTENDED = "intended"
    WRITTEN = "written"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One reference of ours: which run wrote it, because of which rules, in which version.

    Attributes:
        at: when it was confirmed, or last intended.
        until: how long a worker has the right to write or remove it; None where no worker has it.
        version: of the entry.
    """

    reference: Reference
    state: LedgerState
    run_id: str
    rule_ids: tuple[str, ...]
    rules_hash: str
    at: str
    until: datetime | None
    version: str

    @property
    def is_adopted(self) -> bool:
        """Whether people made the reference, and `entra-sod adopt` took it over."""
        return self.run_id.startswith(ADOPTION) and self.state is LedgerState.WRITTEN

    def is_younger(self, age: timedelta, now: datetime) -> bool:
        return _is_younger(self.at, age, now)

    def is_being_written(self, now: datetime) -> bool:
        return self.until is not None and is_leased(self.until, now, WRITING_LEASE)


class DamagedEntry(SodError):
    """A row of the ledger that is not what the app stores: it proves nothing of its reference.

    Attributes:
        row: its partition and key, cut.
    """

    def __init__(self, row: Row, why: str) -> None:
        self.row = f"{row.partition[:MAX_NAME_CHARACTERS]} {row.key[:MAX_NAME_CHARACTERS]}"
        super().__init__(
            f"this row of the ledger is damaged ({why}), so its reference does not count as "
            "written by this app, and is not removed: docs/how-to/operate.md, A damaged row"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeLedger:
    """All rows of the ledger: those that can be read, and the others."""

    entries: Mapping[Reference, LedgerEntry]
    damaged: Sequence[DamagedEntry]


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
        may_be_sent: whether an earlier run may have sent the write, too late for the list.
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
        """Read the entry of a reference; None where there is none.

        Raises:
            DamagedEntry: there is a row that cannot be read.
        """
        row = await self._table.get(reference.on, _key(reference))
        return entry_of(row) if row else None

    async def read(self) -> WholeLedger:
        """Read all of it."""
        entries, damaged = dict[Reference, LedgerEntry](), list[DamagedEntry]()
        async for each in self._read_rows():
            if isinstance(each, DamagedEntry):
                damaged.append(each)
            else:
                entries[each.reference] = each
        return WholeLedger(entries=entries, damaged=damaged)

    async def entries(self, package_id: str | None = None) -> AsyncIterator[LedgerEntry]:
        """Yield the entries of one package, or all, that can be read; `read` names the others."""
        async for each in self._read_rows(package_id):
            if not isinstance(each, DamagedEntry):
                yield each

    async def written_by(self, run_id: str, package_id: str | None = None) -> Sequence[Reference]:
        """What a run has written, or only that on one package.

        Raises:
            NotYetConsistent: as `require_none_begun`.
        """
        entries = [each async for each in self.entries(package_id)]
        self.require_none_begun(run_id, entries)
        is_written = (each for each in entries if each.state is LedgerState.WRITTEN)
        return [each.reference for each in is_written if each.run_id == run_id]

    def require_none_begun(self, run_id: str, entries: Iterable[LedgerEntry]) -> None:
        """Refuse to go on while a worker of the run writes: the end would not tell of it.

        Raises:
            NotYetConsistent: come again when it is written, or that worker must have died.
        """
        now = self._clock.now()
        for entry in entries:
            if entry.run_id == run_id and entry.is_being_written(now):
                raise _being_written(entry.reference)

    async def _read_rows(
        self, package_id: str | None = None
    ) -> AsyncIterator[LedgerEntry | DamagedEntry]:
        async for row in self._table.rows(package_id):
            yield entry_or_damage(row)

    async def intend(self, reference: Reference, write_origin: WriteOrigin) -> Intent:
        """Note a write that is about to happen; an entry that is there keeps its origin.

        One at a time: while one worker writes a reference no other does, until that one is done,
        lets it go, or has been silent for so long that it must have died.

        Raises:
            NotYetConsistent: another worker is writing it just now; come again.
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
            if version := await self._claim(row, reference, owner, self._intended(row, new)):
                return self._earlier(row, owner, version)

    async def claim_removal(self, reference: Reference) -> Intent | None:
        """Take the right to remove a reference; None where the ledger does not call it ours.

        Raises:
            NotYetConsistent: another worker is writing it just now; come again.
        """
        owner = uuid4().hex
        while True:
            row = await self._table.get(reference.on, _key(reference))
            if row is None or _is_damaged(row) or _is_intended(row):
                return None
            if version := await self._claim(row, reference, owner):
                return Intent(owner=owner, version=version)

    def _intended(self, row: Row, new: Row) -> Mapping[str, Value]:
        """What an intent changes in a row that is there; a damaged one is written anew."""
        if _is_damaged(row):
            return new.values
        return {"at": self._now()} if _is_intended(row) else {}

    async def _claim(
        self, row: Row, reference: Reference, owner: str, values: Mapping[str, Value] | None = None
    ) -> str | None:
        """Take the right to write; the entry's new version, or None where another was faster."""
        self._require_free(row, reference)
        changed = row.changed(**{**(values or {}), "owner": owner, "until": self._lease()})
        if not await self._table.replace(changed):
            return None
        held = await self._table.get(row.partition, row.key)
        return held.etag if held is not None and held.values.get("owner") == owner else None

    def _earlier(self, row: Row, owner: str, version: str) -> Intent:
        """What an entry that was there says about a write that may have been sent."""
        if _is_damaged(row):  # what is in Graph already is not taken for ours
            return Intent(owner=owner, may_be_sent=True, is_abandoned=True, version=version)
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
        until = _moment(row.values.get("until"))
        if until and is_leased(until, self._clock.now(), WRITING_LEASE):
            raise _being_written(reference)

    async def release(self, reference: Reference, intent: Intent) -> None:
        """Let others write it at once; the intent stays."""
        row = await self._table.get(reference.on, _key(reference))
        if row is not None and row.values.get("owner") == intent.owner:
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
        """Remove an entry that was read; False where another worker has changed it since."""
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


def _being_written(reference: Reference) -> NotYetConsistent:
    where = f"{reference.kind} {reference.target} on {reference.on}"
    return NotYetConsistent(f"{where} is being written by another worker")


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


def _moment(value: object) -> datetime | None:
    """Read a moment with its zone; None for anything else."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def entry_or_damage(row: Row) -> LedgerEntry | DamagedEntry:
    """Read a row of the ledger, or say why it cannot be read."""
    try:
        return entry_of(row)
    except DamagedEntry as damaged:
        return damaged


def _is_damaged(row: Row) -> bool:
    return isinstance(entry_or_damage(row), DamagedEntry)


def entry_of(row: Row) -> LedgerEntry:
    """Read a row of the ledger.

    Raises:
        DamagedEntry: it is not what the app stores.
    """
    try:
        return _entry_of(row)
    except KeyError as error:
        raise DamagedEntry(row, f"{error.args[0]} is missing") from error
    except (ValueError, msgspec.DecodeError) as error:
        raise DamagedEntry(row, str(error)[:MAX_NAME_CHARACTERS]) from error


def _entry_of(row: Row) -> LedgerEntry:
    kind, _, target = row.key.partition(":")
    values, at = row.values, str(row.values["at"])
    if not _GUID.fullmatch(row.partition) or not _GUID.fullmatch(target):
        raise ValueError("its keys name no package, and no package or group to keep away")
    if _moment(at) is None:
        raise ValueError(f"at is no time: {at}")
    return LedgerEntry(
        reference=Reference(row.partition, ReferenceKind(kind), target),
        state=LedgerState(str(values["state"])),
        run_id=str(values["runId"]),
        rule_ids=tuple(msgspec.json.decode(str(values["ruleIds"]), type=list[str])),
        rules_hash=str(values["rulesHash"]),
        at=at,
        until=_moment(values.get("until")),
        version=row.etag,
    )
