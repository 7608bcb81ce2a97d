"""Lists that commands print: the same formats everywhere.

On a terminal a list fits its width. Piped, each row is one line with tabs between its cells, and
nothing is cut, so that other programs can read it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from entra_sod.cli.show import MAX_ROWS
from entra_sod.cli.terminal import err, in_markdown, line, out
from entra_sod.core.names import visible
from entra_sod.domain.findings.views import csv_table
from entra_sod.domain.results.coverage import Skipped

DEFAULT_FOLDER = Path("rules")
MAX_MARKDOWN_CELL = 500  # characters
ID_WIDTH = 36  # characters
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class ListFormat(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"


# Not `type` statements: typer does not look behind them.
ListAs = Annotated[ListFormat, typer.Option("--format", help="For people, or for programs.")]
RulesIfAny = Annotated[
    Path | None,
    typer.Option(
        "--rules",
        help="Folder of the rules files; without it what RULES names, or the folder rules.",
        exists=True,
        file_okay=False,
    ),
]


def folder_of(given: Path | None) -> Path | None:
    """Return the folder of the rules: the one that is named, else `rules` if it exists.

    RULES may name a container of the app. There is no folder then, and the command goes on.
    """
    setting = os.environ.get("RULES", "")
    folder = given or Path(setting or DEFAULT_FOLDER)
    return folder if folder.is_dir() else None


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedList:
    """A list as values.

    Attributes:
        key: what the rows are called in JSON.
        columns: heads of the cells.
        rows: the cells of each row.
        ids: columns of ids. Markdown has them as code.
        below: columns that a terminal shows below another column, by its name.
        piped: columns that a terminal does not show.
        not_read: what could not be looked at, so that rows may be missing.
    """

    key: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    ids: frozenset[str] = frozenset({"id"})
    below: Mapping[str, str] = field(default_factory=dict)
    piped: frozenset[str] = frozenset()
    not_read: Sequence[Skipped] = ()


def print_list(listing: PrintedList, how: ListFormat, values: Iterable[object]) -> None:
    """Print a list, and on standard error what could not be read.

    Args:
        listing: for people.
        how: the format.
        values: the same rows for JSON, with their ids.
    """
    if how is ListFormat.JSON:
        view: Mapping[str, object] = {listing.key: list(values), "notRead": listing.not_read}
        typer.echo(msgspec.json.format(msgspec.json.encode(view)))
        return
    if how is ListFormat.TABLE and out.is_terminal:
        _print_table(listing)
    else:
        typer.echo(_text(listing, how), nl=False)
    tell_gaps(listing.not_read)


def tell_gaps(gaps: Sequence[Skipped]) -> None:
    """Say on standard error what could not be looked at, and why."""
    for each in gaps[:MAX_ROWS]:
        tell(f"not known: {each.what}: {each.why}", "yellow")
    if len(gaps) > MAX_ROWS:
        tell(f"and {len(gaps) - MAX_ROWS:,} more, see --format json", "dim")


def tell(text: str, style: str = "") -> None:
    """Say something on standard error; what is not a terminal gets one line."""
    err.print(line(text, style), soft_wrap=not err.is_terminal)


def _print_table(listing: PrintedList) -> None:
    if not listing.rows:
        return
    out.print(list_table(listing))
    if len(listing.rows) > MAX_ROWS:
        more = f"and {len(listing.rows) - MAX_ROWS:,} more, see --format csv, or pipe the list"
        out.print(line(more, "dim"))


def list_table(listing: PrintedList) -> Table:
    """Make the table for a terminal: it folds cells, and cuts none."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    hidden = listing.piped | frozenset(listing.below.values())
    shown_columns = [each for each in listing.columns if each not in hidden]
    for column in shown_columns:
        width = ID_WIDTH if _has_ids(column, listing) else None
        table.add_column(column, overflow="fold", min_width=width)
    for row in listing.rows[:MAX_ROWS]:
        cells = dict(zip(listing.columns, map(visible, row), strict=True))
        table.add_row(*(_with_below(each, cells, listing.below) for each in shown_columns))
    return table


def _has_ids(column: str, listing: PrintedList) -> bool:
    """Whether ids stand in a column or below it, which a terminal shows whole."""
    cells = (row[listing.columns.index(column)] for row in listing.rows[:MAX_ROWS])
    return column in listing.below or any(map(_ID.fullmatch, cells))


def _with_below(column: str, cells: Mapping[str, str], below: Mapping[str, str]) -> str:
    lower = cells[below[column]] if column in below else ""
    return f"{cells[column]}\n{lower}" if lower else cells[column]


def _text(listing: PrintedList, how: ListFormat) -> str:
    if not listing.rows and how is ListFormat.TABLE:
        return ""
    match how:
        case ListFormat.CSV:
            return csv_table(listing.columns, listing.rows).decode()
        case ListFormat.MARKDOWN:
            rows = [listing.columns, ["---"] * len(listing.columns)]
            rows += [_in_markdown(listing, row) for row in listing.rows]
            return "".join(f"| {' | '.join(row)} |\n" for row in rows)
        case _:
            rows = [listing.columns, *listing.rows]
            return "".join("\t".join(map(visible, row)) + "\n" for row in rows)


def _in_markdown(listing: PrintedList, row: Sequence[str]) -> Sequence[str]:
    return [
        f"`{cell}`" if column in listing.ids and cell else in_markdown(cell, MAX_MARKDOWN_CELL)
        for column, cell in zip(listing.columns, row, strict=True)
    ]
