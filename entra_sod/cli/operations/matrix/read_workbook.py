"""Workbooks (XLSX): values as last computed, merged cells as people see them; nothing evaluated.

A workbook is an untrusted zip of XML files. So its real size is counted before it is read, and a
document type in it is refused.
"""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from entra_sod.cli.operations.matrix.limits import SizeCount, trim
from entra_sod.cli.operations.matrix.model import (
    NOT_COMPUTED,
    MatrixError,
    Remark,
    RemarkKind,
    Sheet,
    SheetRow,
)

MAX_UNPACKED = 64 * 1024 * 1024  # bytes of all files within
MAX_RATIO = 200  # of a file within, over its first mebibyte; sheets have 5 to 60
MAX_MEMBERS = 2_000
_CHUNK = 1024 * 1024
_OVERLAP = 200  # bytes; what is looked for is shorter
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s+ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')
_ROW = re.compile(rb'<(?:\w+:)?row\s(?:[^>]*?\s)?r="(\d{1,10})"')
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")

type _Range = tuple[int, int, int, int]  # first row and column, last row and column, from 1


@dataclass(slots=True)
class _SheetMarks:
    """What the XML of a sheet says beside its values."""

    merged: dict[_Range, None] = field(default_factory=dict)
    has_formulas: bool = False
    last_row: int = 0

    def add(self, window: bytes, known: int) -> None:
        """Note what is in a piece of XML, of which the first bytes were seen before.

        Raises:
            ValueError: rows are not in order; a reader would pass over some of them.
        """
        self.has_formulas = self.has_formulas or _FORMULA.search(window) is not None
        for match in _MERGED.finditer(window):
            self.merged[_range(match)] = None
        for match in _ROW.finditer(window):
            if match.end() > known:
                if int(match[1]) <= self.last_row:
                    raise ValueError("rows are not in order")
                self.last_row = int(match[1])


def read_workbook(name: str, data: bytes, sha256: str) -> Sequence[Sheet]:
    """Read every sheet of a workbook.

    Raises:
        MatrixError: it is damaged, has a password, or holds more than a matrix has.
    """
    try:
        marks = _scan(name, data)
        with warnings.catch_warnings(action="ignore"):  # of parts that an import has no use for
            return list(_sheets(name, data, sha256, marks))
    except MatrixError:
        raise
    except Exception as error:  # openpyxl has no error of its own for what is damaged
        raise MatrixError(
            f"{name} is a damaged workbook ({type(error).__name__}). "
            "Fix: open it in a spreadsheet and save it as XLSX."
        ) from error


