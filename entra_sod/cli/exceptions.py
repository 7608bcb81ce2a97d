"""`entra-sod exceptions`: which exceptions end soon, and which control keeps watch meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer

from entra_sod.cli.lists import ListAs, ListFormat, PrintedList, print_list
from entra_sod.core.clock import SystemClock
from entra_sod.domain.rules.parse import ParsedRules, read_rules
from entra_sod.stores.rule_files import read_sources

ExceptionsPaths = Annotated[
    list[Path], typer.Argument(metavar="PATH", help="Rules files, or folders of them.", exists=True)
]
Within = Annotated[
    int, typer.Option(min=0, help="Show exceptions that end within this number of days.")
]


COLUMNS = (
    "exception",
    "rule",
    "subject",
    "until",
    "left",
    "control",
    "evidence",
    "state",
    "control owner",
    "approved by",
)


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


def exceptions(paths: ExceptionsPaths, within: Within = 30, how: ListAs = ListFormat.TABLE) -> None:
    """List the exceptions of rules files that end soon or have ended, in the order of their end.

    Exit code 0: there are none. 2: there are some. 1: the rules have mistakes.
    """
    sources = read_sources(paths)
    parsed = read_rules(sources.files, sources.unread)
    for problem in (*sources.left_out, *parsed.problems):
        typer.echo(problem, err=True)
    if parsed.problems:
        raise typer.Exit(1)
    today = SystemClock().now().date()
    found = [each for each in endings(parsed, today) if each.days_left <= within]
    print_list(_list(found, within), how, found)
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


def _list(found: Sequence[Ending], within: int) -> PrintedList:
    return PrintedList(
        key="exceptions",
        columns=COLUMNS,
        rows=[_cells(each) for each in found],
        ids=frozenset({"subject"}),
        below={"exception": "subject", "control": "control owner"},
        piped=frozenset({"state", "approved by"}),
        styles={"over": "red"},
        empty=f"no exception has ended or ends within {within} days",
    )


def _cells(each: Ending) -> Sequence[str]:
    return (
        each.id,
        each.rule,
        each.subject,
        str(each.until),
        each.state if each.state == "over" else f"{each.days_left} d",
        each.control or "",
        each.evidence or "",
        each.state,
        each.control_owner or "",
        each.approved_by,
    )
