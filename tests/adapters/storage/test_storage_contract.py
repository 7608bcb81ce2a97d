"""The same cases against storage in memory and against Azurite, through the real SDK."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from entra_sod.adapters.storage.azure import AzureStorage
from entra_sod.core.errors import StorageUnavailable
from entra_sod.domain.messages import MAX_MESSAGE_BYTES
from entra_sod.ports.storage import MAX_BINARY_BYTES, Condition, QueueState, Row, Storage, Value
from entra_sod.settings import StorageSettings
from local.memory.storage import MemoryStorage

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential


def no_identity() -> AsyncTokenCredential:
    raise AssertionError("a connection string needs no identity")


@pytest.fixture(params=["memory", "azurite"])
async def storage(request: pytest.FixtureRequest) -> AsyncIterator[Storage]:
    if request.param == "memory":
        yield MemoryStorage()
        return
    connection = request.getfixturevalue("azurite")
    azure = AzureStorage(StorageSettings(connection_string=connection), no_identity)
    yield azure
    await azure.close()


@pytest.fixture
def name() -> str:
    """A name that no other test uses, fit for tables, containers and queues."""
    return f"t{uuid4().hex}"


def row(key: str, partition: str = "p", **values: str | int | bool | bytes) -> Row:
    return Row(partition=partition, key=key, values=values)


async def test_a_row_comes_back_as_it_was_put(storage: Storage, name: str) -> None:
    """Text, numbers, truth values and bytes survive; the etag is set."""
    table = storage.table(name)
    values: dict[str, Value] = {"text": "ä/€", "number": 7, "yes": True, "data": b"\x00\xff"}
    assert await table.insert(Row(partition="p", key="k", values=values))
    found = await table.get("p", "k")
    assert found is not None
    assert (dict(found.values), bool(found.etag)) == (values, True)


async def test_a_row_is_inserted_once(storage: Storage, name: str) -> None:
    """The second insert of the same keys says no and changes nothing."""
    table = storage.table(name)
    assert await table.insert(row("k", n=1))
    assert not await table.insert(row("k", n=2))
    found = await table.get("p", "k")
    assert found is not None
    assert found.values["n"] == 1


async def test_a_row_that_is_not_there_is_none(storage: Storage, name: str) -> None:
    """Neither a missing row nor a missing table is an error."""
    table = storage.table(name)
    assert await table.get("p", "k") is None
    await table.insert(row("other"))
    assert await table.get("p", "k") is None
    assert [each async for each in storage.table(name + "x").rows("p")] == []


async def test_only_the_version_that_was_read_is_replaced(storage: Storage, name: str) -> None:
    """Of two writers that read the same version, the second one is told no."""
    table = storage.table(name)
    await table.insert(row("k", n=1))
    read = await table.get("p", "k")
    assert read is not None
    assert await table.replace(Row(partition="p", key="k", values={"n": 2}, etag=read.etag))
    assert not await table.replace(Row(partition="p", key="k", values={"n": 3}, etag=read.etag))
    found = await table.get("p", "k")
    assert found is not None
    assert dict(found.values) == {"n": 2}


async def test_a_row_that_is_gone_is_not_replaced(storage: Storage, name: str) -> None:
    """Replacing a row that another worker deleted returns false and does not restore the row."""
    table = storage.table(name)
    await table.insert(row("k"))
    read = await table.get("p", "k")
    assert read is not None
    await table.delete("p", "k")
    await table.delete("p", "k")
    assert not await table.replace(Row(partition="p", key="k", values={}, etag=read.etag))
    assert await table.get("p", "k") is None


async def test_a_row_that_changed_is_not_deleted_by_its_old_version(
    storage: Storage, name: str
) -> None:
    """A deletion may be tied to the version that was read; a row that is gone counts as deleted."""
    table = storage.table(name)
    await table.insert(row("k", n=1))
    old = await table.get("p", "k")
    assert old is not None
    await table.replace(Row(partition="p", key="k", values={"n": 2}, etag=old.etag))
    assert not await table.delete("p", "k", etag=old.etag)
    new = await table.get("p", "k")
    assert new is not None
    assert await table.delete("p", "k", etag=new.etag)
    assert await table.delete("p", "k", etag=new.etag)
    assert await table.get("p", "k") is None


async def test_rows_come_by_partition_and_in_order(storage: Storage, name: str) -> None:
    """A partition's rows come in the order of their keys; without one, all rows come."""
    table = storage.table(name)
    for key in ("b", "a"):
        await table.insert(row(key, partition="it's"))
    await table.insert(row("c", partition="z"))
    assert [each.key async for each in table.rows("it's")] == ["a", "b"]
    assert [each.key async for each in table.rows()] == ["a", "b", "c"]


