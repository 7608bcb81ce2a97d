"""The real Azure Storage: the only module that imports its SDK, and only when first used.

Tables, containers and queues come into being on first use: a service that answers "no such queue"
is asked to make it, and then asked again. So nothing is called at start.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

from azure.core import MatchConditions
from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)

from entra_sod.adapters.storage.failures import SignIn, translated, unavailable
from entra_sod.adapters.storage.filters import queries
from entra_sod.adapters.storage.limits import check_batch, check_message, check_size
from entra_sod.core.errors import StorageUnavailable
from entra_sod.ports.storage import (
    MAX_PAGE_ROWS,
    QueueState,
    Row,
    RowKey,
    Table,
    Where,
)
from entra_sod.settings import StorageSettings

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.data.tables.aio import TableClient, TableServiceClient
    from azure.storage.blob.aio import BlobServiceClient
    from azure.storage.queue.aio import QueueServiceClient

_CHANGED = (404, 409, 412)  # gone, there already, of another version
_NO_SUCH_RANGE = 416
NEVER_EXPIRES = -1  # time to live of a message: a check waits as long as it must


async def _creating[T](
    attempt: Callable[[], Awaitable[T]], create: Callable[[], Awaitable[Any]]
) -> T:
    try:
        return await attempt()
    except ResourceNotFoundError:
        with suppress(ResourceExistsError):  # another worker made it in between
            await create()
        return await attempt()


class AzureTable:
    def __init__(self, client: TableClient) -> None:
        self._client = client

    @translated()
    async def insert(self, row: Row) -> bool:
        entity = _entity(row)
        try:
            await _creating(lambda: self._client.create_entity(entity), self._client.create_table)
        except ResourceExistsError:
            return False
        return True

    @translated()
    async def get(self, partition: str, key: str) -> Row | None:
        try:
            return _row(await self._client.get_entity(partition, key))
        except ResourceNotFoundError:
            return None

    @translated()
    async def replace(self, row: Row) -> bool:
        from azure.data.tables import UpdateMode

        try:
            await self._client.update_entity(
                _entity(row),
                mode=UpdateMode.REPLACE,
                etag=row.etag,
                match_condition=MatchConditions.IfNotModified,
            )
        except (ResourceModifiedError, ResourceNotFoundError):
            return False
        return True

    @translated()
    async def delete(self, partition: str, key: str, *, etag: str | None = None) -> bool:
        condition = MatchConditions.IfNotModified if etag else None
        try:
            await self._client.delete_entity(partition, key, etag=etag, match_condition=condition)
        except ResourceNotFoundError:
            return True
        except ResourceModifiedError:
            return False
        return True

    async def rows(
        self,
        partition: str | None = None,
        *,
        prefix: str = "",
        after: RowKey | None = None,
        where: Where = (),
        at_once: int = MAX_PAGE_ROWS,
    ) -> AsyncIterator[Row]:
        try:
            for query in queries(partition, prefix, after, where):
                async for entity in self._client.query_entities(
                    query.text,
                    parameters=query.parameters,
                    results_per_page=min(at_once, MAX_PAGE_ROWS),
                ):
                    yield _row(entity)
        except ResourceNotFoundError:
            return
        except AzureError as error:
            raise unavailable(error) from error

    @translated()
    async def write(self, puts: Sequence[Row], removals: Sequence[Row] = ()) -> bool:
        from azure.data.tables import TableErrorCode, TableTransactionError

        check_batch(puts, removals)
        operations = [*map(_put, puts), *map(_removal, removals)]
        try:
            await self._client.submit_transaction(operations)
        except TableTransactionError as error:
            if getattr(error, "error_code", None) == TableErrorCode.TABLE_NOT_FOUND:
                with suppress(ResourceExistsError):  # another worker made it in between
                    await self._client.create_table()
                return await self.write(puts, removals)
            if error.status_code in _CHANGED:
                return False
            raise
        return True


def _put(row: Row) -> tuple[str, dict[str, Any], dict[str, Any]]:
    if not row.etag:
        return "create", _entity(row), {}
    return "update", _entity(row), {"mode": "replace", **_in_version(row)}


def _removal(row: Row) -> tuple[str, dict[str, Any], dict[str, Any]]:
    return "delete", {"PartitionKey": row.partition, "RowKey": row.key}, _in_version(row)


def _in_version(row: Row) -> dict[str, Any]:
    return {"etag": row.etag, "match_condition": MatchConditions.IfNotModified}


def _entity(row: Row) -> dict[str, Any]:
    for name, value in row.values.items():
        check_size(name, value)
    return {"PartitionKey": row.partition, "RowKey": row.key, **row.values}


def _row(entity: Any) -> Row:  # noqa: ANN401 - TableEntity is an untyped mapping
    values = {
        name: value for name, value in entity.items() if name not in ("PartitionKey", "RowKey")
    }
    return Row(
        partition=entity["PartitionKey"],
        key=entity["RowKey"],
        values=values,
        etag=entity.metadata["etag"],
    )


class AzureBlobs:
    def __init__(self, service: Callable[[], BlobServiceClient]) -> None:
        self._service = service

    @translated()
    async def put(self, container: str, name: str, data: bytes) -> None:
        folder = self._service().get_container_client(container)
        await _creating(
            lambda: folder.upload_blob(name, data, overwrite=True),
            folder.create_container,
        )

    @translated()
    async def create(self, container: str, name: str, data: bytes) -> bool:
        folder = self._service().get_container_client(container)
        try:
            await _creating(lambda: folder.upload_blob(name, data), folder.create_container)
        except ResourceExistsError:
            return False
        return True

    @translated()
    async def get(self, container: str, name: str) -> bytes | None:
        return await self._download(container, name)

    @translated()
    async def get_range(self, container: str, name: str, start: int, length: int) -> bytes | None:
        try:
            return await self._download(container, name, start, length)
        except HttpResponseError as error:
            if error.status_code != _NO_SUCH_RANGE:
                raise
            return b""

    async def _download(
        self, container: str, name: str, start: int | None = None, length: int | None = None
    ) -> bytes | None:
        blob = self._service().get_blob_client(container, name)
        try:
            return await (await blob.download_blob(offset=start, length=length)).readall()
        except ResourceNotFoundError:
            return None

    async def names(self, container: str, prefix: str = "") -> AsyncIterator[str]:
        folder = self._service().get_container_client(container)
        try:
            async for name in folder.list_blob_names(name_starts_with=prefix):
                yield name
        except ResourceNotFoundError:
            return
        except AzureError as error:
            raise unavailable(error) from error

    @translated()
    async def delete(self, container: str, name: str) -> None:
        with suppress(ResourceNotFoundError):
            await self._service().get_blob_client(container, name).delete_blob()


class AzureQueues:
    def __init__(self, service: Callable[[], QueueServiceClient]) -> None:
        self._service = service

    @translated()
    async def send(self, queue: str, body: bytes, *, delay_seconds: float = 0) -> None:
        # The SDK sends plain text unless told; messages.unwrap takes the base64 off again. Of any
        # bytes: what cannot be read has to reach its poison queue, too.
        from azure.storage.queue import BinaryBase64EncodePolicy

        check_message(queue, body)
        client = self._service().get_queue_client(
            queue, message_encode_policy=BinaryBase64EncodePolicy()
        )
        await _creating(
            lambda: client.send_message(
                body, visibility_timeout=round(delay_seconds), time_to_live=NEVER_EXPIRES
            ),
            client.create_queue,
        )

    @translated()
    async def state(self, queue: str) -> QueueState:
        client = self._service().get_queue_client(queue)
        try:
            length = (await client.get_queue_properties()).approximate_message_count or 0
            seen = await client.peek_messages(max_messages=1)
        except ResourceNotFoundError:
            return QueueState(length=0, oldest=None)
        return QueueState(length=length, oldest=seen[0].inserted_on if seen else None)

    @translated()
    async def take(self, queue: str) -> bytes | None:
        client = self._service().get_queue_client(queue)
        try:
            message = await client.receive_message()
            if message is None:
                return None
            await client.delete_message(message)
        except ResourceNotFoundError:
            return None
        return base64.b64decode(message.content)


class AzureStorage:
    """One account. Clients are made on first use, inside the running loop, and kept."""

    def __init__(
        self,
        settings: StorageSettings,
        credential: Callable[[], AsyncTokenCredential],
        *,
        retries: int = 3,
    ) -> None:
        self._settings, self._retries = settings, retries
        self._credential = credential
        self.blobs = AzureBlobs(lambda: self._blob_service)
        self.queues = AzureQueues(lambda: self._queue_service)

    def table(self, name: str) -> Table:
        return AzureTable(self._table_service.get_table_client(name))

    async def probe(self) -> Mapping[str, str]:
        tries: dict[str, Callable[[], Awaitable[Any]]] = {
            "queues": lambda: anext(aiter(self._queue_service.list_queues()), None),
            "tables": lambda: anext(aiter(self._table_service.list_tables()), None),
            "blobs": lambda: anext(aiter(self._blob_service.list_containers()), None),
        }
        found = await asyncio.gather(*(_outcome(attempt) for attempt in tries.values()))
        return dict(zip(tries, found, strict=True))

    @cached_property
    def _table_service(self) -> TableServiceClient:
        from azure.data.tables.aio import TableServiceClient

        return self._made(TableServiceClient, self._settings.table_uri)

    @cached_property
    def _queue_service(self) -> QueueServiceClient:
        from azure.storage.queue.aio import QueueServiceClient

        return self._made(QueueServiceClient, self._settings.queue_uri)

    @cached_property
    def _blob_service(self) -> BlobServiceClient:
        from azure.storage.blob.aio import BlobServiceClient

        return self._made(BlobServiceClient, self._settings.blob_uri)

    def _made[C: (TableServiceClient, QueueServiceClient, BlobServiceClient)](
        self, kind: type[C], uri: str
    ) -> C:
        if text := self._settings.connection_string:
            return kind.from_connection_string(text, retry_total=self._retries)
        return kind(uri, credential=SignIn(self._credential()), retry_total=self._retries)

    async def close(self) -> None:
        """Close whichever clients were made; for programs that end, unlike the worker."""
        for name in ("_table_service", "_queue_service", "_blob_service"):
            if service := self.__dict__.pop(name, None):
                await service.close()


async def _outcome(attempt: Callable[[], Awaitable[Any]]) -> str:
    try:
        async with translated():
            await attempt()
    except StorageUnavailable as error:
        return str(error)
    return "ok"
