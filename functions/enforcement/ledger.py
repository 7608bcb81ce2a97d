"""The references that this app wrote: what it may remove, and what a crash left half done.

An entry is made before the write (`intended`) and confirmed after it was seen in Graph
(`written`), so whoever comes after a crash knows that the write may have happened. A reference that
a person adds in just that gap is taken for ours; there is no way to tell the two apart.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import uuid4

import msgspec

from functions.clock import Clock, is_leased, timestamp
from functions.entra import Reference, ReferenceKind
from functions.errors import Unsettled
from functions.storage.ports import Row, Storage, Value

TABLE = "ledger"
WRITING_LEASE = timedelta(seconds=30)
LISTED_AFTER = timedelta(seconds=60)


class EntryState(StrEnum):
    INTENDED = "intended"
    WRITTEN = "written"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One reference of ours: which run wrote it, because of which rules, in which version."""

    reference: Reference
    state: EntryState
    run_id: str
    rule_ids: tuple[str, ...]
    rules_hash: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Why a write happens: goes into its ledger entry."""

    run_id: str
    rule_ids: tuple[str, ...]
    rules_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A noted intent, and the right to write the reference for a while.

    Attributes:
        owner: of that right.
        is_first: whether nobody had the intent before.
        may_be_sent: whether an earlier run may have sent the write, unseen by whoever listed.
        version: of the entry.
    """

    owner: str
    is_first: bool
    may_be_sent: bool
    version: str


class Ledger:
    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._table, self._clock = storage.table(TABLE), clock

    async def get(self, reference: Reference) -> Entry | None:
        row = await self._table.get(reference.on, _key(reference))
        return _entry(row) if row else None

    async def entries(self, package_id: str | None = None) -> AsyncIterator[Entry]:
        """Yield the entries of one package, or all."""
        async for row in self._table.rows(package_id):
            yield _entry(row)

    async def intend(self, reference: Reference, origin: Origin) -> Intent:
        """Note a write that is about to happen; an entry that is there keeps its origin.

        One at a time: while somebody writes a reference nobody else does, until that one is done,
        lets it go, or has been silent for so long that it must have died.

        Raises:
            Unsettled: somebody is writing it just now; come again.
        """
        owner = uuid4().hex
        while True:
            new = self._row(reference, origin, owner)
            is_first = await self._table.insert(new)
            row = await self._table.get(reference.on, _key(reference))
            if row is None:
                continue
            if is_first and row.values["owner"] == owner:
                return _intent(owner, row, may_be_sent=False, is_first=True)
            self._require_free(row, reference)
            tries = _tries(row) + 1
            if await self._change(row, owner=owner, until=self._lease(), tries=tries):
                return _intent(owner, row, may_be_sent=self._may_be_sent(row), is_first=False)

    def _require_free(self, row: Row, reference: Reference) -> None:
        until = str(row.values.get("until", ""))
        if until and is_leased(datetime.fromisoformat(until), self._clock.now(), WRITING_LEASE):
            raise Unsettled(
                f"{reference.kind} {reference.target} on {reference.on} is being written by "
                "another run"
            )

    def _may_be_sent(self, row: Row) -> bool:
        """Sent by a run that died, or so lately that lists may not show it yet."""
        if row.values["state"] == EntryState.INTENDED:
            return True
        written_at = datetime.fromisoformat(str(row.values["at"]))
        return abs(self._clock.now() - written_at) < LISTED_AFTER

    async def let_go(self, reference: Reference, intent: Intent) -> None:
        """Let others write it at once; the intent stays."""
        row = await self._table.get(reference.on, _key(reference))
        if row is not None and row.values["owner"] == intent.owner:
            await self._change(row, until="")

    async def withdraw(self, reference: Reference, intent: Intent) -> bool:
        """Take back an intent that came to nothing; False where another run has it as well."""
        return await self._table.delete(reference.on, _key(reference), etag=intent.version)

    async def confirm(self, reference: Reference) -> None:
        """Note that the write was seen in Graph."""
        while True:
            row = await self._table.get(reference.on, _key(reference))
            if row is None:
                return
            written = {"state": str(EntryState.WRITTEN), "at": self._now(), "until": ""}
            if await self._change(row, **written):
                return

    async def forget(self, reference: Reference) -> None:
        await self._table.delete(reference.on, _key(reference))

    async def _change(self, row: Row, **values: Value) -> bool:
        changed = {**row.values, **values}
        return await self._table.replace(
            Row(partition=row.partition, key=row.key, values=changed, etag=row.etag)
        )

    def _row(self, reference: Reference, origin: Origin, owner: str) -> Row:
        return Row(
            partition=reference.on,
            key=_key(reference),
            values={
                "state": str(EntryState.INTENDED),
                "owner": owner,
                "until": self._lease(),
                "tries": 1,
                "runId": origin.run_id,
                "ruleIds": msgspec.json.encode(origin.rule_ids).decode(),
                "rulesHash": origin.rules_hash,
                "at": self._now(),
            },
        )

    def _lease(self) -> str:
        return (self._clock.now() + WRITING_LEASE).isoformat()

    def _now(self) -> str:
        return timestamp(self._clock.now())


def _intent(owner: str, row: Row, *, may_be_sent: bool, is_first: bool) -> Intent:
    return Intent(owner=owner, is_first=is_first, may_be_sent=may_be_sent, version=row.etag)


def _tries(row: Row) -> int:
    return int(str(row.values["tries"]))


def _key(reference: Reference) -> str:
    return f"{reference.kind}:{reference.target}"


def _entry(row: Row) -> Entry:
    kind, target = row.key.split(":", 1)
    values = row.values
    return Entry(
        reference=Reference(row.partition, ReferenceKind(kind), target),
        state=EntryState(str(values["state"])),
        run_id=str(values["runId"]),
        rule_ids=tuple(msgspec.json.decode(str(values["ruleIds"]), type=list[str])),
        rules_hash=str(values["rulesHash"]),
        at=str(values["at"]),
    )
