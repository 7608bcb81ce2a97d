"""YAML files that a person names, by themselves or by their folder."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from entra_sod.core.errors import RulesError
from entra_sod.domain.rules.document import MAX_FILE_BYTES, RulesProblem, SourceFile, decode

_ENDINGS = (".yaml", ".yml")


def yaml_files(paths: Iterable[Path]) -> Sequence[Path]:
    """Return files, and the YAML files of folders and of the folders in them, each once, in order.

    A file is taken whatever its name is. Hidden files and folders of a folder are left out: they
    belong to other programs.

    Raises:
        OSError: a folder cannot be listed.
    """
    found: dict[Path, Path] = {}
    for path in paths:
        for each in _below(path):
            found.setdefault(each.resolve(), each)
    return list(found.values())


def _below(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for folder, folders, names in os.walk(path, onerror=_raise):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        for name in sorted(names):
            if PurePosixPath(name.lower()).suffix in _ENDINGS and not name.startswith("."):
                yield Path(folder) / name


def _raise(error: OSError) -> None:
    raise error


def read_yaml(path: Path) -> SourceFile:
    """Read a file as text.

    Raises:
        RulesError: it is no text, or too large, or cannot be read.
    """
    name = path.as_posix()
    try:
        with path.open("rb") as file:
            read = decode(name, file.read(MAX_FILE_BYTES + 1))
    except OSError as error:
        read = RulesProblem(name, 1, 1, f"cannot be read: {error.strerror}")
    if isinstance(read, RulesProblem):
        raise RulesError([str(read)])
    return read
