"""The measured parts of README.md: each between its own markers, the rest written by hand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from benchmarks.report import COLUMNS, Grid, Report, machine

README = Path(__file__).with_name("README.md")


class NoMarkersError(Exception):
    """The page has no place for the figures of a benchmark."""


def write(path: Path, name: str, report: Report) -> None:
    """Put a report in its place; everything outside its markers stays as it is.

    Raises:
        NoMarkersError: the page lacks the markers of this benchmark.
    """
    before = path.read_text(encoding="utf-8")
    path.write_text(replaced(before, name, as_markdown(report)), encoding="utf-8")


def replaced(page: str, name: str, content: str) -> str:
    start, end = f"<!-- measured: {name} -->", f"<!-- end of {name} -->"
    place = re.compile(f"{re.escape(start)}.*?{re.escape(end)}", re.DOTALL)
    if len(place.findall(page)) != 1:
        raise NoMarkersError(f"README.md needs {start} and {end} once, in this order")
    return place.sub(lambda _: f"{start}\n{content}\n{end}", page)


def as_markdown(report: Report) -> str:
    tables = [*map(_grid, report.grids), _table(COLUMNS, [row.cells() for row in report.rows])]
    return "\n\n".join([f"{report.title}. {machine()}.", *tables])


def _grid(grid: Grid) -> str:
    return f"{grid.title}:\n\n{_table(grid.columns, grid.lines)}"


def _table(columns: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    head = [_line(columns), _line(["---"] * len(columns))]
    return "\n".join([*head, *(_line([_escaped(cell) for cell in line]) for line in lines)])


def _escaped(cell: str) -> str:
    return cell.replace("|", r"\|")


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
