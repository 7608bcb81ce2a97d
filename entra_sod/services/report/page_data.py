"""A view as the page reads it: the same, with every text that repeats written once. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

import msgspec

from entra_sod.domain.findings.model import FindingState
from entra_sod.domain.findings.views import FindingView
from entra_sod.domain.results.coverage import Outcome
from entra_sod.domain.rules.language import Severity
from entra_sod.services.report.totals import rank
from entra_sod.services.report.view import CellView, ReportView

_OUTCOMES = (Outcome.CONFLICT, Outcome.CLEAR, Outcome.UNKNOWN)
# JSON has these inside of strings only, and there an escape means the same: so no name can end the
# element that the data lies in, or a line where a script engine would see one.
_ESCAPED = {
    b"<": rb"\u003c",
    b">": rb"\u003e",
    b"&": rb"\u0026",
    "\u2028".encode(): rb"\u2028",
    "\u2029".encode(): rb"\u2029",
}


type _SubjectFields = tuple[str, str | None, str | None, str | None]


class _StringTable[T: Hashable]:
    """Values by their places."""

    def __init__(self) -> None:
        self.places: dict[T, int] = {}

    def of(self, value: T) -> int:
        return self.places.setdefault(value, len(self.places))

    def in_order(self) -> list[T]:
        return list(self.places)


def embedded(view: ReportView) -> bytes:
    """The view as JSON that may stand inside a `script` element."""
    found, sets = _Findings.of(view), _StringTable[tuple[int, ...]]()
    data = msgspec.json.encode(
        {
            **{name: getattr(view, attribute) for attribute, name in _fields(view)},
            "packages": [(each.id, each.name, each.catalog) for each in view.packages],
            "cells": [_cell(each, sets) for each in view.cells],
            "findings": [found.row(each) for each in view.findings],
            "ruleSets": sets.in_order(),
            "words": found.words.in_order(),
            "subjects": found.subjects.in_order(),
        }
    )
    for raw, escaped in _ESCAPED.items():
        data = data.replace(raw, escaped)
    return data


def _fields(view: ReportView) -> Iterable[tuple[str, str]]:
    """Attributes, and their names in JSON; of those that repeat little."""
    names = zip(view.__struct_fields__, view.__struct_encode_fields__, strict=True)
    return (each for each in names if each[0] not in ("packages", "cells", "findings"))


def _cell(cell: CellView, sets: _StringTable[tuple[int, ...]]) -> tuple[int, ...]:
    return (
        *cell.packages,
        sets.of(tuple(cell.rules)),
        _OUTCOMES.index(cell.outcome),
        rank(cell.severity),
        cell.findings,
        cell.excepted,
    )


@dataclass(frozen=True, slots=True)
class _Findings:
    """Findings, and all that they refer to by its place."""

    places: Mapping[str, int]
    day: date
    words: _StringTable[str] = field(default_factory=_StringTable)
    subjects: _StringTable[_SubjectFields] = field(default_factory=_StringTable)

    @classmethod
    def of(cls, view: ReportView) -> _Findings:
        page_index = {each.id: place for place, each in enumerate(view.packages)}
        return cls(page_index, date.fromisoformat(view.generated_at[:10]))

    def row(self, found: FindingView) -> tuple[object, ...]:
        """A finding, with its exception and the days left of it where one permits it now."""
        exception = found.exception if found.state == FindingState.EXCEPTED else None
        until = found.exception_until if exception else None
        return (
            found.id,
            self.words.of(found.rule),
            [self.places[each] for each in found.pair],
            self.subjects.of(
                (found.subject_id, found.object_id, found.display_name, found.subject_type)
            ),
            rank(Severity(found.severity)),
            self.words.of(found.state),
            self.words.of(found.first_seen),
            self.words.of(found.last_seen),
            self.words.of(exception) if exception else None,
            (until - self.day).days if until else None,
            self.words.of(found.kind),
            [self.places[each] for each in found.missing],
            self.words.of(found.why) if found.why else None,
        )
