"""Rules files in a folder that is deployed with the app, or in a blob container."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from functions.errors import ConfigurationError, RulesError
from functions.rules.document import LARGEST_FILE, SourceFile
from functions.rules.source import RuleSource
from functions.storage.ports import Blobs

_ENDINGS = (".yaml", ".yml")
_BLOB = "blob:"


def rule_source(setting: str, *, app_folder: Path, blobs: Blobs) -> RuleSource:
    """Make the source that the setting RULES names."""
    if setting.startswith(_BLOB):
        return BlobRules(setting.removeprefix(_BLOB), blobs)
    return FolderRules(app_folder / setting)


class FolderRules:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def files(self) -> Sequence[SourceFile]:
        return await asyncio.to_thread(self._read)

    def _read(self) -> Sequence[SourceFile]:
        if not self._folder.is_dir():
            raise ConfigurationError([f"RULES names {self._folder.name}, which is not a folder."])
        paths = sorted(path for path in self._folder.rglob("*") if path.suffix in _ENDINGS)
        if not paths:
            raise ConfigurationError([f"RULES names {self._folder.name}, which has no YAML file."])
        return [
            _source_file(path.relative_to(self._folder).as_posix(), path.read_bytes())
            for path in paths
        ]


class BlobRules:
    def __init__(self, container: str, blobs: Blobs) -> None:
        self._container, self._blobs = container, blobs

    async def files(self) -> Sequence[SourceFile]:
        found = [
            _source_file(name, await self._blobs.get(self._container, name) or b"")
            async for name in self._blobs.names(self._container)
            if PurePosixPath(name).suffix in _ENDINGS
        ]
        if not found:
            raise ConfigurationError([f"RULES names blob:{self._container}, without a YAML file."])
        return found


def _source_file(name: str, data: bytes) -> SourceFile:
    if len(data) > LARGEST_FILE:
        raise RulesError([f"{name}:1:1: a rules file may have {LARGEST_FILE} bytes; split it"])
    try:
        return SourceFile(name, data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise RulesError([f"{name}:1:1: not UTF-8 text: {error.reason}"]) from error
