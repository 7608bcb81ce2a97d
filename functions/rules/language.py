"""The rule language: what a rules file may say. docs/rules.md tells it to people.

`rules/schema.json` is generated from these types, so that editors complete and check.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

import msgspec

type Text = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
type Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
type Count = Annotated[int, msgspec.Meta(ge=1, le=100)]


class Severity(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Mode(StrEnum):
    """From lenient to strict; of two rules for one pair the stricter mode wins."""

    RECORD = "record"  # find only
    WARN = "warn"  # find and notify
    ENFORCE = "enforce"  # find, notify and write references

    @property
    def strictness(self) -> int:
        return list(Mode).index(self)


class References(StrEnum):
    """Which of Entra's two kinds of reference a rule asks for."""

    GROUPS = "groups"
    PACKAGES = "packages"
    BOTH = "both"

    @property
    def wants_groups(self) -> bool:
        return self is not References.PACKAGES

    @property
    def wants_packages(self) -> bool:
        return self is not References.GROUPS

    def widened(self, other: References) -> References:
        return self if self is other else References.BOTH


class PackageSelector(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Packages: one by its id, or all whose name and catalog fit the patterns.

    Patterns compare without regard to case; `*` stands for any text and `?` for one character.
    """

    id: UUID | None = None
    catalog: Text | None = None
    name: Text | None = None


class GroupSelector(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One group, by its id."""

    id: UUID


class Side(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One duty: the packages that give it, the groups whose members have it, classes of both."""

    packages: list[PackageSelector] = []
    groups: list[GroupSelector] = []
    classes: list[Name] = []


class AtMost(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Holding more than `count` of a set; a count of 1 keeps every two of them apart."""

    count: Count
    of: list[PackageSelector] = []
    classes: list[Name] = []


class Effective(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    rename={"start": "from", "end": "until"},
):
    """From the first to the last day, both included, in UTC."""

    start: date | None = None
    end: date | None = None

    @property
    def is_possible(self) -> bool:
        return self.start is None or self.end is None or self.start <= self.end

    def holds_on(self, day: date) -> bool:
        return (self.start is None or self.start <= day) and (self.end is None or day <= self.end)


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"at_most": "atMost"}):
    """Duties that must be kept apart: `between` sides, or `atMost` so many of a set.

    Attributes:
        eligible: whether groups count that a package makes people eligible members of.
    """

    id: Name
    title: Text
    severity: Severity
    owner: Text
    mode: Mode
    between: list[Side] | None = None
    at_most: AtMost | None = None
    references: References = References.BOTH
    eligible: bool = False
    effective: Effective | None = None
    control: Text | None = None
    advice: Text | None = None

    def holds_on(self, day: date) -> bool:
        return self.effective is None or self.effective.holds_on(day)


class ExceptionEntry(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    rename={
        "start": "from",
        "end": "until",
        "requested_by": "requestedBy",
        "approved_by": "approvedBy",
    },
):
    """A dated, approved permission for one subject under one rule; `until` is included, UTC."""

    id: Name
    rule: Name
    subject: UUID
    start: date
    end: date
    reason: Text
    requested_by: Text
    approved_by: Text


class RulesFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of rules; classes, rules and exceptions of all files are read together."""

    version: Literal[1]
    classes: dict[str, Side] = {}
    rules: list[Rule] = []
    exceptions: list[ExceptionEntry] = []
