"""Storage in memory: for tests, and for anyone who tries the app without an account."""

from __future__ import annotations

import itertools
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from entra_sod.adapters.storage.limits import check_batch, check_message, check_size
from entra_sod.core.errors import StorageUnavailable
from entra_sod.ports.storage import (
    MAX_PAGE_ROWS,
    Blobs,
    Condition,
    Queues,
    QueueState,
    Row,
    RowKey,
    Table,
    Where,
)


class MemoryTable:
    def __init__(self) -> None:
        self._partitions: dict[str, dict[str, Row]] = {}
        self._versions = itertools.count(1)

    async def insert(self, row: Row) -> bool:
        if self._present(row) is not None:
            return False
        self._keep(row)
        return True

    async def get(self, partition: str, key: str) -> Row | None:
        _check_keys(partition, key)
        return self._partitions.get(partition, {}).get(key)

    async def replace(self, row: Row) -> bool:
        present = self._present(row)
        if present is None or present.etag != row.etag:
            return False
        self._keep(row)
        return True

    async def delete(self, partition: str, key: str, *, etag: str | None = None) -> bool:
        present = await self.get(partition, key)
        if present is not None and etag not in (None, present.etag):
            return False
        self._partitions.get(partition, {}).pop(key, None)
        return True

    async def rows(
        self,
        partition: str | None = None,
        *,
        prefix: str = "",
        after: RowKey | None = None,
        where: Where = (),
        at_once: int = MAX_PAGE_ROWS,  # noqa: ARG002 - all of it is at hand
    ) -> AsyncIterator[Row]:
        for name in [partition] if partition is not None else sorted(self._partitions):
            if after is not None and name < after[0]:
                continue
            for key, row in sorted(self._partitions.get(name, {}).items()):
                is_behind = after is None or (name, key) > after
                if is_behind and key.startswith(prefix) and _fits(row, where):
                    yield row

    async def write(self, puts: Sequence[Row], removals: Sequence[Row] = ()) -> bool:
        check_batch(puts, removals)
        if any(self._version_of(row) != row.etag for row in (*puts, *removals)):
            return False
        for row in puts:
            self._keep(row)
        for row in removals:
            del self._partitions[row.partition][row.key]
        return True

    def _present(self, row: Row) -> Row | None:
        return self._partitions.get(row.partition, {}).get(row.key)

    def _version_of(self, row: Row) -> str:
        present = self._present(row)
        return present.etag if present else ""

    def _keep(self, row: Row) -> None:
        _check_keys(row.partition, row.key)
        for name, value in row.values.items():
            check_size(name, value)
        etag = f"v{next(self._versions)}"
        kept = replace(row, values=dict(row.values), etag=etag)
        self._partitions.setdefault(row.partition, {})[row.key] = kept


# What Table storage refuses in a key, and how long one may be.
_NO_KEY = re.compile(r"[/\\#?\x00-\x1f\x7f-\x9f]")
_MAX_KEY_LENGTH = 512


def _check_keys(*keys: str) -> None:
    if any(_NO_KEY.search(key) or len(key) > _MAX_KEY_LENGTH for key in keys):
        raise StorageUnavailable("Azure Storage: 400, the key of a row is out of range")


def _fits(row: Row, where: Where) -> bool:
    return all(any(_holds(row, each) for each in alternative) for alternative in where)


def _holds(row: Row, condition: Condition) -> bool:
    value = row.values.get(condition.name)
    if condition.op == "eq" or type(value) is not type(condition.value):
        return value == condition.value
    return value >= condition.value  # type: ignore[operator]


class MemoryBlobs:
    def __init__(self) -> None:
        self._blobs: dict[tuple[str, str], bytes] = {}

    async def put(self, container: str, name: str, data: bytes) -> None:
        self._blobs[container, name] = data

    async def create(self, container: str, name: str, data: bytes) -> bool:
        return self._blobs.setdefault((container, name), data) is data

    async def get(self, container: str, name: str) -> bytes | None:
        return self._blobs.get((container, name))

    async def get_range(self, container: str, name: str, start: int, length: int) -> bytes | None:
        data = self._blobs.get((container, name))
        return data[start : start + length] if data is not None else None

    async def names(self, container: str, prefix: str = "") -> AsyncIterator[str]:
        for blob_container, name in sorted(self._blobs):
            if blob_container == container and name.startswith(prefix):
                yield name

    async def delete(self, container: str, name: str) -> None:
        self._blobs.pop((container, name), None)


@dataclass(frozen=True, slots=True)
class SentMessage:
    queue: str
    body: bytes
    delay_seconds: float
    at: datetime = field(default_factory=lambda: datetime.now(UTC), compare=False)


class MemoryQueues:
    """Keeps what was sent in `sent`; the driver of the app takes it from there."""

    def __init__(self) -> None:
        self.sent: list[SentMessage] = []

    async def send(self, queue: str, body: bytes, *, delay_seconds: float = 0) -> None:
        check_message(queue, body)
        self.sent.append(SentMessage(queue, body, delay_seconds))

    async def state(self, queue: str) -> QueueState:
        lying = [each for each in self.sent if each.queue == queue]
        seen = [each.at for each in lying if not each.delay_seconds]
        return QueueState(length=len(lying), oldest=seen[0] if seen else None)

    async def take(self, queue: str) -> bytes | None:
        for message in self.sent:
            if message.queue == queue and not message.delay_seconds:
                self.sent.remove(message)
                return message.body
        return None


class MemoryStorage:
    def __init__(self) -> None:
        self._blobs, self._queues = MemoryBlobs(), MemoryQueues()
        self._tables: dict[str, MemoryTable] = {}

    @property
    def blobs(self) -> Blobs:
        return self._blobs

    @property
    def queues(self) -> Queues:
        return self._queues

    @property
    def sent(self) -> list[SentMessage]:
        return self._queues.sent

    def table(self, name: str) -> Table:
        return self._tables.setdefault(name, MemoryTable())

    async def probe(self) -> Mapping[str, str]:
        return {"queues": "ok", "tables": "ok", "blobs": "ok"}

    async def close(self) -> None:
        return
