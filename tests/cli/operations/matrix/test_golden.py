"""Each shape of matrix, in words of our own, and all that its import writes and says.

`python -m tests.cli.operations.matrix.test_golden` writes the golden files anew, to be reviewed.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from openpyxl import Workbook
from typer.testing import CliRunner

from entra_sod.cli.__main__ import app

GOLDEN = Path(__file__).parent / "golden"
SHAPES = sorted(path.name for path in GOLDEN.iterdir())
WORKBOOKS = {"saviynt", "qad"}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_is_imported_as_expected(shape: str, tmp_path: Path) -> None:
    """Rules, classes to bind, controls and the report are those of the golden file."""
    expected = GOLDEN / shape / "expected.txt"
    assert imported(shape, tmp_path) == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_that_is_imported_again_changes_nothing(shape: str, tmp_path: Path) -> None:
    """The same file finds all its rules there."""
    imported(shape, tmp_path)
    before = written(tmp_path / "rules")
    again = imported(shape, tmp_path)
    assert written(tmp_path / "rules") == before
    assert "0 rules added" in again


def imported(shape: str, folder: Path) -> str:
    """What an import prints and writes, with the exit code on top."""
    files = list(files_of(shape, folder))
    arguments = ["import", "matrix", *map(str, files), "--out", str(folder / "rules")]
    result = CliRunner().invoke(app, arguments)
    said = (result.stdout + result.stderr).replace(str(folder), "")
    parts = [f"exit code {result.exit_code}\n", said]
    for name, text in written(folder / "rules").items():
        parts.append(f"--- {name}\n{re.sub('[0-9a-f]{64}', 'HASH', text)}")
    return "".join(parts)


def written(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*"))}


def files_of(shape: str, folder: Path) -> Iterator[Path]:
    """The files of a shape; those of a workbook become its sheets."""
    files = sorted(path for path in (GOLDEN / shape).iterdir() if path.name != "expected.txt")
    if shape not in WORKBOOKS:
        yield from files
        return
    book = Workbook(write_only=True)
    for path in files:
        sheet = book.create_sheet(path.stem)
        for row in csv.reader(io.StringIO(path.read_text(encoding="utf-8"))):
            sheet.append(row)
    book.save(folder / "matrix.xlsx")
    yield folder / "matrix.xlsx"


if __name__ == "__main__":
    for each in SHAPES:
        with TemporaryDirectory() as scratch:
            text = imported(each, Path(scratch))
            (GOLDEN / each / "expected.txt").write_text(text, encoding="utf-8")
