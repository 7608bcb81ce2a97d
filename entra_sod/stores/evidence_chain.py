"""Seals packs: copies a draft to where nothing is written over, and links it to the pack before.

The chain's head is one row. A worker that links a pack replaces the head in the version
that it read, so links come one after the other, however many runs end at once. The manifest is made
of the draft and the link alone: should a worker die between the two, the next one writes it.

Where the head is gone or broken, the next pack follows the newest one that is there, and says so.
"""

from __future__ import annotations

import logging

import msgspec

from entra_sod.domain.evidence.manifest import (
    CONTAINER,
    FOLDER_PARTS,
    MANIFEST,
    EvidenceManifest,
    ManifestLink,
    decode_manifest,
    digest,
    encode_manifest,
)
from entra_sod.ports.storage import Row, Storage, Value
from entra_sod.stores.evidence_drafts import TABLE, EvidenceDraft, EvidenceDrafts

log = logging.getLogger("entra_sod")

_CHAIN, _HEAD = "chain", "head"


class ChainHead(msgspec.Struct, frozen=True, kw_only=True):
    """The newest link: whose pack, and the hash of its manifest; `headless` as in that."""

    run: str
    folder: str
    sequence: int
    sha256: str
    previous: ManifestLink | None
    headless: bool = False


class EvidenceChain:
    def __init__(self, storage: Storage) -> None:
        self._table, self._blobs = storage.table(TABLE), storage.blobs
        self.drafts = EvidenceDrafts(storage)

    async def head(self) -> ChainHead | None:
        """Read the newest link; None where there is none.

        Raises:
            ValueError: the row is there, and is no head.
        """
        row = await self._table.get(_CHAIN, _HEAD)
        return _head(row) if row else None

    async def is_sealed(self, folder: str) -> bool:
        return await self._has(f"{folder}/{MANIFEST}")

    async def seal(self, draft: EvidenceDraft) -> None:
        """Copy a draft's files, link it, and write its manifest; doing it twice does it once.

        Args:
            draft: as `EvidenceDrafts.store` returned it: a run has one.
        """
        folder = draft.manifest.folder
        if not await self.is_sealed(folder):
            try:
                await self._copy(draft)
            except LookupError:
                if not await self.is_sealed(folder):
                    raise
                return
            await self._link(draft.manifest)
        await self.drafts.delete(draft.manifest.run)

    async def _copy(self, draft: EvidenceDraft) -> None:
        for file in draft.files:
            data = await self.drafts.data(file)
            await self._blobs.create(CONTAINER, f"{draft.manifest.folder}/{file.entry.name}", data)

    async def _link(self, manifest: EvidenceManifest) -> None:
        while True:
            # In this order: its manifest was written before the head moved past it.
            row = await self._table.get(_CHAIN, _HEAD)
            if await self.is_sealed(manifest.folder):
                return
            linked = _head_or_none(row)
            head = linked or await self._newest()
            if head is not None and head.run == manifest.run:
                await self._write_manifest(manifest, head)
                return
            if head is not None:
                await self._finish(head)
            new = _next(head, manifest, headless=linked is None and head is not None)
            if await self._replace_head(row, new):
                _log_sealed(new)

    async def _newest(self) -> ChainHead | None:
        """The newest pack that is there, if the head is not known; it takes reading them all."""
        newest: ChainHead | None = None
        async for name in self._blobs.names(CONTAINER):
            if _is_manifest(name):
                found = _of_manifest(name, await self._blobs.get(CONTAINER, name) or b"")
                if found and (newest is None or found.sequence > newest.sequence):
                    newest = found
        return newest

    async def _finish(self, head: ChainHead) -> None:
        """Write the manifest that a worker linked and died before it wrote."""
        if await self.is_sealed(head.folder):
            return
        draft = await self.drafts.get(head.run)
        if draft is not None:
            await self._write_manifest(draft.manifest, head)

    async def _write_manifest(self, manifest: EvidenceManifest, head: ChainHead) -> None:
        linked = msgspec.structs.replace(
            manifest, sequence=head.sequence, previous=head.previous, headless=head.headless
        )
        name = f"{manifest.folder}/{MANIFEST}"
        await self._blobs.create(CONTAINER, name, encode_manifest(linked))

    async def _replace_head(self, row: Row | None, head: ChainHead) -> bool:
        values: dict[str, Value] = {"head": msgspec.json.encode(head).decode()}
        new = Row(partition=_CHAIN, key=_HEAD, values=values, etag=row.etag if row else "")
        return await (self._table.replace(new) if row else self._table.insert(new))

    async def _has(self, name: str) -> bool:
        return await self._blobs.get_range(CONTAINER, name, 0, 1) is not None


def _log_sealed(head: ChainHead) -> None:
    if head.headless:
        log.error(
            "the head of the chain of evidence was lost: %s follows %s, the newest pack found",
            head.run,
            head.previous.folder if head.previous else "none",
            extra={"action": "evidence_head_lost", "work_id": head.run},
        )
    log.info(
        "the evidence of %s is sealed",
        head.run,
        extra={"action": "evidence_sealed", "work_id": head.run},
    )


def _is_manifest(name: str) -> bool:
    return name.endswith(f"/{MANIFEST}") and name.count("/") == FOLDER_PARTS


def _of_manifest(name: str, data: bytes) -> ChainHead | None:
    """The head that a pack was once; None where its manifest is damaged or lies elsewhere."""
    try:
        manifest = decode_manifest(data)
    except ValueError:
        return None
    if name != f"{manifest.folder}/{MANIFEST}":
        return None
    return head_of(manifest, data)


def _next(head: ChainHead | None, manifest: EvidenceManifest, *, headless: bool) -> ChainHead:
    linked = msgspec.structs.replace(
        manifest,
        sequence=head.sequence + 1 if head else 1,
        previous=ManifestLink(folder=head.folder, sha256=head.sha256) if head else None,
        headless=headless,
    )
    return head_of(linked, encode_manifest(linked))


def head_of(manifest: EvidenceManifest, data: bytes) -> ChainHead:
    return ChainHead(
        run=manifest.run,
        folder=manifest.folder,
        sequence=manifest.sequence,
        sha256=digest(data),
        previous=manifest.previous,
        headless=manifest.headless,
    )


def _head(row: Row) -> ChainHead:
    try:
        return msgspec.json.decode(str(row.values.get("head", "")), type=ChainHead)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise ValueError(f"is no head of a chain: {error}") from error


def _head_or_none(row: Row | None) -> ChainHead | None:
    try:
        return _head(row) if row else None
    except ValueError:
        return None
