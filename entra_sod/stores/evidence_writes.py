"""What sealed packs say was written: the ledger's rows can be changed, packs cannot."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from entra_sod.domain.entra import Reference, ReferenceKind
from entra_sod.domain.evidence.manifest import CONTAINER, MANIFEST, decode_manifest, digest
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
        if unread := {each.run_id for each in entries} - self._written.keys():
            async for name in self._blobs.names(CONTAINER):
                folder, _, file = name.rpartition("/")
                run = folder.rpartition("/")[2]
                # A round of a check has a number behind the check's id.
                for each in unread & {run, run.rpartition("-")[0]} if file == MANIFEST else ():
                    written = await self._read(folder)
                    self._written[each] = self._written.get(each, set()) | written
        return {e.reference for e in entries if e.reference in self._written.get(e.run_id, ())}

    async def _read(self, folder: str) -> set[Reference]:
        """What a pack says was written; nothing where it does not hold."""
        written = set[Reference]()
        try:
            manifest = decode_manifest(await self._data(f"{folder}/{MANIFEST}"))
            for file in manifest.files:
                if file.name.startswith("references"):
                    data = await self._data(f"{folder}/{file.name}")
                    if manifest.folder != folder or digest(data) != file.sha256:
                        return set()
                    for line in map(_decoder.decode, data.splitlines()):
                        if line.written and line.planned == "add":
                            kind = ReferenceKind(line.kind)
                            written.add(Reference(line.access_package_id, kind, line.target_id))
        except (ValueError, msgspec.DecodeError):
            return set()
        return written

    async def _data(self, name: str) -> bytes:
        return await self._blobs.get(CONTAINER, name) or b""
