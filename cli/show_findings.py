"""The doctor's findings for a terminal. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from functions.doctor.finding import Finding, Result

_STYLES = {
    Result.OK: "green",
    Result.NOTE: "cyan",
    Result.UNKNOWN: "yellow",
    Result.WRONG: "bold red",
}


def findings_table(findings: Sequence[Finding]) -> Table:
    """A line for each: what, how it is, what was seen, what to do."""
    table = Table("what", "result", "seen", "what to do", box=None, pad_edge=False)
    for each in findings:
        result = Text(each.result, _STYLES[each.result])
        table.add_row(Text(each.what), result, Text(each.detail), Text(each.advice))
    return table


def headline(findings: Sequence[Finding]) -> str:
    """How many are wrong, of how many."""
    wrong = sum(each.result is Result.WRONG for each in findings)
    unknown = sum(each.result is Result.UNKNOWN for each in findings)
    unseen = f", {unknown} could not be looked at" if unknown else ""
    return f"{len(findings)} looked at, {wrong} wrong{unseen}"
