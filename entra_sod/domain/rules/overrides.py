"""What an override says of one assignment: that it is permitted, or what is missing. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from entra_sod.domain.rules.language import Override


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideUse:
    """An assignment of a package that has an override.

    Attributes:
        override: its id.
        until: the last day of the assignment, if it is permitted.
        why: that it is permitted, or what is missing.
    """

    override: str
    until: date | None
    why: str


def use_of(override: Override, start: datetime | None, end: datetime | None) -> OverrideUse:
    """Judge an assignment by its dates, None if Graph does not show them.

    It is permitted if it ends, and that within the days that the override allows after its start.
    """
    if fault := _fault(override, start, end):
        return OverrideUse(override=override.id, until=None, why=f"{fault}, {_allowed(override)}")
    # A moment at midnight belongs to the day before.
    until = (end - timedelta(microseconds=1)).date() if end else None
    why = f"it is permitted until {until}: {_allowed(override)}"
    return OverrideUse(override=override.id, until=until, why=why)


def _fault(override: Override, start: datetime | None, end: datetime | None) -> str:
    if end is None:
        return "its assignment has no end that Graph shows"
    if start is None:
        return "Graph does not show when its assignment starts"
    if end <= start:
        return "its assignment ends before it starts"
    if end - start <= timedelta(days=override.max_days):
        return ""
    return f"its assignment ends {_days(end - start)} after it starts"


def _allowed(override: Override) -> str:
    return f"the override allows {override.max_days} day{'' if override.max_days == 1 else 's'}"


def _days(span: timedelta) -> str:
    """Whole days, rounded up: a part of a day more than is allowed is one day more."""
    days = -(-span // timedelta(days=1))
    return f"{days} day{'' if days == 1 else 's'}"
