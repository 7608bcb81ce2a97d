"""The doctor's diagnosis: one line for each thing that it examined."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from entra_sod.core.errors import GraphError
from entra_sod.domain.results.coverage import Reason


class DiagnosisResult(StrEnum):
    """`note` needs no action; `unknown` could not be examined."""

    OK = "ok"
    NOTE = "note"
    UNKNOWN = "unknown"
    WRONG = "wrong"


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line.

    Attributes:
        what: was looked at; the same words in every run.
        result: how it is.
        detail: what was seen.
        advice: what to do; empty where there is nothing to do.
        reason: why it could not be read, where that is so.
    """

    what: str
    result: DiagnosisResult
    detail: str = ""
    advice: str = ""
    reason: Reason | None = None


class Diagnoses(msgspec.Struct, frozen=True, kw_only=True):
    """What `GET /api/ready?deep=1` answers."""

    status: str
    diagnoses: list[Diagnosis]


def ok(what: str, detail: str = "") -> Diagnosis:
    return Diagnosis(what=what, result=DiagnosisResult.OK, detail=detail)


def note(what: str, detail: str, advice: str = "") -> Diagnosis:
    return Diagnosis(what=what, result=DiagnosisResult.NOTE, detail=detail, advice=advice)


def unknown(what: str, why: object, advice: str = "") -> Diagnosis:
    return _failed(what, DiagnosisResult.UNKNOWN, why, advice)


def wrong(what: str, why: object, advice: str) -> Diagnosis:
    return _failed(what, DiagnosisResult.WRONG, why, advice)


def _failed(what: str, result: DiagnosisResult, why: object, advice: str) -> Diagnosis:
    reason = Reason.of(why) if isinstance(why, GraphError) else None
    return Diagnosis(what=what, result=result, detail=str(why), advice=advice, reason=reason)


def is_healthy(diagnoses: Iterable[Diagnosis]) -> bool:
    """Whether nothing is wrong. What could not be examined has its own line with the cause."""
    return all(each.result is not DiagnosisResult.WRONG for each in diagnoses)


def summed_up(diagnoses: Iterable[Diagnosis]) -> Diagnoses:
    listed = list(diagnoses)
    return Diagnoses(status="ready" if is_healthy(listed) else "not-ready", diagnoses=listed)
