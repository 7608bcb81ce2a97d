"""What sealed packs say was written: the ledger's rows can be changed, packs cannot."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from entra_sod.domain.entra import Reference, ReferenceKind
from entra_sod.domain.evidence.manifest import (
    CONTAINER,
    FOLDER_PARTS,
    MANIFEST,
    decode_manifest,
    digest,
)
from entra_sod.domain.evidence.rows import ReferenceLine
from entra_sod.ports.storage import Blobs
from entra_sod.stores.ledger import LedgerEntry

_decoder = msgspec.json.Decoder(ReferenceLine)


class EvidenceWrites:
    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._written: dict[str, set[Reference]] = {}  # by run; what is sealed stays as it is

    async def proven(self, entries: Collection[LedgerEntry]) -> Collection[Reference]:
        """Those of the entries that a pack of their own run says were written."""
        unread = {each.run_id for each in entries} - self._written.keys()
        if unread:
            await self._read_packs(unread)
        return {each.reference for each in entries if self._says(each)}

    async def _read_packs(self, runs: Collection[str]) -> None:
        async for name in self._blobs.names(CONTAINER):
            *folder, run, file = ["", *name.split("/")]
            if file == MANIFEST and len(folder) == FOLDER_PARTS:
                # A round of a check has a number behind the check's id.
                for each in {run, run.rpartition("-")[0]}.intersection(runs):
                    self._written.setdefault(each, set()).update(await self._read(name))

    def _says(self, entry: LedgerEntry) -> bool:
        return entry.reference in self._written.get(entry.run_id, ())

    async def _read(self, name: str) -> Collection[Reference]:
        """What a pack says was written; nothing where it does not hold."""
        folder, written = name.removesuffix(f"/{MANIFEST}"), set[Reference]()
        try:
            manifest = decode_manifest(await self._blobs.get(CONTAINER, name) or b"")
            for file in manifest.files:
                if file.name.startswith("references"):
                    data = await self._blobs.get(CONTAINER, f"{folder}/{file.name}") or b""
                    if manifest.folder != folder or digest(data) != file.sha256:
                        return ()
                    lines = map(_decoder.decode, data.splitlines())
                    written |= {_reference(each) for each in lines if _is_addition(each)}
        except (ValueError, msgspec.DecodeError):
            return ()
        return written


def _is_addition(line: ReferenceLine) -> bool:
    return line.written and line.planned == "add"


def _reference(line: ReferenceLine) -> Reference:
    return Reference(line.access_package_id, ReferenceKind(line.kind), line.target_id)
