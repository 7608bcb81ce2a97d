"""What an answer says of itself: its outcome, what was looked at, and what was not."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

import msgspec

from entra_sod.domain.rules.ruleset import RuleSet


class Outcome(StrEnum):
    CONFLICT = "conflict"
    CLEAR = "clear"
    UNKNOWN = "unknown"


class DetectionMethod(StrEnum):
    """How it was found out who holds both packages of a pair."""

    ADDITIONAL_ACCESS = "additionalAccess"
    ASSIGNMENTS = "assignments"


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    what: str
    how: str


class Skipped(msgspec.Struct, frozen=True, kw_only=True):
    what: str
    why: str


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """What was looked at and by which way, and what was not and why."""

    checked: list[Checked] = []
    skipped: list[Skipped] = []

    def skip(self, what: str, why: object) -> None:
        self.skipped.append(Skipped(what=what, why=str(why)))


def note_refused(rules: RuleSet, notes: Coverage) -> None:
    """Say that the newest rules files have a mistake, and older rules were used."""
    if rules.refused:
        notes.skip("the newest version of the rules", rules.refused)


def note_groups(groups: Collection[str], notes: Coverage) -> None:
    """Say of the groups that rules name that nobody looked up who is in them."""
    for group in sorted(groups):
        notes.skip(
            f"members of group {group}",
            "group memberships are not read; Entra itself refuses members where the reference is "
            "written",
        )