async def test_rows_are_read_on_behind_a_place(storage: Storage, name: str) -> None:
    """A reader that continues gets the later rows of this partition and of the next ones."""
    table = storage.table(name)
    for partition in "pqr":
        for key in "abc":
            await table.insert(row(key, partition=partition))
    rest = [(each.partition, each.key) async for each in table.rows(after=("p", "b"))]
    assert rest == [("p", "c"), *((partition, key) for partition in "qr" for key in "abc")]
    assert [each.key async for each in table.rows("q", after=("q", "aa"))] == ["b", "c"]
    assert [each.key async for each in table.rows("q", after=("r", "a"))] == []


async def test_rows_are_chosen_by_key_and_by_what_they_hold(storage: Storage, name: str) -> None:
    """Of each alternative one condition must hold; rows without the property do not fit."""
    table = storage.table(name)
    await table.insert(row("a1", state="open", low="x", since="2026-01-02"))
    await table.insert(row("a2", state="open", high="x", since="2026-01-01"))
    await table.insert(row("b1", state="it's", low="x", since="2026-01-03"))

    async def keys(prefix: str = "", *where: Sequence[Condition]) -> list[str]:
        return [each.key async for each in table.rows("p", prefix=prefix, where=where)]

    either = [Condition("low", "eq", "x"), Condition("high", "eq", "x")]
    assert await keys("a") == ["a1", "a2"]
    assert await keys("", either, [Condition("state", "eq", "open")]) == ["a1", "a2"]
    assert await keys("", [Condition("low", "eq", "x")]) == ["a1", "b1"]
    assert await keys("", [Condition("since", "ge", "2026-01-02")]) == ["a1", "b1"]
    assert await keys("", [Condition("state", "eq", "it's")]) == ["b1"]


async def test_a_batch_is_written_whole_or_not_at_all(storage: Storage, name: str) -> None:
    """Inserts, replacements and removals of one partition go as one; one that is late stops all."""
    table = storage.table(name)
    assert await table.write([row("a", n=1), row("b", n=1)])
    a, b = [each async for each in table.rows("p")]
    assert not await table.write([row("c", n=1), row("a", n=2)])
    assert not await table.write([row("c")], [Row(partition="p", key="b", etag='W/"old"')])
    assert await table.get("p", "c") is None
    changed = Row(partition="p", key="a", values={"n": 2}, etag=a.etag)
    assert await table.write([changed, row("c", n=3)], [b])
    assert not await table.write([changed])
    assert not await table.write([], [b])
    found = [(each.key, each.values["n"]) async for each in table.rows("p")]
    assert found == [("a", 2), ("c", 3)]


async def test_a_batch_has_a_hundred_rows_of_one_partition(storage: Storage, name: str) -> None:
    """A hundred go at once; one more, or another partition, is an error before anything is sent."""
    table = storage.table(name)
    assert await table.write([row(f"{number:03}") for number in range(100)])
    with pytest.raises(ValueError, match="100"):
        await table.write([row(f"x{number:03}") for number in range(101)])
    with pytest.raises(ValueError, match="one partition"):
        await table.write([row("y"), row("y", partition="q")])


async def test_a_property_that_is_too_large_is_refused(storage: Storage, name: str) -> None:
    """What a table property cannot hold is an error before anything is sent."""
    with pytest.raises(ValueError, match="data"):
        await storage.table(name).insert(row("k", data=b"x" * (MAX_BINARY_BYTES + 1)))
    assert await storage.table(name).insert(row("k", data=b"x" * MAX_BINARY_BYTES))


async def test_a_blob_comes_back_as_it_was_put_last(storage: Storage, name: str) -> None:
    """Blobs are made with their container, written over, and listed by prefix."""
    blobs = storage.blobs
    assert await blobs.get(name, "a/1") is None
    assert [each async for each in blobs.names(name)] == []
    for blob, data in (("a/1", b"old"), ("a/1", b"new"), ("b/1", b"")):
        await blobs.put(name, blob, data)
    assert await blobs.get(name, "a/1") == b"new"
    assert await blobs.get(name, "a/2") is None
    assert [each async for each in blobs.names(name, "a/")] == ["a/1"]


async def test_a_blob_is_created_once(storage: Storage, name: str) -> None:
    """The second to create a blob is told no, and it stays as it was; removing it twice is well."""
    blobs = storage.blobs
    assert await blobs.create(name, "a", b"first")
    assert not await blobs.create(name, "a", b"second")
    assert await blobs.get(name, "a") == b"first"
    await blobs.delete(name, "a")
    await blobs.delete(name, "a")
    assert await blobs.get(name, "a") is None


