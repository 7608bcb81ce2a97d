"""Exceptions over time: in which state one is, and the text that changes it in its file. Pure.

The app never writes rules. The text is for a pull request, where people review it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from enum import StrEnum

from entra_sod.core.names import visible
from entra_sod.domain.rules.language import ExceptionEntry
from entra_sod.domain.rules.yaml_text import scalar

ENDS_SOON_DAYS = 30
MAX_EXCEPTION_DAYS = 366
NOT_APPROVED = "NOT APPROVED YET"


class ExceptionState(StrEnum):
    """Where an exception is in its life on a day."""

    WAITS = "waits"
    ACTIVE = "active"
    ENDS_SOON = "ends-soon"
    OVER = "over"


def state_on(entry: ExceptionEntry, day: date) -> ExceptionState:
    """Say in which state an exception is on a day."""
    if entry.end < day:
        return ExceptionState.OVER
    if day < entry.start:
        return ExceptionState.WAITS
    days_left = (entry.end - day).days
    return ExceptionState.ENDS_SOON if days_left <= ENDS_SOON_DAYS else ExceptionState.ACTIVE


def renewal(entry: ExceptionEntry, place: str, day: date) -> str:
    """The text that renews an exception from a day on, for as long as it was; none if it waits.

    It has no approval yet, so the text says that, and not who approved the exception before.

    Args:
        entry: with its last day.
        place: where it stands, such as `rules/pay.yaml, line 12`.
        day: the first day of the renewed exception.
    """
    if state_on(entry, day) is ExceptionState.WAITS:
        return ""
    days = min((entry.end - entry.start).days, MAX_EXCEPTION_DAYS - 1, (date.max - day).days)
    until = day + timedelta(days=days)
    head = (
        f"In {place}, replace exception {entry.id} with this entry.",
        f"Replace {NOT_APPROVED} by the person who approves it now. That is neither the person who",
        "asked for it nor the subject.",
    )
    return _text(head, _fields(entry, day, until, NOT_APPROVED))


def removal(entry: ExceptionEntry, place: str) -> str:
    """The text that says which entry to remove.

    Args:
        entry: with its last day.
        place: where it stands, such as `rules/pay.yaml, line 12`.
    """
    head = (f"In {place}, remove this entry.",)
    return _text(head, _fields(entry, entry.start, entry.end, entry.approved_by))


def _fields(
    entry: ExceptionEntry, start: date, until: date, approved_by: str
) -> Iterator[tuple[str, str]]:
    yield "id", scalar(entry.id)
    yield "rule", scalar(entry.rule)
    yield "subject", scalar(entry.subject)
    if entry.upn:
        yield "upn", scalar(entry.upn)
    yield "from", str(start)
    yield "until", str(until)
    if entry.control:
        yield "control", scalar(entry.control)
    yield "reason", scalar(entry.reason)
    yield "requestedBy", scalar(entry.requested_by)
    yield "approvedBy", scalar(approved_by)


def _text(head: tuple[str, ...], fields: Iterator[tuple[str, str]]) -> str:
    comments = [f"  # {visible(each)}" for each in head]
    (first, value), *others = fields
    lines = [f"  - {first}: {value}", *(f"    {name}: {text}" for name, text in others)]
    return "\n".join([*comments, *lines]) + "\n"
