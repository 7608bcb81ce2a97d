"""What lies in a world's storage, read and disturbed behind the app's back."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self

from azure.core import MatchConditions
from azure.core.exceptions import (
    AzureError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.core.paging import ItemPaged
from azure.data.tables import EntityProperty, TableClient, TableEntity, TableServiceClient
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from entra_sod.adapters.storage.azure import AzureStorage
from entra_sod.cli.operations.evidence_files import BlobPacks
from entra_sod.cli.operations.verify_evidence import Proof, verify
from entra_sod.core.clock import SystemClock
from entra_sod.settings import StorageSettings
from entra_sod.stores.evidence_chain import EvidenceChain
from entra_sod.stores.ledger import Ledger, LedgerEntry
from tests.chaos.found import PART

POISON = "-poison"
LOOK_EVERY_SECONDS = 0.05
MAX_PEEKED = 32
EPOCH_SECONDS, EPOCH_MILLISECONDS = range(10**9, 10**10), range(10**12, 10**13)

type Message = tuple[str, str]


class Watcher:
    """Remembers every message that it sees on a queue, as long as it is open."""

    def __init__(self, connection_string: str) -> None:
        # No retries: storage may be away, and each reader asks again by itself.
        self._service = QueueServiceClient.from_connection_string(connection_string, retry_total=0)
        # Ordered, as messages are chosen by how many were seen before them.
        self._seen: dict[Message, None] = {}
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._is_over.set()
        self._thread.join()
        self._service.close()

    @property
    def seen(self) -> Sequence[Message]:
        """Queue and text of each message, in the order they were first seen."""
        return tuple(self._seen)

    def send(self, message: Message) -> bool:
        """Deliver a message once more; False where storage is away."""
        queue, text = message
        client = self._service.get_queue_client(queue)
        try:
            with suppress(ResourceExistsError):
                client.create_queue()
            client.send_message(text)
        except AzureError:
            return False
        return True

    def counts(self) -> Mapping[str, int]:
        """How many messages there are on each queue, hidden ones included."""
        names = [queue.name for queue in self._service.list_queues()]
        return {
            name: self._service.get_queue_client(name)
            .get_queue_properties()
            .approximate_message_count
            or 0
            for name in names
        }

    def _watch(self) -> None:
        while not self._is_over.wait(LOOK_EVERY_SECONDS):
            with suppress(AzureError):
                self._look()

    def _look(self) -> None:
        for queue in self._service.list_queues():
            if not queue.name.endswith(POISON):
                client = self._service.get_queue_client(queue.name)
                for message in client.peek_messages(max_messages=MAX_PEEKED):
                    self._seen[queue.name, message.content] = None


def is_settled(watcher: Watcher, *, quiet_seconds: float) -> bool:
    """Whether all queues are empty, and stay so for a while."""
    until = time.monotonic() + quiet_seconds
    while time.monotonic() < until:
        try:
            if any(watcher.counts().values()):
                return False
        except AzureError:
            return False
        time.sleep(LOOK_EVERY_SECONDS)
    return True


def rows(connection_string: str, table: str, partition: str | None = None) -> list[dict[str, Any]]:
    """The rows of a table; none where there is no such table."""
    with TableServiceClient.from_connection_string(connection_string) as tables:
        client = tables.get_table_client(table)
        try:
            found = client.list_entities() if partition is None else _of(client, partition)
            return [dict(row) for row in found]
        except ResourceNotFoundError:
            return []


def jump_clock(
    connection_string: str, table: str, seconds: int, names: Collection[str] | None = None
) -> int:
    """Move the times in a table's rows, as another clock would tell them; says how many rows.

    Args:
        connection_string: of the storage.
        table: its name.
        seconds: to move by.
        names: of the properties that are moved; all, without it.
    """
    moved = 0
    with (
        TableServiceClient.from_connection_string(connection_string, retry_total=0) as tables,
        suppress(AzureError),  # no such table, or storage is away: there is nothing to move
    ):
        client = tables.get_table_client(table)
        for row in list(client.list_entities()):
            shifted = {
                name: shift(value, seconds) if names is None or name in names else value
                for name, value in row.items()
            }
            if shifted != dict(row):
                moved += _replace(client, row, shifted)
    return moved


def _replace(client: TableClient, row: TableEntity, changed: dict[str, Any]) -> bool:
    """Write a row, unless the app has changed it meanwhile: what it wrote must not be undone."""
    try:
        client.update_entity(
            changed, etag=row.metadata["etag"], match_condition=MatchConditions.IfNotModified
        )
    except (ResourceModifiedError, ResourceNotFoundError):
        return False
    return True


def shift(value: object, seconds: int) -> object:  # noqa: PLR0911 - one for each kind of value
    """A moment as text, seconds or milliseconds, or within JSON, is moved; all else stays."""
    match value:
        case EntityProperty(number, kind):
            return EntityProperty(shift(number, seconds), kind)
        case bool():
            return value
        case int() | float() if int(value) in EPOCH_SECONDS:
            return value + seconds
        case int() | float() if int(value) in EPOCH_MILLISECONDS:
            return value + seconds * 1000
        case list():
            return [shift(each, seconds) for each in value]
        case dict():
            return {name: shift(each, seconds) for name, each in value.items()}
        case str() if value.startswith("{"):
            return json.dumps(shift(json.loads(value), seconds))
        case str() if "T" in value:
            return _shift_text(value, seconds)
        case _:
            return value


def _shift_text(text: str, seconds: int) -> str:
    try:
        return (datetime.fromisoformat(text) + timedelta(seconds=seconds)).isoformat()
    except ValueError:
        return text


@dataclass(frozen=True, slots=True)
class Planned:
    """A sweep that is planned: its plan as it is stored, and which parts are done."""

    sweep_id: str
    plan: bytes
    done: frozenset[int]


def newest_planned(connection_string: str) -> Planned | None:
    """The newest sweep; None before it is planned, or without storage."""
    with (
        TableServiceClient.from_connection_string(connection_string, retry_total=0) as tables,
        BlobServiceClient.from_connection_string(connection_string, retry_total=0) as service,
    ):
        client = tables.get_table_client("sweeps")
        try:
            sweep_id = client.get_entity("latest", "sweep")["sweepId"]
            found = {row["RowKey"]: row for row in _of(client, sweep_id)}
            plan = service.get_blob_client("sweeps", found["sweep"]["planBlob"])
            done = frozenset(int(key.removeprefix(PART)) for key in found if key.startswith(PART))
            return Planned(sweep_id, plan.download_blob().readall(), done)
        except (AzureError, KeyError):
            return None


def _of(client: TableClient, partition: str) -> ItemPaged[TableEntity]:
    return client.query_entities(f"PartitionKey eq '{partition}'")


def blobs(connection_string: str, container: str) -> list[bytes]:
    """The blobs of a container; none where there is no such container."""
    with BlobServiceClient.from_connection_string(connection_string) as service:
        client = service.get_container_client(container)
        try:
            return [client.download_blob(name).readall() for name in client.list_blob_names()]
        except ResourceNotFoundError:
            return []


def blob(connection_string: str, container: str, name: str) -> bytes:
    with BlobServiceClient.from_connection_string(connection_string) as service:
        return service.get_blob_client(container, name).download_blob().readall()


async def ledger_of(connection_string: str) -> list[LedgerEntry]:
    async with _storage_of(connection_string) as storage:
        return [entry async for entry in Ledger(storage, SystemClock()).entries()]


async def proof_of(connection_string: str) -> Proof:
    """What comes of verifying all evidence that is stored, as an auditor would."""
    async with _storage_of(connection_string) as storage:
        return await verify(BlobPacks(storage.blobs), await EvidenceChain(storage).head())


@asynccontextmanager
async def _storage_of(connection_string: str) -> AsyncIterator[AzureStorage]:
    def no_identity() -> None:
        raise AssertionError("a connection string needs no identity")

    storage = AzureStorage(StorageSettings(connection_string=connection_string), no_identity)  # type: ignore[arg-type]  # never called
    try:
        yield storage
    finally:
        await storage.close()
