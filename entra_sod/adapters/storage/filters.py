"""What is asked of a table, as the OData filters of Azure Table Storage. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from entra_sod.ports.storage import Condition, RowKey, Value, Where

# Behind every key that begins with the same text: keys here are ASCII.
_LAST = "\uffff"


@dataclass(slots=True)
class ODataQuery:
    """A filter, and the values that its placeholders stand for."""

    parts: list[str] = field(default_factory=list)
    parameters: dict[str, Value] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return " and ".join(self.parts)

    def require(self, name: str, op: str, value: Value) -> None:
        self.parts.append(self._comparison(name, op, value))

    def require_any(self, conditions: Sequence[Condition]) -> None:
        # With spaces: the SDK looks for placeholders word by word.
        any_of = [self._comparison(each.name, each.op, each.value) for each in conditions]
        self.parts.append(f"( {' or '.join(any_of)} )")

    def _comparison(self, name: str, op: str, value: Value) -> str:
        placeholder = f"v{len(self.parameters)}"
        self.parameters[placeholder] = value
        return f"{name} {op} @{placeholder}"


def queries(
    partition: str | None, prefix: str, after: RowKey | None, where: Where
) -> Iterator[ODataQuery]:
    """Make the queries that answer one after the other, each over a range of keys.

    What lies behind a place is two ranges: the rest of its partition, and the partitions behind
    it. As one filter, with an `or`, the service would go through the whole table.
    """
    if after is None:
        yield _query(partition, prefix, where)
        return
    if partition in (None, after[0]):
        rest = _query(after[0], prefix, where)
        rest.require("RowKey", "gt", after[1])
        yield rest
    if partition is None or partition > after[0]:
        behind = _query(partition, prefix, where)
        behind.require("PartitionKey", "gt", after[0])
        yield behind


def _query(partition: str | None, prefix: str, where: Where) -> ODataQuery:
    query = ODataQuery()
    if partition is not None:
        query.require("PartitionKey", "eq", partition)
    if prefix:
        query.require("RowKey", "ge", prefix)
        query.require("RowKey", "lt", prefix + _LAST)
    for conditions in where:
        query.require_any(conditions)
    return query
