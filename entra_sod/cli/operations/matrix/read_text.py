"""Tables of text files: CSV in the dialects of spreadsheets, and tables of Markdown pages. Pure."""

from __future__ import annotations

import codecs
import csv
import html
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice

from entra_sod.cli.operations.matrix.columns import read_columns
from entra_sod.cli.operations.matrix.limits import MAX_COLUMNS, MAX_FILE_BYTES, SizeCount
from entra_sod.cli.operations.matrix.model import MatrixError, Sheet, SheetRow
from entra_sod.domain.rules.yaml_slips import is_wide

_DELIMITERS = ",;\t"
_MAX_SNIFFED = 20  # rows
_BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_SEPARATOR = re.compile(r"\s*\|?(?:\s*:?-+:?\s*\|)+(?:\s*:?-+:?\s*)?")
_CELL_END = re.compile(r"(?<!\\)((?:\\\\)*)\|")
_HEADING = re.compile(r"#{1,6}\s+(.*?)\s*#*")
_EMPHASIS = re.compile(r"(?<![\\\w])(\*\*\*|\*\*|__|`|\*|_)(?=\S)(.{1,500}?)(?<=[^\s\\])\1(?!\w)")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_MAX_NESTED = 3  # marks around marks
_MAX_MARKED = 1_000  # characters of a cell of which marks are taken off
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)


def decode_text(name: str, data: bytes) -> str:
    """Make text of bytes in an encoding that spreadsheets write.

    Raises:
        MatrixError: it is in none of them.
    """
    for mark, encoding in _BOMS.items():
        if data.startswith(mark):
            return _decoded(name, data, encoding)
    if is_wide(data):
        return _decoded(name, data, "utf-16-le" if data[1:2] == b"\0" else "utf-16-be")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _decoded(name, data, "cp1252")


def _decoded(name: str, data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        detail = f"{name} is neither UTF-8, UTF-16 nor windows-1252 (byte {error.start})."
        raise MatrixError(f"{detail} Fix: save it as CSV UTF-8.") from error


def is_markdown(name: str, text: str) -> bool:
    """Whether a text has a table of Markdown."""
    if name.lower().endswith((".md", ".markdown")):
        return True
    return any(_SEPARATOR.fullmatch(line) for line in text.splitlines()[:200])


def read_csv(name: str, text: str, sha256: str) -> Sheet:
    """Read a CSV file, whichever of the usual characters separates its cells.

    Raises:
        MatrixError: it has more than a matrix has, or is no CSV.
    """
    lines = text.split("\n", 1)
    first, skipped = lines[0].strip().lower(), 0
    delimiter, count = _sniff(text), SizeCount(name)
    if first.startswith("sep=") and len(first) == len("sep=,"):  # Excel's own line
        delimiter, text, skipped = first[-1], lines[1] if len(lines) > 1 else "", 1
    try:
        found = list(enumerate(map(count.row, _cells(text, delimiter)), start=1 + skipped))
    except csv.Error as error:
        raise MatrixError(f"{name} is no CSV: {error}. Fix: save it as CSV UTF-8.") from error
    rows = [SheetRow(number, row) for number, row in found]
    return Sheet(file=name, name="", sha256=sha256, rows=[row for row in rows if row.cells])


def _cells(text: str, delimiter: str) -> Iterator[list[str]]:
    csv.field_size_limit(MAX_FILE_BYTES)  # SizeCount has words for a cell that is too long
    # As the module wants it: line ends within quotes stay as they are.
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)


def _sniff(text: str) -> str:
    """Return the delimiter that gives the first rows the most heads that are known, or columns."""
    return max(_DELIMITERS, key=lambda each: _fit(text, each))


def _fit(text: str, delimiter: str) -> tuple[int, int]:
    rows: list[list[str]] = []
    with suppress(csv.Error):
        rows = [row for row in islice(_cells(text, delimiter), _MAX_SNIFFED) if any(row)]
    widths = sorted(map(len, rows))
    known = max((read_columns(row[:MAX_COLUMNS]).known for row in rows), default=0)
    return known, widths[(len(widths) - 1) // 2] if widths else 0


def read_markdown(name: str, text: str, sha256: str) -> Sequence[Sheet]:
    """Read every table of a Markdown page; each has the heading above it for a name.

    Raises:
        MatrixError: it has more than a matrix has.
    """
    lines = text.splitlines()
    found: list[Sheet] = []
    heading, at, count = "", 0, SizeCount(name)
    while at < len(lines):
        if head := _HEADING.fullmatch(lines[at].strip()):
            heading = plain(head[1])
        if at + 1 < len(lines) and "|" in lines[at] and _SEPARATOR.fullmatch(lines[at + 1]):
            end = _end_of_table(lines, at)
            numbers = (at, *range(at + 2, end))
            rows = [SheetRow(each + 1, count.row(_table_cells(lines[each]))) for each in numbers]
            found.append(Sheet(file=name, name=heading, sha256=sha256, rows=rows))
            at = end
        else:
            at += 1
    return found


def _end_of_table(lines: Sequence[str], start: int) -> int:
    end = start + 2
    while end < len(lines) and "|" in lines[end]:
        end += 1
    return end


def _table_cells(line: str) -> Sequence[str]:
    text = line.strip().removeprefix("|")
    parts = _CELL_END.sub(lambda found: f"{found[1]}\0", text).removesuffix("\0").split("\0")
    return [plain(part) for part in parts]


def plain(cell: str) -> str:
    """Return a cell of Markdown without its marks."""
    text = _BREAK.sub("\n", cell.strip())
    for _ in range(_MAX_NESTED if len(text) <= _MAX_MARKED else 0):
        text = _EMPHASIS.sub(r"\2", text)
    return html.unescape(_ESCAPED.sub(r"\1", text))
