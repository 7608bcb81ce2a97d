"""Rules files in a folder that is deployed with the app, or in a blob container.

Either may have folders. A folder named `tests`, wherever it lies, holds tests of the rules
(`entra-sod test`) and is left out.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from entra_sod.core.errors import ConfigurationError, RulesError
from entra_sod.domain.rules.document import MAX_FILE_BYTES, RulesProblem, SourceFile, decode
from entra_sod.domain.rules.version import (
    CURRENT,
    TESTS,
    VERSIONS,
    RulesManifest,
    blob_name,
    decode_manifest,
    is_rules_file,
    may_be_meant_as_rules,
    sha256,
)
from entra_sod.ports.rules import RuleSource
from entra_sod.ports.storage import Blobs

log = logging.getLogger("entra_sod")

_BLOB = "blob:"
_RULES_KEY = re.compile(rb"^(rules|classes|controls|exceptions)\s*:", re.MULTILINE)


def rule_source(setting: str, *, app_folder: Path, blobs: Blobs) -> RuleSource:
    """Make the source that the setting RULES names."""
    if setting.startswith(_BLOB):
        return BlobRules(setting.removeprefix(_BLOB), blobs)
    return FolderRules(app_folder / setting)


@dataclass(frozen=True, slots=True)
class RulesSources:
    """What was found: files that are text, what is wrong with others, and what was left out."""

    files: Sequence[SourceFile]
    unread: Sequence[RulesProblem]
    left_out: Sequence[RulesProblem]


def read_sources(paths: Iterable[Path], *, within: Path | None = None) -> RulesSources:
    """Read files, and the rules files of folders, each once, however many names and links it has.

    Args:
        paths: files or folders; a file is read whatever its name is.
        within: the folder that names of files are relative to.
    """
    walk = _Walk(within)
    read = [each for path in paths for each in walk.named(path)]
    problems = sorted(each for each in read if isinstance(each, RulesProblem))
    return RulesSources(
        sorted((each for each in read if isinstance(each, SourceFile)), key=lambda file: file.name),
        [each for each in problems if not each.is_warning],
        [each for each in problems if each.is_warning],
    )


class _Walk:
    """Goes through files and folders, past nothing in silence."""

    def __init__(self, within: Path | None) -> None:
        self._within = within
        self._seen: set[Path] = set()

    def named(self, path: Path) -> Iterator[SourceFile | RulesProblem]:
        """What a person named: a folder is to have rules files, and a file is one."""
        if path.resolve() in self._seen:
            return
        if not path.is_dir():
            yield from self._file(path)
            return
        found = list(self._folder(path, in_tests=False))
        yield from found
        if all(isinstance(each, RulesProblem) and each.is_warning for each in found):
            yield self._problem(path, "has no YAML file")

    def _folder(self, folder: Path, *, in_tests: bool) -> Iterator[SourceFile | RulesProblem]:
        if folder.resolve() in self._seen:
            return
        self._seen.add(folder.resolve())
        try:
            # A file goes by its name here before one that a link in a folder gives it.
            inner = sorted(folder.iterdir(), key=lambda path: (path.is_dir(), path))
        except OSError as error:
            yield self._problem(folder, f"cannot be listed: {error.strerror}")
            return
        for path in inner:
            if path.is_dir():
                yield from self._folder(path, in_tests=in_tests or path.name == TESTS)
            elif is_rules_file(PurePosixPath(path.name)):
                yield from self._test(path) if in_tests else self._file(path)
            elif may_be_meant_as_rules(path.name) and not in_tests:
                detail = "is left out: its name does not end in .yaml or .yml"
                yield self._problem(path, detail, is_warning=True)

    def _file(self, path: Path) -> Iterator[SourceFile | RulesProblem]:
        if path.resolve() in self._seen:
            return
        self._seen.add(path.resolve())
        try:
            yield decode(self._name(path), _read_file(path))
        except OSError as error:
            yield self._problem(path, f"cannot be read: {error.strerror}")

    def _test(self, path: Path) -> Iterator[RulesProblem]:
        """A test of the rules is no rules file, and rules in its place are not passed over."""
        with suppress(OSError):
            if _RULES_KEY.search(_read_file(path)):
                detail = f"is left out: a folder named {TESTS} holds tests of the rules"
                yield self._problem(path, detail, is_warning=True)

    def _problem(self, path: Path, detail: str, *, is_warning: bool = False) -> RulesProblem:
        return RulesProblem(self._name(path), 1, 1, detail, is_warning)

    def _name(self, path: Path) -> str:
        if self._within is None or path == self._within:
            return path.as_posix()
        return path.relative_to(self._within).as_posix()


def _read_file(path: Path) -> bytes:
    """Read no more than shows that it is too large.

    Raises:
        OSError: it cannot be read.
    """
    if path.exists() and not path.is_file():
        raise OSError(0, "it is neither a file nor a folder")
    with path.open("rb") as file:
        return file.read(MAX_FILE_BYTES + 1)


def _log_left_out(problem: RulesProblem) -> None:
    log.warning("%s", problem, extra={"action": "rules_file_left_out"})


class FolderRules:
    """The YAML files of a folder and the folders in it, save those named `tests`.

    Args:
        folder: of the files.
        tell: is called with each file that a person may take for rules and that was not read.
    """

    def __init__(
        self, folder: Path, tell: Callable[[RulesProblem], object] = _log_left_out
    ) -> None:
        self._folder, self._tell = folder, tell

    async def files(self) -> Sequence[SourceFile]:
        import asyncio  # not needed by commands that read files without an event loop

        return await asyncio.to_thread(self._read)

    def _read(self) -> Sequence[SourceFile]:
        if not self._folder.is_dir():
            raise ConfigurationError([f"RULES names {self._folder.name}, which is not a folder."])
        found = read_sources([self._folder], within=self._folder)
        for each in found.left_out:
            self._tell(each)
        if found.unread:
            raise RulesError([str(each) for each in found.unread])
        return found.files


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
        problems: list[RulesProblem] = []
        for name, expected in sorted(manifest.files.items()):
            blob = blob_name(manifest.id, name)
            data = await self._blobs.get(self._container, blob)
            if data is None:
                problems.append(RulesProblem(blob, 1, 1, f"is missing, though {CURRENT} names it"))
            elif sha256(data) != expected:
                problems.append(
                    RulesProblem(blob, 1, 1, "was changed after it was pushed: push it anew")
                )
            else:
                found.append((name, data))
        if problems:
            raise RulesError([str(each) for each in problems])
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
