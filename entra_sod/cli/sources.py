"""The rules files that somebody names on the command line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import typer

from entra_sod.domain.rules.document import MAX_FILE_BYTES, RulesProblem, SourceFile, decode
from entra_sod.domain.rules.version import is_rules_file


@dataclass(frozen=True, slots=True)
class RulesSources:
    """What was found: files that are text, and what is wrong with those that are not."""

    files: Sequence[SourceFile]
    unread: Sequence[RulesProblem]

    @property
    def count(self) -> int:
        return len(self.files) + len(self.unread)


def read_sources(paths: Iterable[Path]) -> RulesSources:
    """Read files, and the rules files of folders, each once however often it is named.

    Raises:
        typer.BadParameter: a folder has no YAML file.
    """
    found: dict[Path, Path] = {}
    for path in paths:
        for file in _files(path):
            found.setdefault(file.resolve(), file)
    read = [_read(path) for path in sorted(found.values())]
    return RulesSources(
        files=[each for each in read if isinstance(each, SourceFile)],
        unread=[each for each in read if isinstance(each, RulesProblem)],
    )


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    files = [each for each in path.rglob("*") if each.is_file() and _is_rules_file(each, path)]
    if not files:
        raise typer.BadParameter(f"{path} has no YAML file.", param_hint="PATH")
    yield from files


def _is_rules_file(path: Path, folder: Path) -> bool:
    return is_rules_file(PurePosixPath(path.relative_to(folder)))


def _read(path: Path) -> SourceFile | RulesProblem:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        return RulesProblem(path.as_posix(), 1, 1, f"cannot be read: {error.strerror}")
    return decode(path.as_posix(), data)
