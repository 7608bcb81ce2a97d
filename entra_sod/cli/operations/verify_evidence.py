"""Proves a chain of evidence, or names each place where it breaks, the first one first.

It trusts nothing but the hashes: every file against its manifest, every manifest against the one
after it, the last one against the chain's head where that is known.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from entra_sod.cli.operations.evidence_files import decode_tombstone, is_tombstone, tombstone_of
from entra_sod.domain.evidence.manifest import (
    FOLDER_PARTS,
    MANIFEST,
    EvidenceManifest,
    FileEntry,
    block_digests,
    decode_manifest,
    digest,
)
from entra_sod.stores.evidence_chain import ChainHead, EvidenceChain, head_of

HEAD = "the row of the chain's head"
_MISSING = "is missing"


class EvidenceFiles(Protocol):
    """Packs, wherever they lie."""

    def names(self) -> AsyncIterator[str]: ...

    async def read(self, name: str) -> bytes | None: ...


@dataclass(frozen=True, slots=True)
class Break:
    """A place where the chain does not hold.

    Attributes:
        where: a file, or a folder.
        what: is wrong there.
    """

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass(slots=True)
class Proof:
    """What was looked at, and what does not hold; without breaks all of it holds.

    Attributes:
        packs, files: how many were proved.
        erased: rules files that named a person who was erased since.
        unsealed: folders whose run has not written its manifest yet.
    """

    packs: int = 0
    files: int = 0
    breaks: list[Break] = field(default_factory=list)
    erased: list[str] = field(default_factory=list)
    unsealed: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Pack:
    folder: str
    manifest: EvidenceManifest
    data: bytes

    @property
    def path(self) -> str:
        return f"{self.folder}/{MANIFEST}"


async def read_head(chain: EvidenceChain) -> ChainHead | Break | None:
    """Read a chain's head; where its row is none, that is where the chain breaks."""
    try:
        return await chain.head()
    except ValueError as error:
        return Break(HEAD, str(error))


async def verify(
    files: EvidenceFiles,
    told_head: ChainHead | Break | None,
    *,
    first: int = 1,
    is_copy: bool = False,
) -> Proof:
    """Go through a chain from its first pack to its last.

    Args:
        files: of all packs.
        told_head: of the chain; None where it has none, a break as soon as there are packs.
        first: the sequence number to begin with; packs before it are not proved.
        is_copy: the head of a copy is not known, nor whether packs are missing at the end.
    """
    proof, names = Proof(), [name async for name in files.names()]
    head = told_head if isinstance(told_head, ChainHead) else None
    by_folder = _by_folder(names)
    all_packs, damaged = await _read(files, by_folder)
    changed = _changed(all_packs, head)
    packs = [each for each in all_packs if each.manifest.sequence >= first]
    before: _Pack | None = None
    for pack in packs:
        proof.breaks += _link_breaks(pack, before, first, damaged)
        if pack.folder in changed:
            proof.breaks.append(Break(pack.path, "was changed: the chain has another hash for it"))
        else:
            proof.breaks += [each async for each in _file_breaks(files, pack, by_folder, proof)]
        before = pack
    proof.packs = len(packs)
    if isinstance(told_head, Break):
        proof.breaks.append(told_head)
    elif not is_copy:
        proof.breaks += _end_breaks(before, head, damaged)
    told = {each.where.removesuffix(f"/{MANIFEST}") for each in proof.breaks}
    proof.breaks += [
        Break(f"{folder}/{MANIFEST}", what)
        for folder, what in damaged.items()
        if what != _MISSING and folder not in told
    ]
    proof.unsealed = [
        folder for folder, what in damaged.items() if what == _MISSING and folder not in told
    ]
    return proof


def _by_folder(names: Sequence[str]) -> Mapping[str, Sequence[str]]:
    folders: dict[str, list[str]] = {}
    for name in names:
        folder = "/".join(name.split("/")[:FOLDER_PARTS])
        folders.setdefault(folder, []).append(name.removeprefix(f"{folder}/"))
    return folders


async def _read(
    files: EvidenceFiles, by_folder: Mapping[str, Sequence[str]]
) -> tuple[list[_Pack], dict[str, str]]:
    """Every pack in order, and the folders that have no manifest, with what is wrong with it."""
    packs: list[_Pack] = []
    damaged: dict[str, str] = {}
    for folder in by_folder:
        data = await files.read(f"{folder}/{MANIFEST}")
        if data is None:
            damaged[folder] = _MISSING
            continue
        try:
            packs.append(_Pack(folder, decode_manifest(data), data))
        except ValueError as error:
            damaged[folder] = f"was changed: it is no manifest any more ({error})"
    packs.sort(key=lambda pack: (pack.manifest.sequence, pack.folder))
    return packs, damaged


