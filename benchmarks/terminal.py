"""The same table for a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks.report import COLUMNS, Report

_STYLES = {"met": "green", "missed": "bold red"}


def show(console: Console, report: Report) -> None:
    table = Table(*COLUMNS, title=report.title, title_justify="left")
    for row in report.rows:
        *cells, verdict = row.cells()
        table.add_row(*map(Text, cells), Text(verdict, style=_STYLES.get(verdict, "")))
    console.print(table)
