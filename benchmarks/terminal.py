"""The same table for a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks.report import COLUMNS, Grid, Report

_STYLES = {"met": "green", "missed": "bold red"}
_GRID_WIDTH = 200


def show(console: Console, report: Report) -> None:
    for grid in report.grids:
        _show_grid(console, grid)
    table = Table(*COLUMNS, title=report.title, title_justify="left")
    for row in report.rows:
        *cells, verdict = row.cells()
        table.add_row(*map(Text, cells), Text(verdict, style=_STYLES.get(verdict, "")))
    console.print(table)


def _show_grid(console: Console, grid: Grid) -> None:
    table = Table(*grid.columns, title=grid.title, title_justify="left")
    for line in grid.lines:
        table.add_row(*map(Text, line))
    # Broken by the terminal if it must be, but not squeezed to columns of a letter.
    wide = Console(file=console.file, width=max(console.width, _GRID_WIDTH))
    wide.print(table)
