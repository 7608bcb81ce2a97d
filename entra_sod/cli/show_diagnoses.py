"""The doctor's diagnoses for a terminal. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from entra_sod.cli.lists import PrintedList
from entra_sod.services.doctor.diagnosis import Diagnosis, DiagnosisResult

_STYLES: Mapping[str, str] = {
    DiagnosisResult.OK: "green",
    DiagnosisResult.NOTE: "cyan",
    DiagnosisResult.UNKNOWN: "yellow",
    DiagnosisResult.WRONG: "bold red",
}


def diagnoses_list(diagnoses: Sequence[Diagnosis]) -> PrintedList:
    """A row for each: what, how it is, what was seen, what to do."""
    return PrintedList(
        key="diagnoses",
        columns=("what", "result", "seen", "what to do"),
        rows=[(each.what, each.result, each.detail, each.advice) for each in diagnoses],
        ids=frozenset(),
        styles=_STYLES,
    )


def headline(diagnoses: Sequence[Diagnosis]) -> str:
    """How many are wrong, of how many."""
    wrong = sum(each.result is DiagnosisResult.WRONG for each in diagnoses)
    unknown = sum(each.result is DiagnosisResult.UNKNOWN for each in diagnoses)
    unseen = f", {unknown} could not be looked at" if unknown else ""
    return f"{len(diagnoses)} looked at, {wrong} wrong{unseen}"
