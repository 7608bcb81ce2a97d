"""From the bytes of files to their tables, by what the bytes are and not by the name alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from entra_sod.cli.operations.matrix.limits import MAX_FILE_BYTES
from entra_sod.cli.operations.matrix.model import MatrixError, Sheet
from entra_sod.cli.operations.matrix.read_text import (
    decode_text,
    is_markdown,
    read_csv,
    read_markdown,
)
from entra_sod.cli.operations.matrix.read_workbook import read_workbook

_ZIP = b"PK\x03\x04"
_OTHERS = {
    b"\xd0\xcf\x11\xe0": "an XLS workbook, or one with a password",
    b"%PDF": "a PDF",
    b"\x1f\x8b": "compressed",
}


def read_sheets(paths: Iterable[Path]) -> Sequence[Sheet]:
    """Read all tables of all files.

    Raises:
        MatrixError: a file cannot be read, or is none of a kind that has tables.
    """
    return [sheet for path in paths for sheet in _read(path)]


def _read(path: Path) -> Iterator[Sheet]:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise MatrixError(f"{path} cannot be read: {error.strerror}.") from error
    yield from read_data(path.name, data)


def read_data(name: str, data: bytes) -> Sequence[Sheet]:
    """Read all tables of one file.

    Raises:
        MatrixError: it is none of a kind that has tables.
    """
    if len(data) > MAX_FILE_BYTES:
        most = MAX_FILE_BYTES // 1024 // 1024
        raise MatrixError(f"{name} has more than {most} MiB. Fix: keep the matrix alone in it.")
    sha256 = hashlib.sha256(data).hexdigest()
    if data.startswith(_ZIP):
        return read_workbook(name, data, sha256)
    for start, kind in _OTHERS.items():
        if data.startswith(start):
            raise MatrixError(f"{name} is {kind}. Fix: save it as XLSX or CSV UTF-8.")
    text = decode_text(name, data)
    if "\0" in text:
        raise MatrixError(f"{name} is no text. Fix: save it as XLSX or CSV UTF-8.")
    if is_markdown(name, text):
        return read_markdown(name, text, sha256)
    return [read_csv(name, text, sha256)]
