"""Rules files in a folder that is deployed with the app, or in a blob container.

Either may have folders. A folder named `tests`, wherever it lies, holds tests of the rules
(`entra-sod test`) and is left out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from entra_sod.core.errors import ConfigurationError, RulesError
from entra_sod.domain.rules.document import RulesProblem, SourceFile, decode
from entra_sod.domain.rules.version import (
    CURRENT,
    VERSIONS,
    RulesManifest,
    blob_name,
    decode_manifest,
    is_rules_file,
    sha256,
)
from entra_sod.ports.rules import RuleSource
from entra_sod.ports.storage import Blobs

_BLOB = "blob:"


def rule_source(setting: str, *, app_folder: Path, blobs: Blobs) -> RuleSource:
    """Make the source that the setting RULES names."""
    if setting.startswith(_BLOB):
        return BlobRules(setting.removeprefix(_BLOB), blobs)
    return FolderRules(app_folder / setting)


class FolderRules:
    """The YAML files of a folder and the folders in it, save those named `tests`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def files(self) -> Sequence[SourceFile]:
        return await asyncio.to_thread(self._read)

    def _read(self) -> Sequence[SourceFile]:
        if not self._folder.is_dir():
            raise ConfigurationError([f"RULES names {self._folder.name}, which is not a folder."])
        paths = sorted(path for path in self._folder.rglob("*") if path.is_file())
        names = [path.relative_to(self._folder) for path in paths]
        found = [name for name in names if is_rules_file(PurePosixPath(name))]
        if not found:
            raise ConfigurationError([f"RULES names {self._folder.name}, which has no YAML file."])
        return _decoded((name.as_posix(), (self._folder / name).read_bytes()) for name in found)


class BlobRules:
    """The version that the blob `current` names, or without one the YAML files of the container."""

    def __init__(self, container: str, blobs: Blobs) -> None:
        self._container, self._blobs = container, blobs
        self._versions = RuleVersions(container, blobs)

    async def files(self) -> Sequence[SourceFile]:
        manifest = await self._versions.current()
        if manifest is not None:
            return await self._versions.files(manifest)
        found = [
            (name, await self._blobs.get(self._container, name) or b"")
            async for name in self._blobs.names(self._container)
            if _is_plain(PurePosixPath(name))
        ]
        if not found:
            raise ConfigurationError([f"RULES names blob:{self._container}, without a YAML file."])
        return _decoded(found)


class RuleVersions:
    """Every version of the rules that was pushed to a container."""

    def __init__(self, container: str, blobs: Blobs) -> None:
        self._container, self._blobs = container, blobs

    async def current(self) -> RulesManifest | None:
        """Read which version is in force; None where none was ever pushed.

        Raises:
            RulesError: the blob `current` names no version.
        """
        data = await self._blobs.get(self._container, CURRENT)
        return None if data is None else decode_manifest(data)

    async def files(self, manifest: RulesManifest) -> Sequence[SourceFile]:
        """Read the files of a version, as they were pushed.

        Raises:
            RulesError: naming every file that is missing or was changed.
        """
        found: list[tuple[str, bytes]] = []
        problems: list[str] = []
        for name, expected in sorted(manifest.files.items()):
            blob = blob_name(manifest.id, name)
            data = await self._blobs.get(self._container, blob)
            if data is None:
                problems.append(f"{blob}:1:1: is missing, though {CURRENT} names it")
            elif sha256(data) != expected:
                problems.append(f"{blob}:1:1: was changed after it was pushed: push it anew")
            else:
                found.append((name, data))
        if problems:
            raise RulesError(problems)
        return _decoded(found)


def _is_plain(path: PurePosixPath) -> bool:
    """Whether a blob is in force by itself: a version is none before `current` names it."""
    return is_rules_file(path) and path.parts[0] != VERSIONS


def _decoded(found: Iterable[tuple[str, bytes]]) -> Sequence[SourceFile]:
    read = [decode(name, data) for name, data in found]
    unread = [str(each) for each in read if isinstance(each, RulesProblem)]
    if unread:
        raise RulesError(unread)
    return [each for each in read if isinstance(each, SourceFile)]
