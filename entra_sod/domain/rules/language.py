"""The rule language: what a rules file may say. docs/rules.md tells it to people.

`rules/schema.json` is generated from these types, so that editors complete and check.
"""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from entra_sod.domain.grants import GrantKind
from entra_sod.domain.rules.grant_language import GrantSelector

__all__ = ["GrantKind", "GrantSelector"]

type Text = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
type Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
type Days = Annotated[int, msgspec.Meta(ge=1, le=366)]
type Count = Annotated[int, msgspec.Meta(ge=1, le=100)]


class Severity(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Mode(StrEnum):
    """From lenient to strict; of two rules for one pair the stricter mode wins."""

    RECORD = "record"
    WARN = "warn"
    ENFORCE = "enforce"

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

    Patterns compare text as people see it, without regard to case; `*` stands for any text and
    `?` for one visible character.

    Attributes:
        id: the package's id; it selects by itself, without patterns.
        catalog: pattern for the name of the catalog; every catalog without it.
        name: pattern for the package's display name; every package without it.
    """

    id: UUID | None = None
    catalog: Text | None = None
    name: Text | None = None

    @property
    def is_everything(self) -> bool:
        """Whether it fits every package of any tenant."""
        texts = [text.strip() for text in (self.name, self.catalog) if text is not None]
        return bool(texts) and all(
            "*" in text and text.replace("*", "") in ("", "?") for text in texts
        )


class GroupSelector(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One group, by its id.

    Attributes:
        id: the group's object id.
    """

    id: UUID


class Side(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One duty: the packages that give it, the groups whose members have it, classes of both.

    Attributes:
        packages: access packages, by id or by patterns.
        groups: security groups, by id.
        classes: names of classes, of any file.
        grants: what packages grant; each package that grants one of these is on the side.
        alike: whether each package is on the side, too, that grants what its packages grant.
    """

    packages: list[PackageSelector] = []
    groups: list[GroupSelector] = []
    classes: list[Name] = []
    grants: list[GrantSelector] = []
    alike: bool = False

    @property
    def reads_grants(self) -> bool:
        """Whether what it selects depends on what packages grant."""
        return self.alike or bool(self.grants)


class AtMost(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Holding more than `count` of a set; a count of 1 keeps every two of them apart.

    Attributes:
        count: how many of the set one subject may hold.
        of: access packages, by id or by patterns.
        classes: names of classes, of any file; their groups do not count.
        grants: what packages grant; each package that grants one of these is in the set.
    """

    count: Count
    of: list[PackageSelector] = []
    classes: list[Name] = []
    grants: list[GrantSelector] = []

    @property
    def as_side(self) -> Side:
        """What it selects, as a side."""
        return Side(packages=self.of, classes=self.classes, grants=self.grants)


class Effective(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    rename={"start": "from", "end": "until"},
):
    """From the first to the last day, both included, in UTC.

    Attributes:
        start: the first day; without it, since ever.
        end: the last day; without it, for ever.
    """

    start: date | None = None
    end: date | None = None

    @property
    def is_possible(self) -> bool:
        return self.start is None or self.end is None or self.start <= self.end

    def holds_within(self, first: date, last: date | None) -> bool:
        """Whether it holds on any day from the first to the last; None is for ever."""
        is_over = self.end is not None and self.end < first
        is_later = self.start is not None and last is not None and last < self.start
        return not is_over and not is_later


class Rule(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    rename={"at_most": "atMost", "all_packages": "allPackages"},
):
    """Duties that must be kept apart: `between` sides, or `atMost` so many of a set.

    Attributes:
        id: unique in all files; findings, ledger and results name it.
        title: one sentence for people.
        severity: how grave a conflict is.
        owner: who answers for the rule.
        mode: `record` finds, `warn` finds and notifies, `enforce` also writes references.
        between: two sides or more; a holder of one stands against holders of each other.
        at_most: a set of which one subject may hold so many; in place of `between`.
        references: which of Entra's two kinds of reference are written under `enforce`.
        eligible: whether groups count that a package makes people eligible members of.
        all_packages: whether it is meant that an enforcing rule keeps every package from every
            other one; a mistake without it.
        effective: when the rule is in force; always, without it.
        control: the customer's own reference for it.
        advice: what to tell the people concerned.
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
    all_packages: bool = False
    effective: Effective | None = None
    control: Text | None = None
    advice: Text | None = None

    def holds_on(self, day: date) -> bool:
        return self.holds_within(day, day)

    def holds_within(self, first: date, last: date | None) -> bool:
        """Whether it is in force on any day from the first to the last; None is for ever."""
        return self.effective is None or self.effective.holds_within(first, last)


class Control(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mitigating control: what keeps watch while an exception permits a conflict.

    Attributes:
        id: unique among controls of all files; exceptions name it.
        title: one sentence for people.
        owner: who answers for it.
        days: how long an exception lasts that names it and no last day.
        evidence: what its owner has to show for it.
    """

    id: Name
    title: Text
    owner: Text
    days: Days
    evidence: Text


class ExceptionEntry(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename={
        "start": "from",
        "requested_by": "requestedBy",
        "approved_by": "approvedBy",
    },
):
    """A dated, approved permission for one subject under one rule.

    Attributes:
        id: unique among exceptions of all files.
        rule: the id of the rule.
        subject: the id of who may hold both.
        start: the first day, in UTC.
        until: the last day, included, in UTC; at most a year after the first. It may be left out
            where a control says how long.
        control: the id of the control that keeps watch meanwhile.
        reason: why, for whoever audits it.
        requested_by: who asked for it.
        approved_by: who allowed it; neither who asked nor the subject.
    """

    id: Name
    rule: Name
    subject: UUID
    start: date
    until: date | None = None
    control: Name | None = None
    reason: Text
    requested_by: Text
    approved_by: Text

    @property
    def end(self) -> date:
        """The last day; a book without mistakes has one for each exception."""
        if self.until is None:
            raise ValueError(f"exception {self.id} has no last day")
        return self.until

    def lasting(self, control: Control) -> ExceptionEntry:
        """The same, as long as a control says: its days, the first among them."""
        days = min(control.days - 1, (date.max - self.start).days)
        return msgspec.structs.replace(self, until=self.start + timedelta(days=days))

    def holds_on(self, day: date) -> bool:
        return self.start <= day <= self.end


class Protected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Access that the app leaves alone, such as that of accounts for emergencies.

    No reference is written or removed on these packages, nor to them, nor to these groups, nor to
    a group that these packages grant; whatever rules ask for.

    Attributes:
        packages: access packages, by id or by patterns.
        groups: security groups, by id.
    """

    packages: list[PackageSelector] = []
    groups: list[GroupSelector] = []


class RulesFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of rules; what all files have is read together.

    Attributes:
        version: of the language.
        classes: named sets that rules reuse; unique in all files.
        protected: what is never written on, and never used as a reference.
        rules: what is kept apart.
        controls: what keeps watch where an exception permits a conflict.
        exceptions: who may hold both for a while.
    """

    version: Literal[1]
    classes: dict[Name, Side] = {}
    protected: Protected = Protected()
    rules: list[Rule] = []
    controls: list[Control] = []
    exceptions: list[ExceptionEntry] = []
