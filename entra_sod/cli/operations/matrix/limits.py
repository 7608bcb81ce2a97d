"""How large a matrix may be. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from entra_sod.cli.operations.matrix.model import MatrixError

MAX_FILE_BYTES = 20 * 1024 * 1024
MAX_ROWS = 100_000
MAX_COLUMNS = 1_000
MAX_CELL = 32_767  # characters, as in a spreadsheet
MAX_CELLS = 5_000_000
MAX_CHARACTERS = 64 * 1024 * 1024
MAX_RULES = 20_000


class SizeCount:
    """Counts what was read of one file, and refuses what no matrix has."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._rows = self._cells = self._characters = 0

    def row(self, cells: Sequence[str]) -> Sequence[str]:
        """Count a row, and return it without the empty cells at its end.

        Raises:
            MatrixError: saying what is too large, and where.
        """
        trimmed = trim(cells)
        self._rows += 1
        self._cells += len(cells)
        self._characters += sum(map(len, trimmed))
        if problem := self._problem(trimmed):
            raise MatrixError(f"{self._name} {problem}.")
        return trimmed

    def _problem(self, cells: Sequence[str]) -> str | None:
        if self._rows > MAX_ROWS:
            return f"has more than {MAX_ROWS:,} rows. Fix: split it"
        if len(cells) > MAX_COLUMNS:
            what = (
                f"has {len(cells):,} columns in row {self._rows:,}; the maximum is {MAX_COLUMNS:,}"
            )
            return f"{what}. Fix: delete what stands beside the matrix"
        if any(len(cell) > MAX_CELL for cell in cells):
            what = f"has a cell of more than {MAX_CELL:,} characters in row {self._rows:,}"
            return f"{what}. Fix: shorten it"
        if self._cells > MAX_CELLS or self._characters > MAX_CHARACTERS:
            return "has too many cells or too much text. Fix: delete what is not the matrix"
        return None


def trim(cells: Sequence[str]) -> Sequence[str]:
    """Leave out the empty cells at the end of a row."""
    end = len(cells)
    while end and not cells[end - 1].strip():
        end -= 1
    return cells[:end]
