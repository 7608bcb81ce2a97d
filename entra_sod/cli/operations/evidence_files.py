"""Where the verifier finds packs, and what replaces a file that was erased."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from entra_sod.domain.evidence.manifest import CONTAINER
from entra_sod.ports.storage import Blobs

_TOMBSTONE = ".erased"


@dataclass(frozen=True, slots=True)
class BlobPacks:
    blobs: Blobs

    def names(self) -> AsyncIterator[str]:
        return self.blobs.names(CONTAINER)

    async def read(self, name: str) -> bytes | None:
        return await self.blobs.get(CONTAINER, name)


@dataclass(frozen=True, slots=True)
class FolderPacks:
    folder: Path

    async def names(self) -> AsyncIterator[str]:
        found = await asyncio.to_thread(lambda: sorted(self.folder.rglob("*")))
        for path in found:
            if path.is_file():
                yield path.relative_to(self.folder).as_posix()

    async def read(self, name: str) -> bytes | None:
        path = self.folder / name
        return await asyncio.to_thread(path.read_bytes) if path.is_file() else None


class Tombstone(msgspec.Struct, frozen=True, kw_only=True):
    """What lies in the place of a rules file that named a person who was erased.

    It keeps nothing of the text, which may name others, who could not be erased any more: where a
    policy holds it, a tombstone is not written over.

    Attributes:
        at: RFC 3339, when it was erased.
        sha256: of the file as it was.
    """

    at: str
    sha256: str


def tombstone_of(name: str) -> str:
    return f"{name}{_TOMBSTONE}"


def is_tombstone(name: str) -> bool:
    """Whether a file of a pack stands for a rules file; nothing else is ever erased."""
    return name.startswith("rules/") and name.endswith(_TOMBSTONE)


def decode_tombstone(data: bytes) -> Tombstone | None:
    try:
        return msgspec.json.decode(data, type=Tombstone)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
