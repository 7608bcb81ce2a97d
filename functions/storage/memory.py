"""Storage in memory: for tests, and for anyone who tries the app without an account."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from functions.storage.ports import (
    LARGEST_BYTES,
    LARGEST_MESSAGE,
    LARGEST_TEXT,
    Blobs,
    Queues,
    QueueState,
    Row,
    Table,
)


class MemoryTable:
    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], Row] = {}
        self._versions = itertools.count(1)

    async def insert(self, row: Row) -> bool:
        if (row.partition, row.key) in self._rows:
            return False
        self._keep(row)
        return True

    async def get(self, partition: str, key: str) -> Row | None:
        return self._rows.get((partition, key))

    async def replace(self, row: Row) -> bool:
        present = self._rows.get((row.partition, row.key))
        if present is None or present.etag != row.etag:
            return False
        self._keep(row)
        return True

    async def delete(self, partition: str, key: str, *, etag: str | None = None) -> bool:
        present = self._rows.get((partition, key))
        if present is not None and etag not in (None, present.etag):
            return False
        self._rows.pop((partition, key), None)
        return True

    async def rows(self, partition: str | None = None) -> AsyncIterator[Row]:
        for (row_partition, _), row in sorted(self._rows.items()):
            if partition in (None, row_partition):
                yield row

    def _keep(self, row: Row) -> None:
        for name, value in row.values.items():
            check_size(name, value)
        etag = f"v{next(self._versions)}"
        self._rows[row.partition, row.key] = replace(row, values=dict(row.values), etag=etag)


def check_size(name: str, value: object) -> None:
    """Refuse what a table property cannot hold, before the service does."""
    if (isinstance(value, str) and len(value) > LARGEST_TEXT) or (
        isinstance(value, bytes) and len(value) > LARGEST_BYTES
    ):
        raise ValueError(f"the property {name} is larger than a table property may be")


class MemoryBlobs:
    def __init__(self) -> None:
        self._blobs: dict[tuple[str, str], bytes] = {}

    async def put(self, container: str, name: str, data: bytes) -> None:
        self._blobs[container, name] = data

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
    """Keeps what was sent in `sent`; whoever drives the app takes it from there."""

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


def check_message(queue: str, body: bytes) -> None:
    if len(body) > LARGEST_MESSAGE:
        raise ValueError(f"a message for {queue} has {len(body)} bytes, over {LARGEST_MESSAGE}")


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
