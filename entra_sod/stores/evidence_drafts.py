"""A pack before it is sealed: kept apart, so that the next worker seals the same bytes.

What is in the container `evidence` is never written over. So a pack is first drafted whole, and the
first draft of a run is the one that counts; a worker that dies while it is copied is followed by
one that copies the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

import msgspec

from entra_sod.domain.evidence.manifest import EvidenceManifest, FileEntry, entry_of
from entra_sod.ports.storage import Blobs, Row, Storage, Table

TABLE, CONTAINER = "evidence", "evidence-drafts"
MAX_PART_BYTES = 4 * 2**20  # while one is sent, the SDK has two copies of it
_MAX_INLINE_BYTES = 64 * 1024
_DRAFT = "draft"


class DraftFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a draft: its bytes, or the blob that has them."""

    entry: FileEntry
    data: bytes = b""
    blob: str = ""


class EvidenceDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A manifest that has no place in the chain yet, and its files."""

    manifest: EvidenceManifest
    files: list[DraftFile]


_decoder = msgspec.msgpack.Decoder(EvidenceDraft)


class EvidenceDrafts:
    def __init__(self, storage: Storage) -> None:
        self._table: Table = storage.table(TABLE)
        self._blobs: Blobs = storage.blobs

    async def store_file(self, run: str, name: str, data: bytes) -> DraftFile:
        """Take a file into a draft; a large one is written out at once."""
        entry = entry_of(name, data)
        if len(data) <= _MAX_INLINE_BYTES:
            return DraftFile(entry=entry, data=data)
        return DraftFile(entry=entry, blob=await self._put(run, data))

    async def store(self, draft: EvidenceDraft) -> EvidenceDraft:
        """Make this the run's draft, unless it has one; return the one that it has."""
        run = draft.manifest.run
        blob = await self._put(run, msgspec.msgpack.encode(draft))
        row = Row(partition=run, key=_DRAFT, values={"blob": blob})
        if await self._table.insert(row):
            return draft
        return await self.get(run) or draft

    async def get(self, run: str) -> EvidenceDraft | None:
        row = await self._table.get(run, _DRAFT)
        data = await self._blobs.get(CONTAINER, str(row.values["blob"])) if row else None
        return _decoder.decode(data) if data else None

    async def data(self, file: DraftFile) -> bytes:
        """Read a draft's file.

        Raises:
            LookupError: it is gone, for another worker has sealed the pack.
        """
        if not file.blob:
            return file.data
        data = await self._blobs.get(CONTAINER, file.blob)
        if data is None:
            raise LookupError(f"the blob {CONTAINER}/{file.blob} is gone")
        return data

    async def delete(self, run: str) -> None:
        """Forget a run's drafts, now that its pack is sealed."""
        await self._table.delete(run, _DRAFT)
        names = [name async for name in self._blobs.names(CONTAINER, f"{run}/")]
        for name in names:
            await self._blobs.delete(CONTAINER, name)

    async def _put(self, run: str, data: bytes) -> str:
        name = f"{run}/{uuid4().hex}"
        await self._blobs.put(CONTAINER, name, data)
        return name


class RollingFile:
    """Takes lines, and cuts them into files of a few mebibytes: `x.jsonl`, `x-2.jsonl`, ….

    Attributes:
        files: those that are full.
    """

    def __init__(self, drafts: EvidenceDrafts, run: str, name: str, head: bytes = b"") -> None:
        self._drafts, self._run, self._head = drafts, run, head
        self._stem, _, self._ending = name.rpartition(".")
        self._buffer = bytearray(head)
        self.files: list[DraftFile] = []

    async def add(self, line: bytes) -> None:
        self._buffer += line
        if len(self._buffer) >= MAX_PART_BYTES:
            await self._flush()

    async def finish(self) -> Sequence[DraftFile]:
        """Return all files; there is one at least."""
        if not self.files or len(self._buffer) > len(self._head):
            await self._flush()
        return self.files

    async def _flush(self) -> None:
        number = len(self.files) + 1
        name = f"{self._stem}{'' if number == 1 else f'-{number}'}.{self._ending}"
        data, self._buffer = bytes(self._buffer), bytearray(self._head)
        self.files.append(await self._drafts.store_file(self._run, name, data))
