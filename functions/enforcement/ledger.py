"""The references that this app wrote: what it may remove, and what a crash left half done.

An entry is made before the write (`intended`) and confirmed after it was seen in Graph
(`written`), so whoever comes after a crash knows that the write may have happened. A reference that
a person adds in just that gap is taken for ours; there is no way to tell the two apart.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from functions.clock import Clock, timestamp
from functions.entra import Reference, ReferenceKind
from functions.storage.ports import Row, Storage, Value

TABLE = "ledger"


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


@dataclass(frozen=True, slots=True)
class Intent:
    """A noted intent: whether nobody had it before, and then the version of its entry."""

    is_first: bool
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
        """Note a write that is about to happen.

        An entry that is there keeps its origin, and is touched, so that whoever made it learns that
        it is not alone.
        """
        while True:
            if await self._table.insert(self._row(reference, EntryState.INTENDED, origin)):
                row = await self._table.get(reference.on, _key(reference))
                if row is not None and row.values["tries"] == 1:
                    return Intent(is_first=True, version=row.etag)
                return Intent(is_first=False, version="")
            row = await self._table.get(reference.on, _key(reference))
            if row is not None and await self._change(row, tries=int(str(row.values["tries"])) + 1):
                return Intent(is_first=False, version="")

    async def withdraw(self, reference: Reference, intent: Intent) -> bool:
        """Take back an intent that came to nothing; False where another run has it as well."""
        return await self._table.delete(reference.on, _key(reference), etag=intent.version)

    async def confirm(self, reference: Reference) -> None:
        """Note that the write was seen in Graph."""
        while True:
            row = await self._table.get(reference.on, _key(reference))
            if row is None or row.values["state"] == EntryState.WRITTEN:
                return
            if await self._change(row, state=str(EntryState.WRITTEN), at=self._now()):
                return

    async def forget(self, reference: Reference) -> None:
        await self._table.delete(reference.on, _key(reference))

    async def _change(self, row: Row, **values: Value) -> bool:
        changed = {**row.values, **values}
        return await self._table.replace(
            Row(partition=row.partition, key=row.key, values=changed, etag=row.etag)
        )

    def _row(self, reference: Reference, state: EntryState, origin: Origin) -> Row:
        return Row(
            partition=reference.on,
            key=_key(reference),
            values={
                "state": str(state),
                "tries": 1,
                "runId": origin.run_id,
                "ruleIds": msgspec.json.encode(origin.rule_ids).decode(),
                "rulesHash": origin.rules_hash,
                "at": self._now(),
            },
        )

    def _now(self) -> str:
        return timestamp(self._clock.now())


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