def _scan(name: str, data: bytes) -> Mapping[str, _SheetMarks]:
    """Unpack every file within once, in pieces, before anything parses one."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = archive.infolist()
        _require_workbook(name, members)
        unpacked = 0
        marks: dict[str, _SheetMarks] = {}
        for member in members:
            size, found = 0, _SheetMarks()
            for size in _pieces(archive, member, found, name):
                limit = _CHUNK + MAX_RATIO * member.compress_size
                if unpacked + size > MAX_UNPACKED or size > limit:
                    detail = f"{name} unpacks to more than a matrix has ({member.filename})."
                    raise MatrixError(f"{detail} Fix: copy the matrix into a new workbook.")
            unpacked += size
            marks[member.filename] = found
    return marks


def _require_workbook(name: str, members: Sequence[zipfile.ZipInfo]) -> None:
    names = {member.filename for member in members}
    if "xl/workbook.xml" not in names:
        other = "an XLSB workbook" if "xl/workbook.bin" in names else "a zip, and no XLSX workbook"
        raise MatrixError(f"{name} is {other}. Fix: save it as XLSX or CSV UTF-8.")
    if len(members) > MAX_MEMBERS:
        detail = f"{name} has {len(members):,} files within, and {MAX_MEMBERS:,} are the most."
        raise MatrixError(f"{detail} Fix: copy the matrix into a new workbook.")


def _pieces(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, found: _SheetMarks, name: str
) -> Iterator[int]:
    """Yield how many bytes were unpacked so far; note what is found in them."""
    size, before = 0, b""
    with archive.open(member) as file:
        while piece := file.read(_CHUNK):
            size += len(piece)
            yield size
            window = before + piece
            if b"<!DOCTYPE" in window:
                detail = f"{name} has a document type in {member.filename}, which no workbook has."
                raise MatrixError(f"{detail} Fix: save it anew in a spreadsheet.")
            if member.filename.startswith("xl/worksheets/"):
                found.add(window, len(before))
            before = window[-_OVERLAP:]


def _range(match: re.Match[bytes]) -> _Range:
    from openpyxl.utils import column_index_from_string

    left, right = (column_index_from_string(match[group].decode()) for group in (1, 3))
    return int(match[2]), left, int(match[4]), right


def _sheets(
    name: str, data: bytes, sha256: str, marks: Mapping[str, _SheetMarks]
) -> Iterator[Sheet]:
    from openpyxl import load_workbook

    values = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    formulas = load_workbook(io.BytesIO(data), read_only=True, keep_links=False)
    count = SizeCount(name)
    for sheet, same in zip(values.worksheets, formulas.worksheets, strict=True):
        of_sheet = marks.get(getattr(sheet, "_worksheet_path", ""), _SheetMarks())
        rows = list(_values(sheet, count))
        remarks: list[Remark] = []
        made = Sheet(file=name, name=sheet.title, sha256=sha256, rows=(), remarks=remarks)
        if of_sheet.has_formulas:
            remarks += _mark_formulas(made, rows, same)
        if of_sheet.merged:
            _fill(rows, of_sheet.merged, count)
            what = "Each cell of a merged range has the value of the range."
            remarks.append(Remark(kind=RemarkKind.NOTE, place=made.place(), what=what))
        numbered = [SheetRow(number, trim(row)) for number, row in enumerate(rows, start=1)]
        yield Sheet(
            file=name,
            name=sheet.title,
            sha256=sha256,
            rows=[row for row in numbered if row.cells],
            remarks=remarks,
        )


def _values(sheet: Any, count: SizeCount) -> Iterator[list[str]]:  # noqa: ANN401 - of openpyxl
    sheet.reset_dimensions()  # the file may say anything of them
    for row in sheet.iter_rows(values_only=True):
        yield list(count.row([_text(value) for value in row]))


def _text(value: object) -> str:
    """Return a value as a spreadsheet shows it, dates as ISO 8601."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).upper()
        case float() if value.is_integer():
            return str(int(value))
        case datetime() if value.time() == datetime.min.time():
            return value.date().isoformat()
        case date():
            return value.isoformat()
    return str(value)


def _mark_formulas(sheet: Sheet, rows: list[list[str]], formulas: Any) -> Iterator[Remark]:  # noqa: ANN401
    """Mark each formula of which the file has no value; an empty cell would say something else."""
    formulas.reset_dimensions()
    taken = 0
    for row, cells in zip(rows, formulas.iter_rows(), strict=False):
        found = [index for index, cell in enumerate(cells) if cell.data_type == "f"]
        taken += len(found)
        for index in found:
            row.extend([""] * (index + 1 - len(row)))
            row[index] = row[index] or NOT_COMPUTED
    if taken:
        what = f"{taken} cells have formulas: the values as last computed were taken."
        yield Remark(kind=RemarkKind.NOTE, place=sheet.place(), what=what)


def _fill(rows: list[list[str]], merged: Mapping[_Range, None], count: SizeCount) -> None:
    """Give every cell of a merged range the value of the range."""
    widest = max(map(len, rows), default=0)
    for top, left, bottom, right in merged:
        value = rows[top - 1][left - 1] if top <= len(rows) and left <= len(rows[top - 1]) else ""
        for row in rows[top - 1 : bottom] if value else ():
            row.extend([""] * (min(right, widest) - len(row)))
            for index in range(left - 1, min(right, widest)):
                row[index] = row[index] or value
            count.row(row)
