"""What each rule selected when that was reviewed: a row for each version of a rule, by its key.

The row names a blob that is never written again, so that it may be cached. It is written after the
blob, and replaced only in the version that was read. Rows of rules that have changed stay: a rule
that is changed back goes back to what was reviewed of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import msgspec

from entra_sod.core.clock import Clock, timestamp
from entra_sod.core.errors import StorageUnavailable
from entra_sod.core.parallel import in_parallel
from entra_sod.domain.rules.resolve import ResolvedRule
from entra_sod.domain.rules.selection import RuleSelection, selection_key
from entra_sod.ports.storage import Row, Storage

TABLE, PARTITION, CONTAINER = "selections", "rules", "selections"


class DamagedSelection(StorageUnavailable):
    """What was reviewed of a rule is not what was stored: a person has to look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSelection:
    """What was reviewed of a rule; the row says when (`reviewedAt`) and by whom (`reviewedBy`)."""

    row: Row
    selection: RuleSelection


class SelectionStore:
    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._table, self._blobs, self._clock = storage.table(TABLE), storage.blobs, clock
        self._cached: dict[str, RuleSelection] = {}

    async def rows(self, rules: Collection[ResolvedRule]) -> Mapping[str, Row]:
        """Read the row of each rule that has one, by the rule's id."""
        ids = {selection_key(rule): rule.id for rule in rules}
        if not ids:
            return {}
        rows = [row async for row in self._table.rows(PARTITION)]
        named = {row.values.get("blob") for row in rows}
        self._cached = {key: each for key, each in self._cached.items() if key in named}
        return {ids[row.key]: row for row in rows if row.key in ids}

    async def read(self, rules: Collection[ResolvedRule]) -> Mapping[str, StoredSelection]:
        """Read what was reviewed of each rule that has a row, by the rule's id.

        Raises:
            DamagedSelection: a row or a blob is not what was stored.
        """
        rows = await self.rows(rules)
        known = [rule for rule in rules if rule.id in rows]
        found = await in_parallel(lambda rule: self.stored(rule, rows[rule.id]), known)
        return {rule.id: each for rule, each in zip(known, found, strict=True)}

    async def stored(self, rule: ResolvedRule, row: Row) -> StoredSelection:
        """Read the selection that a row names.

        Raises:
            DamagedSelection: it is not what was stored.
        """
        name = str(row.values.get("blob", ""))
        if name not in self._cached:
            data = await self._blobs.get(CONTAINER, name) if name else None
            self._cached[name] = _decoded(rule, name, data)
        return StoredSelection(row=row, selection=self._cached[name])

    async def keep(
        self, rule: ResolvedRule, selection: RuleSelection, row: Row | None, by: str | None
    ) -> bool:
        """Store what a rule selects in the version that was read, if any; False if it has changed.

        Without `by` it stays as it was who has reviewed it, and when.
        """
        data = msgspec.json.encode(selection, order="deterministic")
        name = _blob_name(data)
        await self._blobs.create(CONTAINER, name, data)
        values = {"rule": rule.id, "blob": name}
        if by is not None:
            values |= {"reviewedAt": timestamp(self._clock.now()), "reviewedBy": by}
        if row is None:
            new = Row(partition=PARTITION, key=selection_key(rule), values=values)
            return await self._table.insert(new)
        return await self._table.replace(row.changed(**values))


def _blob_name(data: bytes) -> str:
    return f"{hashlib.sha256(data).hexdigest()}.json"


def _decoded(rule: ResolvedRule, name: str, data: bytes | None) -> RuleSelection:
    try:
        if data is not None and _blob_name(data) == name:
            selection = msgspec.json.decode(data, type=RuleSelection)
            if len(selection.sides) == len(rule.package_sides):
                return selection
        problem = "the blob is missing" if data is None else "it is of something else"
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        problem = str(error)
    raise DamagedSelection(
        f"what was reviewed of rule {rule.id} is damaged ({problem}). Look at what it selects, and "
        f"store that: entra-sod selection approve --rule {rule.id}"
    )