async def test_some_bytes_of_a_blob_come_alone(storage: Storage, name: str) -> None:
    """As far as the blob goes, and past its end no bytes; without the blob there is none."""
    blobs = storage.blobs
    assert await blobs.get_range(name, "a", 0, 1) is None
    await blobs.put(name, "a", b"0123456789")
    assert await blobs.get_range(name, "a", 3, 4) == b"3456"
    assert await blobs.get_range(name, "a", 8, 4) == b"89"
    assert await blobs.get_range(name, "a", 10, 4) == b""


async def test_a_blob_is_deleted_and_may_be_gone(storage: Storage, name: str) -> None:
    """Deleting takes one blob; without it, or without its container, nothing is wrong."""
    blobs = storage.blobs
    await blobs.delete(name, "a")
    await blobs.put(name, "a", b"1")
    await blobs.put(name, "b", b"2")
    for _ in range(2):
        await blobs.delete(name, "a")
    assert [each async for each in blobs.names(name)] == ["b"]


async def test_a_queue_is_looked_at_without_taking_from_it(storage: Storage, name: str) -> None:
    """Hidden messages count; the oldest is the first that can be seen."""
    queues = storage.queues
    assert await queues.state(name) == QueueState(length=0, oldest=None)
    await queues.send(name, b"later", delay_seconds=300)
    assert await queues.state(name) == QueueState(length=1, oldest=None)
    before = datetime.now(UTC) - timedelta(seconds=5)
    await queues.send(name, b"1")
    await queues.send(name, b"2")
    for _ in range(2):
        state = await queues.state(name)
        assert state.length == 3
        assert state.oldest is not None
        assert before <= state.oldest <= datetime.now(UTC) + timedelta(seconds=5)


async def test_a_message_may_be_any_bytes(storage: Storage, name: str) -> None:
    """What is no text has to reach its poison queue as well."""
    body = bytes(range(256))
    await storage.queues.send(name, body)
    assert await storage.queues.take(name) == body


async def test_a_message_is_taken_off_its_queue(storage: Storage, name: str) -> None:
    """The first that can be seen, once; a hidden one stays."""
    queues = storage.queues
    assert await queues.take(name) is None
    for body, delay in ((b"hidden", 300), (b"1", 0), (b"2", 0)):
        await queues.send(name, body, delay_seconds=delay)
    assert [await queues.take(name) for _ in range(3)] == [b"1", b"2", None]
    assert (await queues.state(name)).length == 1


async def test_a_message_may_fill_its_payload_and_no_more(storage: Storage, name: str) -> None:
    """48 KiB go through base64; a byte more is refused with the sizes."""
    await storage.queues.send(name, b"x" * MAX_MESSAGE_BYTES, delay_seconds=1)
    with pytest.raises(ValueError, match="49153"):
        await storage.queues.send(name, b"x" * (MAX_MESSAGE_BYTES + 1))


async def test_every_service_answers_the_probe(storage: Storage) -> None:
    """A storage that works says ok for each of its services."""
    assert await storage.probe() == {"queues": "ok", "tables": "ok", "blobs": "ok"}


async def test_a_message_travels_as_base64(azurite: str, name: str) -> None:
    """The host's messageEncoding is base64, so what lies on the queue is base64."""
    from azure.storage.queue.aio import QueueClient

    azure = AzureStorage(StorageSettings(connection_string=azurite), no_identity)
    await azure.queues.send(name, b'{"a":1}')
    async with QueueClient.from_connection_string(azurite, name) as queue:
        message = await queue.receive_message()
    await azure.close()
    assert message is not None
    assert message.content == "eyJhIjoxfQ=="


async def test_a_storage_that_is_away_is_named_without_its_key() -> None:
    """No answer is StorageUnavailable, and neither error nor probe shows the account key."""
    key = "c2VjcmV0"
    connection = (
        f"DefaultEndpointsProtocol=http;AccountName=a;AccountKey={key};"
        "TableEndpoint=http://127.0.0.1:9/a;QueueEndpoint=http://127.0.0.1:9/a;"
        "BlobEndpoint=http://127.0.0.1:9/a"
    )
    azure = AzureStorage(StorageSettings(connection_string=connection), no_identity, retries=0)
    with pytest.raises(StorageUnavailable) as caught:
        await azure.table("checks").get("p", "k")
    probe = await azure.probe()
    await azure.close()
    assert set(probe) == {"queues", "tables", "blobs"}
    assert "ok" not in probe.values()
    assert key not in f"{caught.value!r} {probe}"
