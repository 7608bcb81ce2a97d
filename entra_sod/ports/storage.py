"""What the app needs of a storage service, whichever it is.

`adapters/storage/azure.py` and `local/memory/storage.py` implement these ports; the same
contract tests run against both. Everything above them (checks, ledger, sweeps) is written once.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, Protocol

# A text holds at most 64 KiB of UTF-16, and bytes as many, as in Azure Table Storage.
type Value = str | int | bool | bytes

MAX_BINARY_BYTES = 64 * 1024
MAX_BATCH_ROWS = 100
MAX_PAGE_ROWS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One entity. `etag` names the version that was read; it is empty for a new one."""

    partition: str
    key: str
    values: Mapping[str, Value] = field(default_factory=dict)
    etag: str = ""

    def changed(self, **values: Value) -> Row:
        """The same in its version, with some values in place of its own."""
        return replace(self, values={**self.values, **values})


@dataclass(frozen=True, slots=True)
class Condition:
    """A property that has a value, or is not less than it; a row without it does not fit."""

    name: str
    op: Literal["eq", "ge"]
    value: Value


# Of each alternative one condition must hold.
type Where = Sequence[Sequence[Condition]]
type RowKey = tuple[str, str]


class Table(Protocol):
    async def insert(self, row: Row) -> bool:
        """Add a row; False where one with its keys exists."""
        ...

    async def get(self, partition: str, key: str) -> Row | None: ...

    async def replace(self, row: Row) -> bool:
        """Write over the version that was read; False where another writer has been faster."""
        ...

    async def delete(self, partition: str, key: str, *, etag: str | None = None) -> bool:
        """Remove a row, which may be gone already; False where `etag` is not its version."""
        ...

    def rows(
        self,
        partition: str | None = None,
        *,
        prefix: str = "",
        after: RowKey | None = None,
        where: Where = (),
        at_once: int = MAX_PAGE_ROWS,
    ) -> AsyncIterator[Row]:
        """Yield the rows of one partition, or all of them, in the order of their keys.

        Args:
            partition: None is for all.
            prefix: of the keys, in one partition.
            after: partition and key of a row; only rows behind it, whether it exists or not.
            where: what must hold of a row; the service looks, and sends the others nowhere.
            at_once: how many to ask for at a time, where not all of them may be wanted.
        """
        ...

    async def write(self, puts: Sequence[Row], removals: Sequence[Row] = ()) -> bool:
        """Write and remove rows of one partition: all of them, or none and False.

        Rows without an etag are inserted, the others replaced or removed in the version that was
        read. False where another writer has been faster with any of them.

        Args:
            puts: with `removals` at most `MAX_BATCH_ROWS` rows.
            removals: rows that were read.
        """
        ...


class Blobs(Protocol):
    async def put(self, container: str, name: str, data: bytes) -> None: ...

    async def create(self, container: str, name: str, data: bytes) -> bool:
        """Write a blob that is not there; False, and nothing is written, where one is."""
        ...

    async def delete(self, container: str, name: str) -> None:
        """Remove a blob, which may be gone already."""
        ...

    async def get(self, container: str, name: str) -> bytes | None: ...

    async def get_range(self, container: str, name: str, start: int, length: int) -> bytes | None:
        """Read some bytes of a blob, as far as there are any; None where there is no blob."""
        ...

    def names(self, container: str, prefix: str = "") -> AsyncIterator[str]:
        """Yield the names in a container, sorted; none where there is no such container."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueState:
    """What lies on a queue now.

    Attributes:
        length: about how many messages, hidden ones among them.
        oldest: when the first message that can be seen was put there; None where there is none.
    """

    length: int
    oldest: datetime | None


class Queues(Protocol):
    async def send(self, queue: str, body: bytes, *, delay_seconds: float = 0) -> None:
        """Put a message on a queue, to be seen after the delay.

        Raises:
            ValueError: the body is over `MAX_MESSAGE_BYTES` bytes.
        """
        ...

    async def state(self, queue: str) -> QueueState:
        """Look at a queue and take nothing; one that is not there is empty."""
        ...

    async def take(self, queue: str) -> bytes | None:
        """Take the first message that can be seen off a queue, and return its body."""
        ...


class Storage(Protocol):
    @property
    def blobs(self) -> Blobs: ...

    @property
    def queues(self) -> Queues: ...

    def table(self, name: str) -> Table: ...

    async def probe(self) -> Mapping[str, str]:
        """Try each service harmlessly: its name, and 'ok' or what is wrong."""
        ...

    async def close(self) -> None:
        """Close the connections; for programs that end, unlike the worker."""
        ...
