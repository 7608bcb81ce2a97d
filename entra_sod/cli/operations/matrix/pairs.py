"""Tables with a row for each rule: its duties stand in columns of their own. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from entra_sod.cli.operations.matrix.columns import Column, MatrixColumns
from entra_sod.cli.operations.matrix.model import (
    MAX_NAME,
    CellPlace,
    Clause,
    MatrixRule,
    Remark,
    RemarkKind,
    Sheet,
    SheetRow,
    clean,
    is_error,
    shortened,
)
from entra_sod.domain.rules.language import Effective, Severity
from entra_sod.domain.text import fold

MAX_QUOTED, MAX_PROSE = 80, 300  # characters of a cell in a remark
MAX_DUTIES, MAX_CLAUSES = 100, 20
_EVERYTHING = frozenset({"any", "all", "*", "%", "**", "everything", "alle"})
_SEVERAL = re.compile(r"[\n;]|\s(?:AND|OR|UND|ODER)\s|\s\+\s")
NO_DUTY = frozenset({"", "-", "–", "—", "n/a", "na", "none", "null", "tbd", "?"})  # noqa: RUF001
_ACCEPTED = frozenset(
    {"accepted", "risk accepted", "accepted risk", "exception", "waived", "akzeptiert"}
)
_OUT_OF_FORCE = frozenset({"inactive", "retired", "obsolete", "disabled", "withdrawn", "inaktiv"})
_IN_FORCE = frozenset(
    {"active", "open", "in force", "enabled", "mitigated", "not mitigated", "unmitigated"}
    | {"in progress", "pending", "new", "identified", "planned", "draft", "under review"}
    | {"approved", "remediated", "closed", "resolved", "aktiv", "offen"}
)
_YES = frozenset({"yes", "y", "true", "1", "x", "ja", "wahr", "✓", "✔", "active"})
_NO = frozenset({"", "no", "n", "false", "0", "-", "nein", "falsch", "inactive"})
_DATES = ("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%Y%m%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S")
# As systems write that there is none; D365 has the years 1900 and 2154.
_NEVER = re.compile(
    r"9999.*|0001-.*|.*\.9999|(1900-01-01|2154-12-31|2099-12-31).*|0?1/0?1/1900|(12/31|31/12)/2154"
)


class RefusedRow(Exception):
    """A row that is no rule.

    Attributes:
        fix: what to do about it.
    """

    def __init__(self, what: str, fix: str) -> None:
        self.what, self.fix = what, fix
        super().__init__(what)


type SeverityWords = Mapping[str, Severity]


@dataclass(frozen=True, slots=True)
class RowReader:
    """Reads the rows of one table."""

    sheet: Sheet
    heads: SheetRow
    columns: MatrixColumns
    words: SeverityWords

    def text(self, row: SheetRow, column: Column) -> str:
        """Return a cell as one line.

        Raises:
            RefusedRow: it has an error of the spreadsheet, or no value.
        """
        return self.at(row, self.columns.at.get(column))

    def at(self, row: SheetRow, index: int | None) -> str:
        cell = row.cell(index)
        if is_error(cell):
            raise RefusedRow(
                f"{self.head(index)} has {cell.strip()} in place of a value.",
                "open the file in a spreadsheet, correct the formula, and save it.",
            )
        return clean(cell)

    def head(self, index: int | None) -> str:
        return clean(self.heads.cell(index)) or "a cell"

    def severity(self, row: SheetRow) -> Severity | None:
        """Return the severity that a row names.

        Raises:
            RefusedRow: the word is not in the table.
        """
        word = self.text(row, Column.SEVERITY)
        return severity_of(word, self.words) if word else None

    def rule(self, row: SheetRow, duties: Sequence[str]) -> MatrixRule:
        """Make the rule of a row that keeps these duties apart.

        Raises:
            RefusedRow: a cell of it cannot be understood.
        """
        title = self.text(row, Column.TITLE)
        description = self.text(row, Column.DESCRIPTION)
        words = ": ".join(dict.fromkeys(filter(None, (title, description))))
        return MatrixRule(
            id=self._id(row),
            duties=tuple(duties),
            title=shortened(words or " and ".join(duties)),
            severity=self.severity(row),
            owner=shortened(self.text(row, Column.OWNER)) or None,
            effective=self._effective(row),
            control=self._short(row, Column.CONTROL, MAX_NAME),
            mitigation=shortened(self.text(row, Column.MITIGATION)) or None,
            advice=shortened(self.text(row, Column.ADVICE)) or None,
            process=self._process(row),
            frameworks=self._frameworks(row),
            origin=self.sheet.place(row.number),
            sha256=self.sheet.sha256,
        )

    def _id(self, row: SheetRow) -> str | None:
        return self._short(row, Column.ID, MAX_NAME)

    def _short(self, row: SheetRow, column: Column, most: int) -> str | None:
        text = self.text(row, column)
        if len(text) > most:
            raise RefusedRow(
                f"{self.head(self.columns.at.get(column))} has {len(text)} characters.",
                f"shorten it to {most}.",
            )
        return None if fold(text) in NO_DUTY else text

    def _frameworks(self, row: SheetRow) -> tuple[Clause, ...]:
        index = self.columns.at.get(Column.FRAMEWORKS)
        found = tuple(clauses(row.cell(index)))
        if len(found) > MAX_CLAUSES:
            detail = f"{self.head(index)} has {len(found)} clauses."
            raise RefusedRow(detail, f"name up to {MAX_CLAUSES}.")
        return found

    def _process(self, row: SheetRow) -> str | None:
        parts = (self.text(row, each) for each in (Column.PROCESS, Column.SUBPROCESS))
        return shortened(" / ".join(filter(None, parts)), MAX_NAME) or None

    def _effective(self, row: SheetRow) -> Effective | None:
        days = [self._day(row, column) for column in (Column.START, Column.END)]
        found = Effective(*days)
        if not found.is_possible:
            raise RefusedRow("It ends before it begins.", "correct the dates.")
        return found if any(days) else None

    def _day(self, row: SheetRow, column: Column) -> date | None:
        text = self.text(row, column)
        if not text or _NEVER.fullmatch(text):
            return None
        for form in _DATES:
            try:
                return datetime.strptime(text, form).date()  # noqa: DTZ007 - a day, without a time
            except ValueError:
                continue
        raise RefusedRow(
            f"{self.head(self.columns.at.get(column))} has {quoted(text)}, which is no clear date.",
            "write dates as 2026-11-30.",
        )


def severity_of(word: str, words: SeverityWords) -> Severity:
    """Find a word in the table of severities.

    Raises:
        RefusedRow: it is not there.
    """
    if (severity := words.get(fold(word))) is None:
        raise RefusedRow(
            f"{quoted(word)} is no severity that is known.",
            f'correct it, or add --word "{shortened(word, MAX_QUOTED)}=high".',
        )
    return severity


def read_pairs(reader: RowReader) -> Iterator[MatrixRule | Remark]:
    """Read the rows below the head of a table; each is a rule or a remark."""
    for row in rows_below(reader):
        try:
            yield from _pair(reader, row)
        except RefusedRow as refused:
            yield refusal(reader.sheet.place(row.number), refused)


def refusal(place: CellPlace, refused: RefusedRow) -> Remark:
    return Remark(kind=RemarkKind.REFUSED, place=place, what=refused.what, fix=refused.fix)


def rows_below(reader: RowReader) -> Iterator[SheetRow]:
    """Yield the rows that are data: not the head, and not the head once more."""
    heads = [clean(cell) for cell in reader.heads.cells]
    for row in reader.sheet.rows:
        if row.number > reader.heads.number and [clean(cell) for cell in row.cells] != heads:
            yield row


def _pair(reader: RowReader, row: SheetRow) -> Iterator[MatrixRule | Remark]:
    if not is_apart(reader, row):
        what = f"{reader.head(reader.columns.at[Column.APART])} says no: it is no rule."
        yield Remark(kind=RemarkKind.NOTE, place=reader.sheet.place(row.number), what=what)
        return
    duties = _duties(reader, row)
    status = fold(reader.text(row, Column.STATUS))
    if status in _OUT_OF_FORCE:
        what = (
            f"{reader.head(reader.columns.at[Column.STATUS])} says {status}: it was not imported."
        )
        yield Remark(kind=RemarkKind.NOTE, place=reader.sheet.place(row.number), what=what)
        return
    if status and status not in _IN_FORCE | _ACCEPTED:
        raise RefusedRow(
            f"{quoted(status)} is no status that is known.", "write active, inactive or nothing."
        )
    yield reader.rule(row, duties)
    if status in _ACCEPTED:
        yield refusal(
            reader.sheet.place(row.number),
            RefusedRow(
                f"It says {status}, without a person and an end. The rule was imported, and the "
                "acceptance was not.",
                "write an exception for each person, with an end and an approver "
                "(docs/how-to/manage-exceptions.md).",
            ),
        )


def is_apart(reader: RowReader, row: SheetRow) -> bool:
    """Whether a row says of its duties that they must not be combined.

    Raises:
        RefusedRow: it says neither yes nor no.
    """
    if Column.APART not in reader.columns.at:
        return True
    return truth(reader, row, Column.APART)


def truth(reader: RowReader, row: SheetRow, column: Column) -> bool:
    """Read a cell that says yes or no.

    Raises:
        RefusedRow: it says neither.
    """
    word = fold(reader.text(row, column))
    if word not in _YES | _NO:
        head = reader.head(reader.columns.at.get(column))
        raise RefusedRow(f"{head} says {quoted(word)}.", "write yes or no.")
    return word in _YES


def _duties(reader: RowReader, row: SheetRow) -> Sequence[str]:
    found: list[str] = []
    sides = reader.columns.sides
    for side, index in enumerate(sides):
        cell = row.cell(index)
        if side > 1 and fold(cell) in NO_DUTY:
            continue  # a table may have more columns than this rule has duties
        name = _one_duty(reader, row, index)
        found.append(_with_system(reader, row, side, name))
    _require_all_legs(reader, row, len(found))
    require_different(found)
    return found


def _one_duty(reader: RowReader, row: SheetRow, index: int) -> str:
    raw, head = row.cell(index), reader.head(index)
    return duty_name(reader.at(row, index), raw, head)


def duty_name(name: str, raw: str, head: str) -> str:
    """Take a cell for the name of one duty.

    Raises:
        RefusedRow: it is empty, fits everything, or is more than one.
    """
    if fold(name).strip("<>[](){}' \"") in _EVERYTHING:
        detail = (
            f"{head} says {quoted(name)}, which fits everything: the rule would keep all apart."
        )
        raise RefusedRow(detail, "name one duty.")
    if fold(name) in NO_DUTY:
        raise RefusedRow(f"{head} is empty.", "name one duty.")
    if any(map(_SEVERAL.search, (raw.strip(), name))) or len(name) > MAX_NAME:
        detail = f"{head} has more than the name of one duty: {quoted(name)}."
        raise RefusedRow(
            detail, f"give each duty a row or a column, in up to {MAX_NAME} characters."
        )
    return name


def _with_system(reader: RowReader, row: SheetRow, side: int, name: str) -> str:
    """Put the system before a duty: the same words mean another access in another system."""
    index = reader.columns.systems.get(side, reader.columns.at.get(Column.SYSTEM))
    if index is None:
        return name
    system = _one_duty(reader, row, index)
    return duty_name(f"{system}: {name}", "", reader.head(index))


def _require_all_legs(reader: RowReader, row: SheetRow, found: int) -> None:
    """Refuse a rule of which some legs are told in prose: fewer legs are a wider, wrong rule."""
    text = reader.text(row, Column.LEGS)
    if text and text != str(found):
        heads = " and ".join(reader.head(index) for index in reader.columns.sides)
        prose = ": ".join(reader.text(row, each) for each in (Column.TITLE, Column.DESCRIPTION))
        number = reader.head(reader.columns.at[Column.LEGS])
        raise RefusedRow(
            f"{number} is {quoted(text)}, and {heads} have {found}. The rest is in prose: "
            f"{quoted(prose, MAX_PROSE)}.",
            "give each leg a column of its own.",
        )


def require_different(duties: Sequence[str]) -> None:
    """Refuse a rule that keeps a duty from itself.

    Raises:
        RefusedRow: it does.
    """
    if len(set(map(fold, duties))) < len(duties):
        detail = f"It keeps {quoted(duties[0])} from itself."
        raise RefusedRow(detail, "name two different duties.")


def quoted(text: str, most: int = MAX_QUOTED) -> str:
    return f'"{shortened(text, most)}"'


def clauses(cell: str) -> Iterator[Clause]:
    """Split what a cell says of frameworks, as `SOX 404; ISO/IEC 27001: A.5.3`."""
    for part in re.split(r"[;,\n|]", cell):
        text = clean(part)
        name, colon, ref = text.partition(": ")
        if not (name and colon):
            name, _, ref = text.rpartition(" ")
            name, ref = (name, ref) if name else (ref, "-")
        if name:
            yield Clause(shortened(name, MAX_NAME), shortened(ref))


def meanings(reader: RowReader) -> Iterator[tuple[str, str]]:
    """Yield each duty that a second column explains, with the explanation."""
    for row in rows_below(reader):
        for side, index in reader.columns.tasks.items():
            duty, task = clean(row.cell(reader.columns.sides[side])), clean(row.cell(index))
            if duty and task:
                yield duty, task
