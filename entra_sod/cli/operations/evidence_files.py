"""Where packs lie for whoever verifies them: the app's container, or a folder of copies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from entra_sod.domain.evidence.manifest import CONTAINER
from entra_sod.ports.storage import Blobs


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
