"""A view as the page reads it: the same, with every text that repeats written once. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

import msgspec

from entra_sod.domain.results.coverage import Outcome
from entra_sod.services.report.tally import rank
from entra_sod.services.report.view import CellView, FindingView, ReportView

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


type _Subject = tuple[str, str | None, str | None]


class _Words[T: Hashable]:
    """Values by their places."""

    def __init__(self) -> None:
        self.places: dict[T, int] = {}

    def of(self, value: T) -> int:
        return self.places.setdefault(value, len(self.places))

    def in_order(self) -> list[T]:
        return list(self.places)


def embedded(view: ReportView) -> bytes:
    """The view as JSON that may stand inside a `script` element."""
    words, subjects, sets = _Words[str](), _Words[_Subject](), _Words[tuple[int, ...]]()
    data = msgspec.json.encode(
        {
            **{name: getattr(view, attribute) for attribute, name in _fields(view)},
            "packages": [(each.id, each.name, each.catalog) for each in view.packages],
            "cells": [_cell(each, sets) for each in view.cells],
            "findings": [_finding(each, words, subjects) for each in view.findings],
            "ruleSets": sets.in_order(),
            "words": words.in_order(),
            "subjects": subjects.in_order(),
        }
    )
    for raw, escaped in _ESCAPED.items():
        data = data.replace(raw, escaped)
    return data


def _fields(view: ReportView) -> Iterable[tuple[str, str]]:
    """Attributes, and their names in JSON; of those that repeat little."""
    names = zip(view.__struct_fields__, view.__struct_encode_fields__, strict=True)
    return (each for each in names if each[0] not in ("packages", "cells", "findings"))


def _cell(cell: CellView, sets: _Words[tuple[int, ...]]) -> tuple[int, ...]:
    return (
        *cell.packages,
        sets.of(tuple(cell.rules)),
        _OUTCOMES.index(cell.outcome),
        rank(cell.severity),
        cell.findings,
        cell.excepted,
    )


def _finding(
    found: FindingView,
    words: _Words[str],
    subjects: _Words[_Subject],
) -> tuple[object, ...]:
    return (
        found.id,
        words.of(found.rule),
        found.packages,
        subjects.of((found.subject_id, found.object_id, found.display_name)),
        rank(found.severity),
        words.of(found.state),
        words.of(found.first_seen),
        words.of(found.last_seen),
        None if found.exception is None else words.of(found.exception),
        found.days_left,
    )
