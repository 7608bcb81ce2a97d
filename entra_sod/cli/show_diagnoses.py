"""The doctor's diagnoses for a terminal. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from entra_sod.cli.terminal import line
from entra_sod.services.doctor.diagnosis import Diagnosis, DiagnosisResult

_STYLES = {
    DiagnosisResult.OK: "green",
    DiagnosisResult.NOTE: "cyan",
    DiagnosisResult.UNKNOWN: "yellow",
    DiagnosisResult.WRONG: "bold red",
}


def diagnoses_table(diagnoses: Sequence[Diagnosis]) -> Table:
    """A line for each: what, how it is, what was seen, what to do."""
    table = Table("what", "result", "seen", "what to do", box=None, pad_edge=False)
    for each in diagnoses:
        result = line(each.result, _STYLES[each.result])
        table.add_row(line(each.what), result, line(each.detail), line(each.advice))
    return table


def headline(diagnoses: Sequence[Diagnosis]) -> str:
    """How many are wrong, of how many."""
    wrong = sum(each.result is DiagnosisResult.WRONG for each in diagnoses)
    unknown = sum(each.result is DiagnosisResult.UNKNOWN for each in diagnoses)
    unseen = f", {unknown} could not be looked at" if unknown else ""
    return f"{len(diagnoses)} looked at, {wrong} wrong{unseen}"
