"""What the chain of evidence proves was written, and was not removed since.

A pack counts where the chain holds: from the chain's head back to the pack, each manifest has the
hash that its successor names. So a pack that was put beside the others by hand proves nothing. A
reference that a newer pack says was removed is not ours any more: if it exists again, the app did
not make it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass

from entra_sod.domain.entra import Reference
from entra_sod.domain.evidence.manifest import (
    CONTAINER,
    MANIFEST,
    EvidenceManifest,
    ManifestLink,
    decode_manifest,
    digest,
)
from entra_sod.ports.storage import Storage
from entra_sod.services.evidence.writer import RETURNED_COUNT
from entra_sod.stores.evidence_chain import EvidenceChain
from entra_sod.stores.evidence_writes import EvidenceWrites, packs_of, read_pack
from entra_sod.stores.ledger import LedgerEntry

REMOVED_COUNT = "references-removed"


@dataclass(frozen=True, slots=True)
class ProvenPack:
    """What a run wrote or adopted as its pack says, and when the run looked."""

    at: str
    written: frozenset[Reference]


class ChainedWrites(EvidenceWrites):
    """Proves by the packs of some runs, as they were when they were read.

    Attributes:
        runs: that have a pack, whether the chain holds it or not.
        broken: where the chain ends before all packs of the runs were found, and why; else empty.
    """

    def __init__(self, storage: Storage) -> None:
        super().__init__(storage.blobs)
        self._chain = EvidenceChain(storage)
        self._packs: dict[str, list[ProvenPack]] = {}
        self._removed: dict[Reference, str] = {}  # when each was last removed
        self.runs: set[str] = set()
        self.broken = ""

    async def read(self, runs: Collection[str]) -> None:
        """Follow the chain from its head back to the oldest pack of these runs."""
        folders: dict[str, list[str]] = {}
        async for run, folder in packs_of(self._blobs, runs):
            folders.setdefault(folder, []).append(run)
            self.runs.add(run)
        waiting = set(folders)
        if not waiting:
            return
        async for manifest in self._linked():
            waiting.discard(manifest.folder)
            if not await self._take(manifest, folders.get(manifest.folder, ())):
                self.broken = f"{manifest.folder} is damaged"
            if self.broken or not waiting:
                return

    @property
    def removed(self) -> Collection[Reference]:
        """What packs newer than the oldest of these runs say was removed, or given back."""
        return self._removed.keys()

    async def proven(self, entries: Collection[LedgerEntry]) -> Collection[Reference]:
        written = {run: self.written(run) for run in {each.run_id for each in entries}}
        return {each.reference for each in entries if each.reference in written[each.run_id]}

    def written(self, run: str) -> Collection[Reference]:
        """What a run is proved to have written, and no later run to have removed."""
        return {
            reference
            for pack in self._packs.get(run, ())
            for reference in pack.written
            if self._removed.get(reference, "") < pack.at
        }

    async def _linked(self) -> AsyncIterator[EvidenceManifest]:
        """Yield the manifests that the chain holds, the newest first."""
        try:
            head = await self._chain.head()
        except ValueError as error:
            self.broken = f"the row of its head {error}"
            return
        if head is None:
            self.broken = "it has no head"
            return
        link: ManifestLink | None = ManifestLink(folder=head.folder, sha256=head.sha256)
        if not await self._chain.is_sealed(head.folder):
            link = head.previous  # the run that is sealing it has not written the manifest yet
        while link:
            manifest = await self._manifest(link)
            if manifest is None:
                self.broken = f"{link.folder} is missing, or is not what was linked"
                return
            yield manifest
            link = manifest.previous
        self.broken = "it does not have every pack that is there"

    async def _manifest(self, link: ManifestLink) -> EvidenceManifest | None:
        data = await self._blobs.get(CONTAINER, f"{link.folder}/{MANIFEST}") or b""
        try:
            manifest = decode_manifest(data)
        except ValueError:
            return None
        is_linked = digest(data) == link.sha256 and manifest.folder == link.folder
        return manifest if is_linked else None

    async def _take(self, manifest: EvidenceManifest, runs: Collection[str]) -> bool:
        """Note what a pack says; False where it does not hold and may have named removals."""
        removes = any(manifest.counts.get(each, 0) > 0 for each in (REMOVED_COUNT, RETURNED_COUNT))
        if not runs and not removes:
            return True
        pack = await read_pack(self._blobs, manifest.folder)
        if pack is None:
            return not removes
        for run in runs:
            proven = ProvenPack(manifest.at, frozenset(pack.written))
            self._packs.setdefault(run, []).append(proven)
        for each in pack.removed:
            self._removed[each] = max(manifest.at, self._removed.get(each, ""))
        return True
