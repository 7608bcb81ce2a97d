"""`entra-sod exceptions`: which exceptions end soon, and which control keeps watch meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer
from rich.table import Table

from entra_sod.cli.terminal import out
from entra_sod.core.clock import SystemClock
from entra_sod.domain.rules.parse import ParsedRules, read_rules
from entra_sod.stores.rule_files import read_sources

ExceptionsPaths = Annotated[
    list[Path], typer.Argument(metavar="PATH", help="Rules files, or folders of them.", exists=True)
]
Within = Annotated[int, typer.Option(min=0, help="Show those that end within so many days.")]


class ExceptionsFormat(StrEnum):
    TABLE = "table"
    JSON = "json"


ExceptionsAs = Annotated[
    ExceptionsFormat, typer.Option("--format", help="For people, or programs.")
]


class Ending(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An exception, and how long it lasts.

    Attributes:
        days_left: 0 on its last day; negative where it is over.
        evidence: that the control's owner has to show.
    """

    id: str
    rule: str
    subject: str
    until: date
    days_left: int
    state: Literal["to come", "in force", "over"]
    approved_by: str
    control: str | None = None
    control_owner: str | None = None
    evidence: str | None = None


def exceptions(
    paths: ExceptionsPaths, within: Within = 30, how: ExceptionsAs = ExceptionsFormat.TABLE
) -> None:
    """List the exceptions of rules files that end soon, or are over, the first to end first.

    Exit code 0: none. 2: some. 1: the rules have mistakes.
    """
    sources = read_sources(paths)
    parsed = read_rules(sources.files, sources.unread)
    for problem in (*sources.left_out, *parsed.problems):
        typer.echo(problem, err=True)
    if parsed.problems:
        raise typer.Exit(1)
    today = SystemClock().now().date()
    found = [each for each in endings(parsed, today) if each.days_left <= within]
    if how is ExceptionsFormat.JSON:
        typer.echo(msgspec.json.format(msgspec.json.encode(found)))
    else:
        out.print(_table(found))
    raise typer.Exit(2 if found else 0)


def endings(parsed: ParsedRules, today: date) -> list[Ending]:
    """Every exception, the first to end first."""
    return sorted(_endings(parsed, today), key=lambda each: (each.until, each.id))


def _endings(parsed: ParsedRules, today: date) -> Iterator[Ending]:
    for entry in parsed.exceptions.values():
        control = parsed.controls.get(entry.control or "")
        over: Literal["over", "in force"] = "over" if entry.end < today else "in force"
        yield Ending(
            id=entry.id,
            rule=entry.rule,
            subject=entry.named_subject,
            until=entry.end,
            days_left=(entry.end - today).days,
            state="to come" if entry.start > today else over,
            approved_by=entry.approved_by,
            control=entry.control,
            control_owner=control.owner if control else None,
            evidence=control.evidence if control else None,
        )


def _table(found: list[Ending]) -> Table:
    table = Table(title=f"{len(found)} exceptions end soon or are over", title_justify="left")
    for column in ("exception", "rule", "subject", "until", "left", "control", "evidence"):
        table.add_column(column)
    for each in found:
        left = each.state if each.state == "over" else f"{each.days_left} d"
        watched = f"{each.control} ({each.control_owner})" if each.control else ""
        cells = (each.id, each.rule, each.subject, str(each.until), left, watched)
        table.add_row(*cells, each.evidence or "")
    return table
