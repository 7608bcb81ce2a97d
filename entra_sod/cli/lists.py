"""Lists that commands print: the same formats everywhere.

On a terminal a list fits its width, ids are short, and what belongs together stands together.
Piped, each row is one line with tabs between its cells, and nothing is cut, so that other programs
can read it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.cells import cell_len
from rich.console import (
    Console,
    ConsoleOptions,
    Group,
    JustifyMethod,
    RenderableType,
    RenderResult,
)
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from entra_sod.cli.terminal import MAX_ROWS, Hanging, err, in_markdown, line, out
from entra_sod.core.names import visible
from entra_sod.domain.findings.views import csv_table
from entra_sod.domain.results.coverage import Skipped
from entra_sod.domain.short_ids import short_ids

DEFAULT_FOLDER = Path("rules")
MAX_MARKDOWN_CELL = 500  # characters
MIN_WIDTH = 8  # of a column that is folded, in cells of a terminal
_GAP = 2  # cells between two columns
_INDENT = 2  # cells before rows that stand below the head of their group
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}|[a-z]+-\d{8}T\d{6}Z.*")


class ListFormat(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"


class TextFormat(StrEnum):
    """Of what is no list."""

    TABLE = "table"
    JSON = "json"


# Not `type` statements: typer does not look behind them.
ListAs = Annotated[ListFormat, typer.Option("--format", help="Output format.")]
TextAs = Annotated[TextFormat, typer.Option("--format", help="Output format.")]
WholeIds = Annotated[
    bool, typer.Option("--long", help="Show whole ids on a terminal. Rules files need whole ids.")
]
RulesIfAny = Annotated[
    Path | None,
    typer.Option(
        "--rules",
        help="Folder of the rules files. Default: the folder in RULES, or else `rules`.",
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
        ids: columns of ids. A terminal has them short, Markdown as code.
        below: columns that a terminal shows below another column, by its name.
        piped: columns that a terminal does not show.
        heads: for each row what a terminal shows once, above all rows that have the same there.
            Rows with the same head stand side by side. What begins with a line break is a line
            of its own.
        numbers: columns of numbers, which a terminal puts to the right.
        styles: colours of a terminal, by the text of a cell.
        whole_ids: whether a terminal shows ids whole, too.
        empty: a sentence for a list without rows.
        not_read: what could not be looked at, so that rows may be missing.
    """

    key: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    ids: frozenset[str] = frozenset({"id"})
    below: Mapping[str, str] = field(default_factory=dict)
    piped: frozenset[str] = frozenset()
    heads: Sequence[Sequence[str]] = ()
    numbers: frozenset[str] = frozenset()
    styles: Mapping[str, str] = field(default_factory=dict)
    whole_ids: bool = False
    empty: str = ""
    not_read: Sequence[Skipped] = ()


def print_list(listing: PrintedList, how: ListFormat, values: Iterable[object]) -> None:
    """Print a list, and on standard error what could not be read.

    Args:
        listing: for people.
        how: the format.
        values: the same rows for JSON, with their ids.
    """
    if how is ListFormat.JSON:
        print_json({listing.key: list(values), "notRead": listing.not_read})
        return
    if how is ListFormat.TABLE:
        out.print(AsList(listing), end="")
    else:
        typer.echo(_text(listing, how), nl=False)
    if not listing.rows and listing.empty:
        tell(listing.empty)
    tell_gaps(listing.not_read)


def print_json(value: object) -> None:
    """Print a value for programs."""
    typer.echo(msgspec.json.format(msgspec.json.encode(value)))


def tell_gaps(gaps: Sequence[Skipped]) -> None:
    """Say on standard error what could not be looked at, and why."""
    for each in gaps[:MAX_ROWS]:
        tell(f"not known: {each.what}: {each.why}", "yellow")
    if len(gaps) > MAX_ROWS:
        tell(f"and {len(gaps) - MAX_ROWS:,} more, see --format json", "dim")


def tell(text: str, style: str = "") -> None:
    """Say something on standard error; what is not a terminal gets one line."""
    err.print(line(text, style))


