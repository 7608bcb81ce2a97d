"""Tables with a row for each duty of a risk: SAP GRC's action rules, Saviynt's risks. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from entra_sod.cli.operations.matrix.columns import Column
from entra_sod.cli.operations.matrix.model import (
    MAX_NAME,
    MatrixRule,
    Remark,
    SheetRow,
    clean,
    shortened,
)
from entra_sod.cli.operations.matrix.pairs import (
    MAX_DUTIES,
    RefusedRow,
    RowReader,
    duty_name,
    refusal,
    require_different,
    rows_below,
)
from entra_sod.cli.operations.matrix.severity_words import gravest
from entra_sod.domain.text import fold

_MAX_CONTENTS = 5  # of a duty that are named beside it
_OFF = frozenset({"no", "n", "false", "0", "inactive", "nein", "falsch"})


def read_risks(reader: RowReader) -> Iterator[MatrixRule | Remark]:
    """Read each risk as one rule over all its duties; what a duty consists of is not looked at."""
    for rows in _by_risk(reader):
        place = reader.sheet.place(rows[0].number)
        try:
            yield _rule(reader, rows)
        except RefusedRow as refused:
            yield refusal(place, refused)


def _by_risk(reader: RowReader) -> Sequence[Sequence[SheetRow]]:
    found: dict[str, list[SheetRow]] = {}
    for row in rows_below(reader):
        risk = fold(row.cell(reader.columns.risk))
        # Without a name it belongs to no other row.
        found.setdefault(risk or f"\0{row.number}", []).append(row)
    return list(found.values())


def _rule(reader: RowReader, rows: Sequence[SheetRow]) -> MatrixRule:
    risk = reader.at(rows[0], reader.columns.risk)
    if not risk:
        head = reader.head(reader.columns.risk)
        raise RefusedRow(f"{head} is empty.", "name the risk that the row belongs to.")
    index = reader.columns.at[Column.DUTY]
    duties: dict[str, str] = {}
    for row in rows:
        name = duty_name(reader.at(row, index), row.cell(index), reader.head(index))
        duties.setdefault(fold(name), name)
    if len(duties) == 1:
        detail = f"Risk {risk} has one duty alone, which nothing is kept apart from."
        raise RefusedRow(detail, "leave it out: who may hold it is for access reviews.")
    if len(duties) > MAX_DUTIES:
        raise RefusedRow(f"Risk {risk} has {len(duties)} duties.", f"give it up to {MAX_DUTIES}.")
    require_different(list(duties.values()))
    rule = reader.rule(rows[0], list(duties.values()))
    return msgspec.structs.replace(
        rule, id=shortened(risk, MAX_NAME), severity=gravest(map(reader.severity, rows))
    )


def read_duties(reader: RowReader) -> dict[str, str]:
    """Read a sheet that lists duties: the folded name of each, and what it means."""
    columns = reader.columns
    meaning = columns.at.get(Column.DESCRIPTION, columns.at.get(Column.TITLE))
    if Column.DUTY in columns.at:
        name = columns.at[Column.DUTY]
    else:
        name, meaning = columns.at[Column.TITLE], columns.at.get(Column.DESCRIPTION)
    return {
        fold(row.cell(name)): shortened(clean(row.cell(meaning)))
        for row in rows_below(reader)
        if fold(row.cell(name))
    }


def read_contents(reader: RowReader) -> tuple[dict[str, list[str]], dict[str, int]]:
    """Read what duties consist of, by the folded name of the duty; and the first row of each.

    Entries that are not active are left out; a duty whose entries all are has none.
    """
    columns = reader.columns
    contents: dict[str, list[str]] = {}
    first: dict[str, int] = {}
    for row in rows_below(reader):
        duty = fold(row.cell(columns.at[Column.DUTY]))
        if not duty:
            continue
        first.setdefault(duty, row.number)
        found = contents.setdefault(duty, [])
        content = clean(row.cell(columns.at[Column.CONTENT]))
        is_active = fold(row.cell(columns.at.get(Column.ACTIVE))) not in _OFF
        if content and is_active and content not in found:
            found.append(content)
    return contents, first


def summed_up(contents: Sequence[str]) -> str:
    more = len(contents) - _MAX_CONTENTS
    return ", ".join(contents[:_MAX_CONTENTS]) + (f" and {more} more" if more > 0 else "")
