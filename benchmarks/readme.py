"""The measured parts of README.md: each between its own markers, the rest written by hand."""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks.report import COLUMNS, Report, Row, machine

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
    lines = [
        f"{report.title}. {machine()}.",
        "",
        _line(COLUMNS),
        _line(["---"] * len(COLUMNS)),
        *map(_row, report.rows),
    ]
    return "\n".join(lines)


def _row(row: Row) -> str:
    return _line([cell.replace("|", r"\|") for cell in row.cells()])


def _line(cells: list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"
