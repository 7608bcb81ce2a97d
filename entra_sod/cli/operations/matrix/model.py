"""A matrix as values: the cells of its files, the rules that they state, and remarks. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

import msgspec

from entra_sod.core.errors import SodError
from entra_sod.domain.rules.language import Effective, Severity
from entra_sod.domain.text import fold

MAX_NAME = 100  # characters of the name of a class, and of the id of a rule
MAX_TEXT = 500
NOT_COMPUTED = "#NOT COMPUTED!"  # a formula of which the file has no value; `is_error` knows it
# What an export puts before text that a spreadsheet would take for a formula.
_GUARD = re.compile(r"(?:^|(?<=[;|]))'(?=\s*[=+\-@\uff1d\uff0b\uff0d\uff20])")
_ERROR = re.compile(r"#(?:REF|VALUE|NUM|NULL|SPILL|CALC|DIV/0|NOT COMPUTED)!|#N/A|#NAME\?")


class MatrixError(SodError):
    """A file cannot be imported at all; nothing was written."""


class CellPlace(msgspec.Struct, frozen=True, order=True):
    """A row of a file, as people count them, or a file or sheet as a whole."""

    file: str
    sheet: str = ""
    row: int = 0

    def __str__(self) -> str:
        return ":".join(filter(None, (self.file, self.sheet, str(self.row or ""))))


class SheetRow(msgspec.Struct, frozen=True):
    """Cells as text, without those at the end that are empty."""

    number: int
    cells: Sequence[str]

    def cell(self, index: int | None) -> str:
        return self.cells[index] if index is not None and index < len(self.cells) else ""


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """A table of a file: all of a CSV file, a sheet of a workbook, a table of a Markdown page.

    Attributes:
        sha256: of the file.
        remarks: what had to be decided while it was read.
    """

    file: str
    name: str
    sha256: str
    rows: Sequence[SheetRow]
    remarks: Sequence[Remark] = ()

    def place(self, row: int = 0) -> CellPlace:
        return CellPlace(self.file, self.name, row)


class RemarkKind(StrEnum):
    """What a line of the report says; a person must act on the first two."""

    UNREAD = "not read"
    REFUSED = "refused"
    MERGED = "merged"
    KEPT = "kept"
    NOTE = "note"


class Remark(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the report.

    Attributes:
        fix: what to do about it.
    """

    kind: RemarkKind
    place: CellPlace
    what: str
    fix: str = ""

    def __str__(self) -> str:
        return f"{self.place}: {self.kind}: {self.what}" + (f" Fix: {self.fix}" if self.fix else "")


class Clause(msgspec.Struct, frozen=True):
    """A clause of a framework, such as A.5.3 of ISO/IEC 27001."""

    id: str
    ref: str

    def __str__(self) -> str:
        return f"{self.id} {self.ref}"


class MatrixRule(msgspec.Struct, frozen=True, kw_only=True):
    """Duties that a matrix keeps apart.

    Attributes:
        id, severity, owner: as the file has it; None where it has none.
        duties: the names of the sides; more than two count only all together.
        control: the file's own reference.
        mitigation: the compensating control in words.
        origin: the row that states it.
        sha256: of the file.
        also: other rows that say the same.
    """

    duties: tuple[str, ...]
    title: str
    origin: CellPlace
    sha256: str
    id: str | None = None
    severity: Severity | None = None
    owner: str | None = None
    effective: Effective | None = None
    control: str | None = None
    mitigation: str | None = None
    advice: str | None = None
    process: str | None = None
    frameworks: tuple[Clause, ...] = ()
    also: tuple[str, ...] = ()

    @property
    def key(self) -> frozenset[str]:
        """The same for A-B and B-A, and for names that look the same."""
        return frozenset(map(fold, self.duties))


class Matrix(msgspec.Struct, frozen=True, kw_only=True):
    """All that files state.

    Attributes:
        meanings: what a duty means, by its folded name, where the files say so.
    """

    rules: Sequence[MatrixRule]
    meanings: Mapping[str, str]
    remarks: Sequence[Remark]


def is_error(cell: str) -> bool:
    """Whether a cell holds an error of the spreadsheet in place of a value."""
    return _ERROR.fullmatch(cell.strip()) is not None


def clean(cell: str) -> str:
    """Return the text of a cell as one line, without invisible characters."""
    text = " ".join("".join(_seen(unicodedata.normalize("NFC", cell))).split())
    return _GUARD.sub("", text).strip()


def _seen(text: str) -> Iterator[str]:
    for each in text:
        category = unicodedata.category(each)
        if category in ("Cc", "Zl", "Zp"):
            yield " "
        elif category not in ("Cf", "Cn", "Co", "Cs"):
            yield each


def shortened(text: str, most: int = MAX_TEXT) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"