def _changed(packs: Sequence[_Pack], head: ChainHead | None) -> set[str]:
    """Packs whose manifest is not the one that was linked; told by those after them, if sound."""
    changed: set[str] = set()
    linked = {head.folder: head.sha256} if head else {}
    for pack in reversed(packs):
        if linked.get(pack.folder, digest(pack.data)) != digest(pack.data):
            changed.add(pack.folder)
        elif previous := pack.manifest.previous:
            linked[previous.folder] = previous.sha256
    return changed


def _link_breaks(
    pack: _Pack, before: _Pack | None, first: int, damaged: Mapping[str, str]
) -> Iterator[Break]:
    manifest, previous = pack.manifest, pack.manifest.previous
    if manifest.folder != pack.folder:
        yield Break(pack.path, f"is that of {manifest.folder}: runs were put in another order")
    expected = before.manifest.sequence + 1 if before else first
    if manifest.sequence > expected:
        folder = previous.folder if previous else ""
        lost = f"number {expected}"
        if manifest.sequence > expected + 1:
            lost += f" to {manifest.sequence - 1}"
        what = damaged.get(folder, _MISSING)
        yield Break(f"{folder}/{MANIFEST}", f"{what} ({lost} of the chain)")
    elif manifest.sequence < expected:
        yield Break(pack.path, f"is number {manifest.sequence} of the chain, a second time")
    elif before and (previous is None or previous.folder != before.folder):
        named = previous.folder if previous else "none"
        what = f"follows {named}, and not {before.folder}: runs were put in another order"
        yield Break(pack.path, what)
    if manifest.headless and before:
        what = "was linked when the chain had lost its head: packs may be missing before it"
        yield Break(pack.path, what)


async def _file_breaks(
    files: EvidenceFiles, pack: _Pack, by_folder: Mapping[str, Sequence[str]], proof: Proof
) -> AsyncIterator[Break]:
    expected = {entry.name: entry for entry in pack.manifest.files}
    stones = {tombstone_of(name) for name in expected if is_tombstone(tombstone_of(name))}
    for name in sorted(set(by_folder[pack.folder]) - expected.keys() - stones - {MANIFEST}):
        yield Break(f"{pack.folder}/{name}", "is not named by the manifest: it was added")
    for name, entry in expected.items():
        path = f"{pack.folder}/{name}"
        data = await files.read(path)
        proof.files += 1
        if data is None and (at := await _erased(files, path, name, entry)):
            proof.erased.append(f"{path}: was erased on {at[:10]}, as it named a person")
        elif data is None:
            yield Break(path, "is missing")
        elif digest(data) != entry.sha256:
            yield Break(path, _place(data, entry))


async def _erased(files: EvidenceFiles, path: str, name: str, entry: FileEntry) -> str:
    """When a file gave way to its tombstone; empty where it did not."""
    stone = tombstone_of(name)
    data = await files.read(tombstone_of(path)) if is_tombstone(stone) else None
    found = decode_tombstone(data) if data else None
    return found.at if found and found.sha256 == entry.sha256 else ""


def _place(data: bytes, entry: FileEntry) -> str:
    """Say where a file differs from what was written."""
    if len(data) > entry.size and digest(data[: entry.size]) == entry.sha256:
        return f"has {len(data) - entry.size} bytes more than the {entry.size} that were written"
    found = list(block_digests(data, entry.block))
    pairs = zip(found, entry.blocks, strict=False)
    same = next((n for n, (one, other) in enumerate(pairs) if one != other), None)
    whole = len(data) // entry.block
    if len(data) < entry.size and (same is None or same >= whole):
        return f"ends after byte {len(data)} of {entry.size}, in line {_line(data, len(data))}"
    start = (same or 0) * entry.block
    end = min(start + entry.block, len(data))
    lines = f"lines {_line(data, start)} to {_line(data, end - 1)}"
    return f"bytes {start} to {end - 1} ({lines}) are not what was written"


def _line(data: bytes, offset: int) -> int:
    return data.count(b"\n", 0, offset) + 1


def _end_breaks(
    last: _Pack | None, head: ChainHead | None, damaged: Mapping[str, str]
) -> Iterator[Break]:
    found = last.manifest.sequence if last else 0
    if head is None:
        if last:
            yield Break(last.path, "is behind no head of the chain: packs may be missing after it")
    elif last and found > head.sequence:
        yield Break(last.path, f"is number {found}, and the chain ends with {head.sequence}")
    elif last is None or last.folder != head.folder:
        what = damaged.get(head.folder, _MISSING)
        yield Break(f"{head.folder}/{MANIFEST}", f"{what} (the chain ends with {head.sequence})")
        if last and found == head.sequence:
            yield Break(last.path, f"is number {found} of the chain, in the place of another")
    elif found != head.sequence:
        yield Break(HEAD, f"says number {head.sequence}, and the newest pack is number {found}")
    elif head.sha256 == digest(last.data) and head != head_of(last.manifest, last.data):
        yield Break(HEAD, f"does not say of {head.folder} what its manifest says")
