"""What a pack of evidence says of itself: its files, its numbers, and the pack before it. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec

CONTAINER = "evidence"
MANIFEST = "manifest.json"
FOLDER_PARTS = 4  # year, month, day, run
MIN_BLOCK_BYTES, MAX_BLOCKS = 1024, 256
_BLOCK_DIGITS = 16

type EvidenceKind = Literal["sweep", "check", "apply", "rollback", "adopt", "unadopt"]


class FileEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a pack.

    Attributes:
        name: inside the pack's folder.
        sha256: of the whole file.
        size: in bytes.
        block: how many bytes each of `blocks` stands for.
        blocks: the beginning of the hash of each block, so that a change has a place.
    """

    name: str
    sha256: str
    size: Annotated[int, msgspec.Meta(ge=0)]
    block: Annotated[int, msgspec.Meta(ge=1)]
    blocks: list[str]


class ManifestLink(msgspec.Struct, frozen=True, kw_only=True):
    """The pack before this one: its folder, and the hash of its manifest."""

    folder: str
    sha256: str


class EvidenceManifest(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True
):
    """The last file of a pack, which holds all others and the chain together.

    Attributes:
        kind: of the run.
        at: RFC 3339, when the run looked.
        tool: name and version.
        rules_hash: of the rules as they were in force; empty where they could not be read.
        counts: by name.
        sequence: from 1, without a gap.
        previous: None for the first.
        headless: the chain's head was lost, so `previous` is the newest pack that was found.
    """

    version: Literal[1]
    run: str
    kind: EvidenceKind
    folder: str
    at: str
    tool: str
    rules_hash: str
    counts: Mapping[str, int]
    files: Sequence[FileEntry]
    sequence: int
    previous: ManifestLink | None
    headless: bool = False


_decoder = msgspec.json.Decoder(EvidenceManifest)


def encode_manifest(manifest: EvidenceManifest) -> bytes:
    return msgspec.json.format(msgspec.json.encode(manifest)) + b"\n"


def decode_manifest(data: bytes) -> EvidenceManifest:
    """Read a manifest.

    Raises:
        ValueError: it is none.
    """
    try:
        return _decoder.decode(data)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise ValueError(str(error)) from error


def folder_of(run: str, at: datetime) -> str:
    """Where a run's pack lies."""
    return at.astimezone(UTC).strftime("%Y/%m/%d/") + run


def entry_of(name: str, data: bytes) -> FileEntry:
    block = max(MIN_BLOCK_BYTES, -(-len(data) // MAX_BLOCKS))
    return FileEntry(
        name=name,
        sha256=digest(data),
        size=len(data),
        block=block,
        blocks=list(block_digests(data, block)),
    )


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def block_digests(data: bytes, block: int) -> Iterable[str]:
    for start in range(0, len(data), block):
        yield digest(data[start : start + block])[:_BLOCK_DIGITS]
