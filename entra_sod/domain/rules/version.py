"""Versions of a rule set in a container: how their blobs are named, and what names the current one.

A version's files lie under `versions/{id}/` and are never written again; the blob `current` names
the version in force. It is written last, so that a reader sees the old version or the new one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, Literal

import msgspec

from entra_sod.core.errors import RulesError
from entra_sod.core.validation import Mistake, find_mistakes

CURRENT = "current"
VERSIONS = "versions"
TESTS = "tests"

_ENDINGS = (".yaml", ".yml")

type _Sha256 = Annotated[str, msgspec.Meta(pattern=r"^sha256:[0-9a-f]{64}\Z")]
type _VersionId = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{8}T[0-9]{6}Z-[0-9a-f]{12}\Z")]


class RulesManifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The blob `current`.

    Attributes:
        id: of the version: when it was pushed, and the start of its hash.
        hash: of all files together; equal files have equal hashes, whenever they are pushed.
        files: the hash of each file by its name.
    """

    version: Literal[1]
    id: _VersionId
    hash: _Sha256
    files: dict[str, _Sha256]


def decode_manifest(data: bytes) -> RulesManifest:
    """Read the blob `current`.

    Raises:
        RulesError: it names no version, and everything that is wrong with it.
    """
    try:
        value = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RulesError([_problem(f"not JSON: {error}")]) from error
    mistakes = find_mistakes(RulesManifest, value)
    if mistakes:
        raise RulesError([_problem(_describe(mistake)) for mistake in mistakes])
    manifest = msgspec.convert(value, RulesManifest)
    if hash_of(manifest.files) != manifest.hash:
        raise RulesError([_problem("hash is not that of its files")])
    return manifest


def blob_name(version_id: str, file_name: str) -> str:
    """Where a file of a version lies."""
    return f"{VERSIONS}/{version_id}/{file_name}"


def sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def hash_of(files: Mapping[str, str]) -> str:
    """One hash for files of these names and hashes, in whatever order."""
    return sha256(msgspec.json.encode(sorted(files.items())))


def is_rules_file(path: PurePosixPath) -> bool:
    """Whether a path inside the place of the rules is a rules file.

    What lies in a folder `tests` holds tests of the rules, and is none.
    """
    return path.suffix.casefold() in _ENDINGS and TESTS not in path.parts[:-1]


def may_be_meant_as_rules(name: str) -> bool:
    """Whether a person would take a file for a rules file that is none by its name."""
    folded = name.casefold()
    is_data = folded.endswith(".json") and "schema" not in folded
    return is_data or any(ending in folded for ending in _ENDINGS)


def _describe(mistake: Mistake) -> str:
    return f"{mistake.pointer.removeprefix('/') or 'it'} {mistake.detail}"


def _problem(detail: str) -> str:
    return f"{CURRENT}:1:1: {detail}"
