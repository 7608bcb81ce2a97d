"""What packages granted, kept between sweeps; a cache that is never trusted when it is damaged."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime

import msgspec
import pytest

from entra_sod.core.errors import StorageUnavailable
from entra_sod.domain.grants import Grant, GrantKind
from entra_sod.stores import grants as module
from entra_sod.stores.grants import CONTAINER, NAME, GrantsAsRead, GrantStore
from local.memory.storage import MemoryStorage

AT = datetime(2026, 6, 1, 2, tzinfo=UTC)
POST = Grant("AadApplication", "app", "Payments", "role", "Post payments", GrantKind.ACTIVE)
KNOWN = {
    "a": GrantsAsRead(grants=(POST,), modified="2026-05-01T00:00:00Z", at=AT),
    "b": GrantsAsRead(grants=(POST,), modified=None, at=AT),
    "c": GrantsAsRead(grants=(), modified=None, at=AT),
}


async def test_what_is_stored_is_read_back() -> None:
    """With the moment, and what two packages grant is one value in memory."""
    storage = MemoryStorage()
    await GrantStore(storage).write(KNOWN)
    found = await GrantStore(storage).read()
    assert found == KNOWN
    assert found["a"].grants[0] is found["b"].grants[0]


def stored(version: int = 1, place: int = 0, at: float = AT.timestamp()) -> bytes:
    grants = [msgspec.structs.asdict(POST)]
    packages = {"a": [None, at, [place]]}
    content = {"version": version, "grants": grants, "packages": packages}
    return zlib.compress(msgspec.msgpack.encode(content))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no zlib",
        zlib.compress(b"no msgpack"),
        stored()[:-20],
        stored(version=2),
        stored(place=1),
        stored(place=-1),
        zlib.compress(msgspec.msgpack.encode({"version": 1})),
        stored(at=1e300),
    ],
)
async def test_what_is_damaged_is_nothing(data: bytes) -> None:
    """Cut off, of another version, or with a grant that is not there: all is read anew."""
    storage = MemoryStorage()
    await storage.blobs.put(CONTAINER, NAME, data)
    assert await GrantStore(storage).read() == {}


async def test_a_sound_blob_of_this_shape_is_read() -> None:
    """The damaged ones above differ from it by one thing each."""
    storage = MemoryStorage()
    await storage.blobs.put(CONTAINER, NAME, stored())
    assert set(await GrantStore(storage).read()) == {"a"}


async def test_a_blob_that_would_unpack_to_too_much_is_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The limit holds for what is read and for what is written."""
    storage = MemoryStorage()
    await GrantStore(storage).write(KNOWN)
    monkeypatch.setattr(module, "MAX_BYTES", 50)
    assert await GrantStore(storage).read() == {}
    await storage.blobs.delete(CONTAINER, NAME)
    await GrantStore(storage).write(KNOWN)
    assert await storage.blobs.get(CONTAINER, NAME) is None


async def test_storage_that_fails_costs_the_cache_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is known then, and the reader asks Graph."""
    storage = MemoryStorage()

    async def fail(*_: object) -> None:
        raise StorageUnavailable("503")

    monkeypatch.setattr(storage.blobs, "get", fail)
    monkeypatch.setattr(storage.blobs, "put", fail)
    await GrantStore(storage).write(KNOWN)
    assert await GrantStore(storage).read() == {}
