"""What each package granted when it was read last: one blob, so that a sweep reads what is new.

It is a cache. If it is damaged, of another version or too large, every package is read anew.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import msgspec

from entra_sod.core.errors import StorageUnavailable
from entra_sod.domain.grants import Grant, Grants
from entra_sod.ports.storage import Storage

log = logging.getLogger("entra_sod")

CONTAINER, NAME = "grants", "packages-1"
_DAMAGED = (msgspec.MsgspecError, zlib.error, ValueError, OverflowError, OSError)
MAX_BYTES = 256 * 1024 * 1024  # before compression; the largest tenant has a tenth


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantsAsRead:
    """What a package granted.

    Attributes:
        modified: when the package had been changed last, as Graph wrote it.
        at: when it was read.
    """

    grants: Grants
    modified: str | None
    at: datetime


class _StoredPackage(msgspec.Struct, array_like=True, gc=False):
    modified: str | None
    at: float
    grants: list[int]


class _StoredGrants(msgspec.Struct):
    """Each grant once: many packages may give the same."""

    grants: list[Grant]
    packages: dict[str, _StoredPackage]
    version: Literal[1] = 1


class GrantStore:
    def __init__(self, storage: Storage) -> None:
        self._blobs = storage.blobs

    async def read(self) -> Mapping[str, GrantsAsRead]:
        """Read what was stored, by the ids of packages; nothing if it cannot be used."""
        try:
            data = await self._blobs.get(CONTAINER, NAME)
            return _decoded(data) if data else {}
        except (StorageUnavailable, *_DAMAGED) as error:
            _log("what packages grant is read anew: %s", error)
            return {}

    async def write(self, known: Mapping[str, GrantsAsRead]) -> None:
        """Store what was read; if that fails, the next reader reads again."""
        try:
            data = msgspec.msgpack.encode(_to_store(known))
            if len(data) <= MAX_BYTES:
                await self._blobs.put(CONTAINER, NAME, zlib.compress(data, level=1))
            else:
                _log("what packages grant is not stored: it has %s bytes", len(data))
        except StorageUnavailable as error:
            _log("what packages grant is not stored: %s", error)


def _log(text: str, what: object) -> None:
    log.warning(text, what, extra={"action": "grants_cache"})


def _to_store(known: Mapping[str, GrantsAsRead]) -> _StoredGrants:
    places: dict[Grant, int] = {}
    packages = {
        package: _StoredPackage(
            each.modified,
            each.at.timestamp(),
            [places.setdefault(grant, len(places)) for grant in each.grants],
        )
        for package, each in known.items()
    }
    return _StoredGrants(list(places), packages)


def _decoded(data: bytes) -> Mapping[str, GrantsAsRead]:
    decompressor = zlib.decompressobj()
    stored = msgspec.msgpack.decode(
        decompressor.decompress(data, MAX_BYTES + 1), type=_StoredGrants
    )
    return dict(_packages(stored))


def _packages(stored: _StoredGrants) -> Iterator[tuple[str, GrantsAsRead]]:
    for package, each in stored.packages.items():
        if any(not 0 <= place < len(stored.grants) for place in each.grants):
            raise ValueError(f"package {package} has a grant that is not there")
        grants = tuple(stored.grants[place] for place in each.grants)
        at = datetime.fromtimestamp(each.at, UTC)
        yield package, GrantsAsRead(grants=grants, modified=each.modified, at=at)
