"""Rules as a matrix again: as a table that an import reads back, or as a grid. Pure."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from entra_sod.cli.operations.matrix.import_plan import MATRIX_FORMS, control_id
from entra_sod.cli.operations.rules.unbound import is_one_class, sides_of
from entra_sod.core.names import visible
from entra_sod.domain.findings.views import csv_table
from entra_sod.domain.rules.language import Rule
from entra_sod.domain.rules.parse import ParsedRules

_HEADS = ("Title", "Severity", "Owner", "Control ID", "Mitigating control", "Advice", "Process")
_MORE_HEADS = ("Frameworks", "Valid from", "Valid to")
_MARK = re.compile(r"([\\`*_|<>&])")
_MAX_TAB = 31  # characters of a sheet's name


@dataclass(frozen=True, slots=True)
class ExportedTable:
    """A table of rules.

    Attributes:
        left_out: the rules that no matrix can state, with the reason.
    """

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    left_out: Sequence[tuple[str, str]]


def export_table(parsed: ParsedRules) -> ExportedTable:
    """Make a row for each rule, with a column for each duty."""
    rules, left_out = _exportable(parsed)
    width = max((len(duties) for _, duties in rules), default=2)
    rows = [_row(parsed, rule, duties, width) for rule, duties in rules]
    heads = ("Rule ID", *(f"Duty {number}" for number in range(1, width + 1)))
    return ExportedTable((*heads, *_HEADS, *_MORE_HEADS), rows, left_out)


def export_grid(parsed: ParsedRules) -> ExportedTable:
    """Mark each pair of duties with its severity, in both triangles; a grid has no more."""
    rules, left_out = _exportable(parsed)
    pairs = {frozenset(each): rule for rule, each in rules if len(each) == 2}  # noqa: PLR2004
    too_many = [(rule.id, "a grid has two duties a mark") for rule, each in rules if len(each) > 2]  # noqa: PLR2004
    names = sorted({name for pair in pairs for name in pair})
    rows = [(one, *(_mark(pairs.get(frozenset((one, other)))) for other in names)) for one in names]
    return ExportedTable(("", *names), rows, [*left_out, *too_many])


def _mark(rule: Rule | None) -> str:
    return rule.severity if rule else ""


def _exportable(
    parsed: ParsedRules,
) -> tuple[list[tuple[Rule, Sequence[str]]], list[tuple[str, str]]]:
    found: list[tuple[Rule, Sequence[str]]] = []
    left_out: list[tuple[str, str]] = []
    for rule in parsed.rules.values():
        if why := _why_not(rule):
            left_out.append((rule.id, why))
        else:
            found.append((rule, [side.classes[0] for side in sides_of(rule)]))
    return found, left_out


def _why_not(rule: Rule) -> str | None:
    """Say why a matrix cannot state a rule: it has names of duties and nothing else."""
    sides = sides_of(rule)
    if rule.form not in MATRIX_FORMS:
        return "it is neither between nor allOf"
    if rule.between and len(sides) > 2:  # noqa: PLR2004 - in a matrix more than a pair is allOf
        return "it keeps each of more than two sides from each: write a rule for each pair"
    if any(each.every for each in sides):
        return "a side of it counts only with every package"
    if not all(map(is_one_class, sides)):
        return "a side of it is not one class"
    return None


def _row(parsed: ParsedRules, rule: Rule, duties: Sequence[str], width: int) -> Sequence[str]:
    control = parsed.controls.get(rule.control or "")
    has_own = control is not None and control.id == control_id(control.title)
    effective = rule.effective
    days = (effective.start, effective.end) if effective else (None, None)
    return (
        rule.id,
        *duties,
        *("" for _ in range(width - len(duties))),
        rule.title,
        rule.severity,
        rule.owner,
        "" if has_own else rule.control or "",
        control.title if control else "",
        rule.advice or "",
        rule.process or "",
        "; ".join(f"{each.id}: {each.ref}" for each in rule.frameworks),
        *("" if day is None else day.isoformat() for day in days),
    )


def as_csv_file(table: ExportedTable) -> bytes:
    """Write CSV that a spreadsheet opens without taking text for formulas."""
    return b"\xef\xbb\xbf" + csv_table(table.heads, table.rows)


def as_markdown(table: ExportedTable) -> bytes:
    lines = [_line(table.heads), _line(["---"] * len(table.heads)), *map(_line, table.rows)]
    return "".join(lines).encode()


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(_MARK.sub(_escaped, visible(cell)) for cell in cells)} |\n"


def _escaped(found: re.Match[str]) -> str:
    entities = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
    return entities.get(found[1], f"\\{found[1]}")


def as_workbook(table: ExportedTable, name: str) -> bytes:
    """Write a workbook with one sheet, in which every cell is text."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = book.create_sheet(name[:_MAX_TAB])

    for row in (table.heads, *table.rows):
        cells = [WriteOnlyCell(sheet, value=visible(text)) for text in row]
        for cell in cells:
            cell.data_type = "s"  # also of what begins as a formula does
        sheet.append(cells)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()
