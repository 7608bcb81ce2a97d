"""From the tables of files to one matrix: which table has which shape, and what they say. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

import msgspec

from entra_sod.cli.operations.matrix.columns import Column, MatrixColumns, read_columns
from entra_sod.cli.operations.matrix.grid import MAX_HEAD_ROW, Grid, find_grid, read_grid
from entra_sod.cli.operations.matrix.limits import MAX_RULES
from entra_sod.cli.operations.matrix.model import (
    Matrix,
    MatrixError,
    MatrixRule,
    Remark,
    RemarkKind,
    Sheet,
    SheetRow,
)
from entra_sod.cli.operations.matrix.pairs import (
    RefusedRow,
    RowReader,
    SeverityWords,
    meanings,
    quoted,
    read_pairs,
    refusal,
)
from entra_sod.cli.operations.matrix.risks import (
    read_contents,
    read_duties,
    read_risks,
    summed_up,
)
from entra_sod.cli.operations.matrix.severity_words import SEVERITY_WORDS, gravest
from entra_sod.domain.rules.language import Effective
from entra_sod.domain.text import fold

_LISTS_OF_DUTIES = frozenset({"functions", "function", "sod category", "sod categories", "duties"})
# Sheets beside a matrix that say what an import has no use for.
_COMPANIONS = frozenset({"business processes", "role", "roles", "resource", "resources"})
_SHAPES = "two columns of duties (Role_A, Role_B), a risk and its functions, or a grid"


class _Shape(Enum):
    PAIRS = auto()
    RISKS = auto()
    GRID = auto()
    DUTIES = auto()
    CONTENTS = auto()
    PROCESSES = auto()
    COMPANION = auto()
    UNKNOWN = auto()


_WITH_RULES = (_Shape.PAIRS, _Shape.RISKS, _Shape.GRID)


@dataclass(frozen=True, slots=True)
class _ShapedSheet:
    sheet: Sheet
    shape: _Shape
    heads: SheetRow | None = None
    columns: MatrixColumns | None = None
    grid: Grid | None = None

    def reader(self, words: SeverityWords) -> RowReader:
        if self.heads is None or self.columns is None:
            raise ValueError("a grid has no columns with a meaning")
        return RowReader(self.sheet, self.heads, self.columns, words)


@dataclass(slots=True)
class _DutyLists:
    """What the other sheets of a workbook say of duties, by folded names.

    Attributes:
        declared: duties that a sheet lists, with their meanings; None where no sheet does.
        contents: what duties consist of; None where no sheet says.
        processes: the business processes of duties.
    """

    declared: dict[str, str] | None = None
    contents: dict[str, list[str]] | None = None
    processes: dict[str, set[str]] = field(default_factory=dict)
    meanings: dict[str, str] = field(default_factory=dict)


def read_matrix(
    sheets: Sequence[Sheet], words: SeverityWords, only: Collection[str] = ()
) -> Matrix:
    """Read all rules that tables state.

    Args:
        sheets: all tables of the files.
        words: the table of severities.
        only: names of sheets; without them every sheet is read.

    Raises:
        MatrixError: no table is a matrix.
    """
    shaped = [_shaped(sheet) for sheet in _chosen(sheets, only)]
    if not any(each.shape in _WITH_RULES for each in shaped):
        raise MatrixError(_no_matrix(sheets))
    remarks = [remark for each in shaped for remark in (*_remarks(each), *_numbers(each, words))]
    shaped = [each for each in shaped if not (each.columns and each.columns.repeated)]
    lists, unsound = _lists(shaped, words)
    rules: list[MatrixRule] = []
    for found in _stated(shaped, words):
        checked = _checked(found, lists) if isinstance(found, MatrixRule) else found
        if isinstance(checked, MatrixRule):
            rules.append(checked)
            if len(rules) > MAX_RULES:
                raise MatrixError(f"There are more than {MAX_RULES:,} rules. Fix: split the file.")
        else:
            remarks.append(checked)
    merged, said = merge(rules)
    return Matrix(rules=merged, meanings=lists.meanings, remarks=[*remarks, *unsound, *said])


def _chosen(sheets: Sequence[Sheet], only: Collection[str]) -> Sequence[Sheet]:
    names = {fold(sheet.name) for sheet in sheets}
    if missing := [name for name in only if fold(name) not in names]:
        known = ", ".join(quoted(sheet.name) for sheet in sheets if sheet.name) or "no names"
        raise MatrixError(f"There is no sheet {quoted(missing[0])}: the sheets have {known}.")
    wanted = set(map(fold, only)) or names
    return [sheet for sheet in sheets if fold(sheet.name) in wanted]


def _no_matrix(sheets: Sequence[Sheet]) -> str:
    heads = [
        cell for sheet in sheets for row in sheet.rows[:1] for cell in row.cells if cell.strip()
    ]
    names = ", ".join(quoted(head) for head in heads[:8]) or "nothing"
    files = ", ".join(dict.fromkeys(sheet.file for sheet in sheets)) or "The file"
    return (
        f"{files} has no table that is a matrix; the first row has {names}. "
        f"Fix: give it {_SHAPES} (docs/how-to/import-a-matrix.md)."
    )


def _shaped(sheet: Sheet) -> _ShapedSheet:
    grid = find_grid(sheet)
    for row in sheet.rows[:MAX_HEAD_ROW]:
        columns = read_columns(row.cells)
        if grid and grid.heads.number <= row.number:
            break
        if columns.has_pairs:
            return _ShapedSheet(sheet, _Shape.PAIRS, row, columns)
        if columns.has_risks and fold(sheet.name) not in _LISTS_OF_DUTIES:
            return _ShapedSheet(sheet, _Shape.RISKS, row, columns)
    if grid:
        return _ShapedSheet(sheet, _Shape.GRID, grid=grid)
    return _list_of(sheet)


def _list_of(sheet: Sheet) -> _ShapedSheet:
    """Find out which list beside a matrix a sheet is."""
    name = fold(sheet.name)
    for row in sheet.rows[:MAX_HEAD_ROW]:
        columns = read_columns(row.cells)
        if Column.DUTY in columns.at and Column.CONTENT in columns.at:
            return _ShapedSheet(sheet, _Shape.CONTENTS, row, columns)
        if Column.DUTY in columns.at and Column.PROCESS in columns.at and "process" in name:
            return _ShapedSheet(sheet, _Shape.PROCESSES, row, columns)
        if Column.DUTY in columns.at or (Column.TITLE in columns.at and name in _LISTS_OF_DUTIES):
            return _ShapedSheet(sheet, _Shape.DUTIES, row, columns)
    is_companion = name in _COMPANIONS or not sheet.rows
    return _ShapedSheet(sheet, _Shape.COMPANION if is_companion else _Shape.UNKNOWN)


def _remarks(shaped: _ShapedSheet) -> Iterator[Remark]:
    """What has to be said of a sheet as a whole."""
    sheet, columns = shaped.sheet, shaped.columns
    yield from sheet.remarks
    if shaped.shape is _Shape.UNKNOWN:
        what, fix = "The table is no matrix.", f"give it {_SHAPES}, or name the others by --sheet."
        yield Remark(kind=RemarkKind.UNREAD, place=sheet.place(), what=what, fix=fix)
    elif shaped.shape is _Shape.COMPANION and sheet.rows:
        what = "Not used: an import takes rules and their duties."
        yield Remark(kind=RemarkKind.NOTE, place=sheet.place(), what=what)
    elif columns and columns.repeated:
        heads = ", ".join(map(quoted, columns.repeated))
        what = f"Two columns have the same meaning: {heads}."
        fix = "delete one of them."
        row = shaped.heads.number if shaped.heads else 0
        yield Remark(kind=RemarkKind.UNREAD, place=sheet.place(row), what=what, fix=fix)
    elif columns and columns.unused and shaped.shape in _WITH_RULES:
        what = f"Columns that were not used: {', '.join(map(quoted, columns.unused))}."
        yield Remark(kind=RemarkKind.NOTE, place=sheet.place(), what=what)


def _numbers(shaped: _ShapedSheet, words: SeverityWords) -> Iterator[Remark]:
    """Say how numbers were read: some people give the gravest a 4, and others a 1."""
    if shaped.grid is not None:
        cells = slice(shaped.grid.names + 1, None)
    elif shaped.columns and Column.SEVERITY in shaped.columns.at:
        first = shaped.columns.at[Column.SEVERITY]
        cells = slice(first, first + 1)
    else:
        return
    found = {fold(cell) for row in shaped.sheet.rows for cell in row.cells[cells]}
    if found & {"2", "3", "4"} and all(words[each] is SEVERITY_WORDS[each] for each in "1234"):
        what = "Severities 1 to 4 were read as low to critical."
        fix = "if 1 is the gravest: --word 1=critical --word 2=high --word 3=medium --word 4=low"
        yield Remark(kind=RemarkKind.NOTE, place=shaped.sheet.place(), what=what, fix=fix)


def _lists(
    shaped: Sequence[_ShapedSheet], words: SeverityWords
) -> tuple[_DutyLists, Sequence[Remark]]:
    """Read the sheets beside the rules, and hold them against each other."""
    lists, remarks = _DutyLists(), list[Remark]()
    for each in shaped:
        if each.shape is _Shape.DUTIES:
            lists.declared = (lists.declared or {}) | read_duties(each.reader(words))
    lists.meanings.update({duty: text for duty, text in (lists.declared or {}).items() if text})
    for each in shaped:
        if each.shape is _Shape.CONTENTS:
            contents, first = read_contents(each.reader(words))
            remarks += _undeclared(each.sheet, first, lists.declared)
            lists.contents = (lists.contents or {}) | contents
        elif each.shape is _Shape.PROCESSES:
            rows = _read_processes(each.reader(words), lists)
            remarks += _undeclared(each.sheet, rows, lists.declared)
        elif each.shape is _Shape.PAIRS:
            for duty, task in meanings(each.reader(words)):
                lists.meanings.setdefault(fold(duty), task)
    for duty, found in (lists.contents or {}).items():
        if found:
            lists.meanings.setdefault(duty, summed_up(found))
    return lists, remarks


def _read_processes(reader: RowReader, lists: _DutyLists) -> Mapping[str, int]:
    first: dict[str, int] = {}
    for row in reader.sheet.rows:
        duty = fold(row.cell(reader.columns.at[Column.DUTY]))
        if row.number > reader.heads.number and duty:
            first.setdefault(duty, row.number)
            process = row.cell(reader.columns.at[Column.PROCESS])
            lists.processes.setdefault(duty, set()).add(process)
    return first


def _undeclared(
    sheet: Sheet, rows: Mapping[str, int], declared: Mapping[str, str] | None
) -> Iterator[Remark]:
    """Say which duties a sheet has and the list of duties has not: one of them is not whole."""
    for duty, row in rows.items():
        if declared is not None and duty not in declared:
            refused = RefusedRow(
                f"{quoted(duty)} is in no list of duties of the workbook.",
                "add it to the list, or correct its name.",
            )
            yield refusal(sheet.place(row), refused)


def _stated(shaped: Sequence[_ShapedSheet], words: SeverityWords) -> Iterator[MatrixRule | Remark]:
    for each in shaped:
        if each.shape is _Shape.PAIRS:
            yield from read_pairs(each.reader(words))
        elif each.shape is _Shape.RISKS:
            yield from read_risks(each.reader(words))
        elif each.grid is not None:
            yield from read_grid(each.sheet, each.grid, words)


def _checked(rule: MatrixRule, lists: _DutyLists) -> MatrixRule | Remark:
    """Hold a rule against the lists of duties beside it."""
    for duty in rule.duties:
        name = fold(duty)
        if lists.declared is not None and name not in lists.declared:
            what, fix = f"{quoted(duty)} is in no list of duties of the workbook.", "add it there."
            return refusal(rule.origin, RefusedRow(what, fix))
        if lists.contents is not None and not lists.contents.get(name):
            what = f"{quoted(duty)} consists of nothing that is active."
            return refusal(
                rule.origin, RefusedRow(what, "add what it consists of, or leave it out.")
            )
    processes = [lists.processes.get(fold(duty), set()) for duty in rule.duties]
    common = set.intersection(*processes)
    if rule.process is None and len(common) == 1:
        return msgspec.structs.replace(rule, process=common.pop())
    return rule


def merge(rules: Sequence[MatrixRule]) -> tuple[Sequence[MatrixRule], Sequence[Remark]]:
    """Make one rule of those that keep the same duties apart, in whatever order; and say so."""
    found: dict[frozenset[str], MatrixRule] = {}
    remarks: list[Remark] = []
    for rule in rules:
        first = found.setdefault(rule.key, rule)
        if first is rule:
            continue
        severity = gravest((first.severity, rule.severity))
        also = f"{rule.origin}" + (f" ({rule.id})" if rule.id else "")
        found[rule.key] = msgspec.structs.replace(
            first,
            severity=severity,
            effective=_longer(first.effective, rule.effective),
            also=(*first.also, also),
        )
        more = "" if severity is first.severity else f", and its severity {severity} holds"
        name = f"{first.id} in row {first.origin.row}" if first.id else f"row {first.origin.row}"
        what = f"{rule.id or 'It'} keeps the same duties apart as {name}{more}."
        remarks.append(Remark(kind=RemarkKind.MERGED, place=rule.origin, what=what))
    return list(found.values()), remarks


def _longer(one: Effective | None, other: Effective | None) -> Effective | None:
    """Return a time that has both in it, so that neither row is in force for too short."""
    if one is None or other is None:
        return None
    starts, ends = (one.start, other.start), (one.end, other.end)
    start = None if None in starts else min(each for each in starts if each)
    end = None if None in ends else max(each for each in ends if each)
    return Effective(start, end) if start or end else None
