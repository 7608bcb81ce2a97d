"""Where findings are kept: a row for each, with its whole history.

A finding's id is its key, and begins with its partition and with its pair's place. So one is read
by its id alone, those of a pair lie side by side, and all of them come in the order of their ids.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence

import msgspec

from entra_sod.core.names import cut
from entra_sod.domain.entra import Pair
from entra_sod.domain.findings.model import (
    Change,
    Finding,
    FindingNames,
    pair_prefix,
    rule_prefix,
)
from entra_sod.ports.storage import MAX_PAGE_ROWS, Row, RowKey, Storage, Value, Where

TABLE = "findings"
_PARTITION = 1  # of the id's digits: 16 partitions, so that batches are full
_history = msgspec.json.Decoder(tuple[Change, ...])
_texts = msgspec.json.Decoder(tuple[str, ...])
_LISTS = ("tags", "frameworks", "owners")  # texts that may have blanks in them


class StoredFinding(msgspec.Struct, frozen=True):
    """A finding, and the version of its row."""

    finding: Finding
    etag: str


class FindingStore:
    def __init__(self, storage: Storage) -> None:
        self._table = storage.table(TABLE)

    async def get(self, finding_id: str) -> StoredFinding | None:
        row = await self._table.get(finding_id[:_PARTITION], finding_id)
        return _stored(row) if row else None

    async def of_pair(self, pair: Pair) -> Sequence[StoredFinding]:
        """Every finding of a pair, whatever its state."""
        found = await self._beginning(pair_prefix(pair))
        return [each for each in found if each.finding.pair == pair]

    async def of_found_only_rule(self, rule: str) -> Sequence[StoredFinding]:
        """Every finding of a rule that is found only, whatever its state."""
        found = await self._beginning(rule_prefix(rule))
        return [each for each in found if each.finding.rule == rule and each.finding.pair is None]

    async def _beginning(self, prefix: str) -> Sequence[StoredFinding]:
        rows = self._table.rows(prefix[:_PARTITION], prefix=prefix)
        return [_stored(row) async for row in rows]

    async def known_names(self) -> FindingNames:
        """What all findings and their subjects are called."""
        names = FindingNames()
        async for each in self.all():
            names.add(each.finding)
        return names

    async def all(
        self, *, after: str = "", where: Where = (), at_once: int = MAX_PAGE_ROWS
    ) -> AsyncIterator[StoredFinding]:
        """Yield findings in the order of their ids.

        Args:
            after: an id; only those behind it.
            where: of the rows' properties.
            at_once: how many to ask for at a time.
        """
        place: RowKey | None = (after[:_PARTITION], after) if after else None
        async for row in self._table.rows(after=place, where=where, at_once=at_once):
            yield _stored(row)

    async def write(
        self, puts: Iterable[StoredFinding], removals: Iterable[StoredFinding] = ()
    ) -> Sequence[str]:
        """Write findings of one partition; return the ids of those that another worker changed.

        Raises:
            ValueError: they are of more than one partition, or too many.
        """
        new, old = [_row(each) for each in puts], [_row(each) for each in removals]
        if not (new or old) or await self._table.write(new, old):
            return []
        if len(new) + len(old) == 1:
            return [each.key for each in (*new, *old)]
        late: list[str] = []
        for row in new:
            late += [] if await self._table.write([row]) else [row.key]
        for row in old:
            late += [] if await self._table.write([], [row]) else [row.key]
        return late


def partition_of(finding_id: str) -> str:
    return finding_id[:_PARTITION]


def _row(stored: StoredFinding) -> Row:
    """A finding's fields by their names in JSON; what is None has no property."""
    finding = stored.finding
    fields = msgspec.to_builtins(msgspec.structs.replace(finding, history=()))
    low, high = finding.packages if finding.pair else ("", "")
    values: dict[str, Value] = {
        **{
            name: cut(value) if isinstance(value, str) else value
            for name, value in fields.items()
            if value is not None
        },
        "packages": " ".join(finding.packages),
        "missing": " ".join(finding.missing),
        **{name: _as_text(getattr(finding, name)) for name in _LISTS},
        "history": msgspec.json.encode(finding.history).decode(),
        # For queries alone.
        "low": low,
        "high": high,
        "isSet": finding.pair is None,
    }
    del values["id"]
    return Row(partition=partition_of(finding.id), key=finding.id, values=values, etag=stored.etag)


def _as_text(texts: Sequence[str]) -> str:
    return msgspec.json.encode(texts).decode() if texts else ""


def _stored(row: Row) -> StoredFinding:
    fields = {
        **row.values,
        "id": row.key,
        "packages": str(row.values["packages"]).split(),
        "missing": str(row.values.get("missing", "")).split(),
        **{name: _texts.decode(str(row.values.get(name) or "[]")) for name in _LISTS},
        "history": _history.decode(str(row.values["history"])),
    }
    return StoredFinding(msgspec.convert(fields, Finding), row.etag)