@dataclass(frozen=True, slots=True)
class AsList:
    """A list to print: a table on a terminal, and lines with tabs elsewhere."""

    listing: PrintedList

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield what fits the console."""
        if not self.listing.rows:
            return
        if not console.is_terminal:
            yield Segment(_text(self.listing, ListFormat.TABLE))
            return
        yield list_table(self.listing)
        if len(self.listing.rows) > MAX_ROWS:
            more = f"and {len(self.listing.rows) - MAX_ROWS:,} more"
            yield line(f"{more}, see --format csv, or pipe the list", "dim")


def list_table(listing: PrintedList) -> ListTable:
    """Make the table for a terminal: it folds cells, and cuts none."""
    rows = listing.rows[:MAX_ROWS]
    short = {} if listing.whole_ids else _short(listing)
    cells = [_terminal_cells(listing, row, short) for row in rows]
    hidden = listing.piped | frozenset(listing.below.values())
    columns = [each for each in listing.columns if each not in hidden]
    return ListTable(listing, columns, cells)


def _terminal_cells(
    listing: PrintedList, row: Sequence[str], short: Mapping[str, str]
) -> dict[str, str]:
    """Return the cells of a row as a terminal shows them: an id in the place of a name once."""
    given = dict(zip(listing.columns, row, strict=True))
    cells = {
        column: short.get(cell, cell) if column in listing.ids else visible(cell)
        for column, cell in given.items()
    }
    for column, lower in listing.below.items():
        if lower in listing.ids and given[column] == given[lower]:
            cells |= {column: cells[lower], lower: ""}
    return cells


def _short(listing: PrintedList) -> Mapping[str, str]:
    """Return the short ids of a list, unique among all that it has."""
    places = [place for place, each in enumerate(listing.columns) if each in listing.ids]
    return short_ids(
        row[place] for row in listing.rows for place in places if _ID.fullmatch(row[place])
    )


@dataclass(frozen=True, slots=True)
class ListTable:
    """The table of a list, as wide as it has to be and no wider than the terminal."""

    listing: PrintedList
    columns: Sequence[str]
    rows: Sequence[Mapping[str, str]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield one table, or a head and a table for each group."""
        if not self.listing.heads:
            yield self._table(self.rows, self._widths(options.max_width), has_head=True)
            return
        widths = self._widths(options.max_width - _INDENT)
        headed = zip(self.listing.heads, self.rows, strict=False)
        for head, rows in groupby(headed, key=itemgetter(0)):
            yield _head(head)
            table = self._table([row for _, row in rows], widths, has_head=False)
            yield Padding(table, (0, 0, 0, _INDENT), expand=False)

    def _table(
        self, rows: Sequence[Mapping[str, str]], widths: Sequence[int], *, has_head: bool
    ) -> Table:
        table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
        table.show_header = has_head
        for column, width in zip(self.columns, widths, strict=True):
            is_number = column in self.listing.numbers
            justify: JustifyMethod = "right" if is_number else "left"
            table.add_column(column, overflow="fold", width=width, justify=justify)
        for row in rows:
            table.add_row(*(self._cell(each, row) for each in self.columns))
        return table

    def _cell(self, column: str, row: Mapping[str, str]) -> Text:
        plain = "cyan" if column in self.listing.ids else ""
        cell = Text(row[column], self.listing.styles.get(row[column], plain))
        lower = row[self.listing.below[column]] if column in self.listing.below else ""
        return cell.append(f"\n{lower}", "dim") if lower else cell

    def _widths(self, available: int) -> Sequence[int]:
        """Give each column what it needs; if that is too much, the widest ones give way.

        Words are broken only if even that is too much.
        """
        widths = [self._needed(each) for each in self.columns]
        in_words = list(map(self._longest_word, self.columns, widths))
        broken = list(map(self._narrowest, self.columns, widths))
        for least in (in_words, broken):
            while sum(widths) + _GAP * len(widths) > available:
                places = [place for place, width in enumerate(widths) if width > least[place]]
                if not places:
                    break
                widths[max(places, key=lambda place: widths[place])] -= 1
        return widths

    def _longest_word(self, column: str, needed: int) -> int:
        words = (word for text in self._texts(column) for word in text.split())
        return min(needed, max(map(cell_len, words), default=0))

    def _narrowest(self, column: str, needed: int) -> int:
        """Return how narrow a column may be: an id in it or below it stays one word."""
        ids = [each for each in (column, self.listing.below.get(column)) if each]
        words = [row[each] for row in self.rows for each in ids if each in self.listing.ids]
        return min(needed, max((cell_len(each) for each in words), default=MIN_WIDTH))

    def _texts(self, column: str) -> Iterator[str]:
        """Yield each line of a column, and its head if that is shown."""
        if not self.listing.heads:
            yield column
        for row in self.rows:
            yield from self._cell(column, row).plain.split("\n")

    def _needed(self, column: str) -> int:
        return max(map(cell_len, self._texts(column)))


def _head(cells: Sequence[str]) -> RenderableType:
    """Put what belongs to the first line behind it; a part that begins a line stands below."""
    first, *others = cells
    beside = "".join(f"  {each}" for each in others if each and not each.startswith("\n"))
    below = (Hanging("  ", each.strip(), "dim") for each in others if each.startswith("\n"))
    return Group(Text(first, "bold").append(beside, "dim"), *below)


def _text(listing: PrintedList, how: ListFormat) -> str:
    if not listing.rows and how is ListFormat.TABLE:
        return ""
    match how:
        case ListFormat.CSV:
            return csv_table(listing.columns, listing.rows).decode()
        case ListFormat.MARKDOWN:
            return "".join(f"| {' | '.join(row)} |\n" for row in _markdown_rows(listing))
        case _:
            rows = [listing.columns, *listing.rows]
            return "".join("\t".join(map(visible, row)) + "\n" for row in rows)


def _markdown_rows(listing: PrintedList) -> Iterator[Sequence[str]]:
    yield listing.columns
    yield ["---"] * len(listing.columns)
    for row in listing.rows:
        yield [
            f"`{cell}`" if column in listing.ids and cell else in_markdown(cell, MAX_MARKDOWN_CELL)
            for column, cell in zip(listing.columns, row, strict=True)
        ]
