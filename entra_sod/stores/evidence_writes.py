"""What sealed packs say is the app's own: the ledger's rows can be changed, packs cannot."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field

import msgspec

from entra_sod.domain.entra import Reference, ReferenceKind
from entra_sod.domain.evidence.manifest import CONTAINER, MANIFEST, decode_manifest, digest
from entra_sod.domain.evidence.rows import ReferenceLine
from entra_sod.ports.storage import Blobs
from entra_sod.stores.ledger import LedgerEntry

_decoder = msgspec.json.Decoder(ReferenceLine)


@dataclass(slots=True)
class PackWrites:
    """What a pack says.

    Attributes:
        written: by the run, or adopted by it: the app's own from then on.
        removed: by the run, or given back by it: not the app's own from then on.
    """

    written: set[Reference] = field(default_factory=set)
    removed: set[Reference] = field(default_factory=set)


class EvidenceWrites:
    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._written: dict[str, set[Reference]] = {}  # by run; what is sealed stays as it is

    async def proven(self, entries: Collection[LedgerEntry]) -> Collection[Reference]:
        """Those of the entries that a pack of their own run says were written, or adopted."""
        if unread := {each.run_id for each in entries} - self._written.keys():
            async for run, folder in packs_of(self._blobs, unread):
                pack = await read_pack(self._blobs, folder)
                self._written.setdefault(run, set()).update(pack.written if pack else ())
        return {e.reference for e in entries if e.reference in self._written.get(e.run_id, ())}


async def packs_of(blobs: Blobs, runs: Collection[str]) -> AsyncIterator[tuple[str, str]]:
    """Yield each pack of the runs, as the run and the folder."""
    async for name in blobs.names(CONTAINER):
        folder, _, file = name.rpartition("/")
        run = folder.rpartition("/")[2]
        # A round of a check has a number behind the check's id.
        for each in {run, run.rpartition("-")[0]}.intersection(runs) if file == MANIFEST else ():
            yield each, folder


async def read_pack(blobs: Blobs, folder: str) -> PackWrites | None:
    """Read what a pack says was written and removed; None where it does not hold."""
    found = PackWrites()

    async def data_of(name: str) -> bytes:
        return await blobs.get(CONTAINER, f"{folder}/{name}") or b""

    try:
        manifest = decode_manifest(await data_of(MANIFEST))
        for file in manifest.files:
            if file.name.startswith("references"):
                data = await data_of(file.name)
                if manifest.folder != folder or digest(data) != file.sha256:
                    return None
                _add_lines(found, data)
    except (ValueError, msgspec.DecodeError):
        return None
    return found


def _add_lines(found: PackWrites, data: bytes) -> None:
    for line in map(_decoder.decode, data.splitlines()):
        done = line.planned if line.written else None
        if done or line.ownership:
            reference = Reference(line.access_package_id, ReferenceKind(line.kind), line.target_id)
            is_ours = done == "add" or line.ownership == "adopted"
            (found.written if is_ours else found.removed).add(reference)
