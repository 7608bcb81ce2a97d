"""Grids: the same duties as heads of rows and of columns, and a mark where two meet. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

from entra_sod.cli.operations.matrix.model import (
    MatrixRule,
    Remark,
    RemarkKind,
    Sheet,
    SheetRow,
    clean,
    is_error,
    shortened,
)
from entra_sod.cli.operations.matrix.pairs import (
    NO_DUTY,
    RefusedRow,
    SeverityWords,
    duty_name,
    quoted,
    refusal,
    severity_of,
)
from entra_sod.cli.operations.matrix.severity_words import gravest
from entra_sod.domain.rules.language import Severity
from entra_sod.domain.text import fold

MAX_HEAD_ROW = 20
_MIN_COMMON = 2
_MARKS = frozenset({"x", "xx", "✓", "✔", "✗", "✘", "●", "•", "yes", "y", "ja", "conflict", "sod"})
_NO_MARKS = frozenset({*NO_DUTY, "no", "n", "nein", "0", "ok", ".", "\\", "/"})


@dataclass(frozen=True, slots=True)
class Grid:
    """Where a sheet has a grid.

    Attributes:
        heads: the row with the heads of the columns.
        names: the column with the heads of the rows.
    """

    heads: SheetRow
    names: int


@dataclass(frozen=True, slots=True)
class GridMark:
    """Two duties and what their cell says; no severity is a plain mark."""

    row: int
    one: str
    other: str
    severity: Severity | None


def find_grid(sheet: Sheet) -> Grid | None:
    """Find the grid of a sheet, by heads that rows and columns share."""
    columns = [[fold(clean(each.cell(names))) for each in sheet.rows] for names in (0, 1)]
    for at, row in enumerate(sheet.rows[:MAX_HEAD_ROW]):
        for names, column in enumerate(columns):
            heads = {fold(clean(cell)) for cell in row.cells[names + 1 :]} - {""}
            below = set(column[at + 1 :]) - {""} if len(heads) >= _MIN_COMMON else set[str]()
            common = len(heads & below)
            if common >= _MIN_COMMON and 2 * common >= min(len(heads), len(below)):
                return Grid(row, names)
    return None


def read_grid(sheet: Sheet, grid: Grid, words: SeverityWords) -> Iterator[MatrixRule | Remark]:
    """Read each marked cell as a rule; both triangles of a grid say the same."""
    marks: list[GridMark] = []
    diagonal: list[Remark] = []
    marks_of_sheet = _marks_of(sheet, grid, words)
    cells = 0
    for row in sheet.rows:
        if row.number <= grid.heads.number or not clean(row.cell(grid.names)):
            continue
        cells += 1
        for index in range(grid.names + 1, len(row.cells)):
            try:
                mark = _mark(row, index, grid, marks_of_sheet, words)
            except RefusedRow as refused:
                yield refusal(sheet.place(row.number), refused)
                continue
            if mark is None:
                continue
            if fold(mark.one) == fold(mark.other):
                what = RefusedRow(
                    f"{quoted(mark.one)} is marked against itself.", "clear the cell."
                )
                diagonal.append(refusal(sheet.place(row.number), what))
            else:
                marks.append(mark)
    # A diagonal that is marked throughout is shaded, and says nothing.
    yield from diagonal if len(diagonal) < cells else ()
    yield from _rules(sheet, marks)


def _marks_of(sheet: Sheet, grid: Grid, words: SeverityWords) -> frozenset[str]:
    """Return the words that are plain marks; 1 is one where no other number is in the grid."""
    found = {
        fold(clean(cell))
        for row in sheet.rows
        if row.number > grid.heads.number
        for cell in row.cells[grid.names + 1 :]
    }
    given = _MARKS - words.keys()
    return given | {"1"} if not found & {"2", "3", "4"} else given


def _mark(
    row: SheetRow, index: int, grid: Grid, marks: frozenset[str], words: SeverityWords
) -> GridMark | None:
    text = clean(row.cell(index))
    if fold(text) in _NO_MARKS:
        return None
    one, other = clean(row.cell(grid.names)), clean(grid.heads.cell(index))
    if fold(one) == fold(other):
        return GridMark(row.number, one, other, None)
    place = f"the cell below {quoted(clean(grid.heads.cell(index)))}"
    if is_error(text):
        raise RefusedRow(
            f"In {place}, {text} is in place of a value.",
            "open the file in a spreadsheet, correct the formula, and save it.",
        )
    names = (
        (row, grid.names, "the head of the row"),
        (grid.heads, index, "the head of the column"),
    )
    one, other = (
        duty_name(clean(each.cell(at)), each.cell(at), what[0].upper() + what[1:])
        for each, at, what in names
    )
    severity = None if fold(text) in marks else severity_of(text, words)
    return GridMark(row.number, one, other, severity)


def _rules(sheet: Sheet, marks: Sequence[GridMark]) -> Iterator[MatrixRule | Remark]:
    found: dict[frozenset[str], MatrixRule] = {}
    for mark in marks:
        rule = MatrixRule(
            duties=(mark.one, mark.other),
            title=shortened(f"{mark.one} and {mark.other}"),
            severity=mark.severity,
            origin=sheet.place(mark.row),
            sha256=sheet.sha256,
        )
        first = found.setdefault(rule.key, rule)
        if first.severity is not mark.severity:
            severity = gravest((first.severity, mark.severity))
            found[rule.key] = msgspec.structs.replace(first, severity=severity)
            what = f"{quoted(mark.one)} and {quoted(mark.other)} have two marks: {severity} holds."
            yield Remark(kind=RemarkKind.NOTE, place=sheet.place(mark.row), what=what)
    yield from found.values()
