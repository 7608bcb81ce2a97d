"""The rule language: what a rules file may say. docs/explanation/rule-language.md describes it.

`rules/schema.json` is generated from these types, so that editors complete and check.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from entra_sod.core.names import visible
from entra_sod.core.validation import Path
from entra_sod.domain.grants import GrantKind
from entra_sod.domain.rules.grant_language import GrantSelector
from entra_sod.domain.subjects.names import PrincipalName, SubjectName

__all__ = ["GrantKind", "GrantSelector"]  # the schema finds all types of the language here

type Text = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
type Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
type Days = Annotated[int, msgspec.Meta(ge=1, le=366)]
type Count = Annotated[int, msgspec.Meta(ge=1, le=100)]
type Tag = Annotated[str, msgspec.Meta(min_length=1, max_length=50)]
type Tags = Annotated[list[Tag], msgspec.Meta(max_length=20)]
type Owners = Annotated[list[Text], msgspec.Meta(max_length=10)]
type Frameworks = Annotated[list[FrameworkClause], msgspec.Meta(max_length=20)]
type Sha256Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z", max_length=64)]
type RowNumber = Annotated[int, msgspec.Meta(ge=1, le=10_000_000)]


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


class RuleForm(StrEnum):
    """What makes a conflict. A rule has exactly one form."""

    BETWEEN = "between"
    AT_MOST = "atMost"
    ALL_OF = "allOf"
    AT_MOST_SIDES = "atMostSides"
    REQUIRES = "requires"


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
        every: whether a subject is on the side only with all of its packages, instead of with any
            of them. A side of a rule may have it, a class may not.
        grants: what packages grant; each package that grants one of these is on the side.
        alike: whether each package is on the side, too, that grants what its packages grant.
    """

    packages: list[PackageSelector] = []
    groups: list[GroupSelector] = []
    classes: list[Name] = []
    every: bool = False
    grants: list[GrantSelector] = []
    alike: bool = False

    @property
    def needs_several(self) -> bool:
        """Whether `every` means more than one package given by its id."""
        is_one = len(self.packages) == 1 and self.packages[0].id is not None and not self.classes
        return self.every and not (is_one and not self.reads_grants)

    @property
    def reads_grants(self) -> bool:
        """Whether what it selects depends on what packages grant."""
        return self.alike or bool(self.grants)

    @property
    def may_have_packages(self) -> bool:
        """Whether it says anything by which packages are selected."""
        return bool(self.packages or self.classes or self.grants)


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


class AtMostSides(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Being on more than `count` of the sides; a count of 1 keeps every two of them apart.

    Attributes:
        count: on how many of the sides one subject may be.
        of: two sides or more.
    """

    count: Count
    of: list[Side]


class Requirement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Being on one side without being on the other.

    Attributes:
        when: the side that needs the other one.
        needs: the side that a subject must be on, too.
    """

    when: Side
    needs: Side


class FrameworkClause(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A clause of a framework that a rule serves. It claims no compliance.

    Attributes:
        id: of the framework, such as `ISO27001` or `SOX`.
        ref: the clause, as the framework writes it.
    """

    id: Name
    ref: Text

    def __str__(self) -> str:
        return f"{self.id} {self.ref}"


class ImportSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where an import found a rule.

    Attributes:
        file: the name of the file.
        sha256: of the file, 64 hexadecimal digits.
        row: in the file, counted from 1.
        note: anything else about where it comes from.
    """

    file: Text
    sha256: Sha256Digest | None = None
    row: RowNumber | None = None
    note: Text | None = None


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
    dict=True,  # for cached properties
    forbid_unknown_fields=True,
    rename={
        "at_most": "atMost",
        "all_of": "allOf",
        "at_most_sides": "atMostSides",
        "all_packages": "allPackages",
    },
):
    """Duties that must be kept apart, or that need one another.

    A rule has exactly one form: `between`, `atMost`, `allOf`, `atMostSides` or `requires`.

    Attributes:
        id: unique in all files; findings, ledger and results name it.
        title: one sentence for people.
        severity: how grave a conflict is.
        owner: who answers for the rule.
        mode: `record` finds, `warn` finds and notifies, `enforce` also writes references.
        between: two sides or more; a holder of one stands against holders of each other.
        at_most: a set of which one subject may hold so many.
        all_of: two sides or more; a conflict only when one subject is on every side.
        at_most_sides: sides of which one subject may be on so many.
        requires: a side that needs another one; a conflict when a subject is on the first alone.
        references: which of Entra's two kinds of reference are written under `enforce`.
        eligible: whether groups count that a package makes people eligible members of.
        all_packages: whether it is meant that an enforcing rule keeps every package from every
            other one; a mistake without it.
        effective: when the rule is in force; always, without it.
        control: the customer's own reference for it.
        advice: what to tell the people concerned.
        process: the business process that the rule belongs to, such as `Procure to pay`.
        tags: words to filter and group by, up to 20.
        frameworks: clauses that the rule serves, up to 20.
        owners: who answers for the rule beside `owner`, up to 10.
        source: where an import found the rule.
    """

    id: Name
    title: Text
    severity: Severity
    owner: Text
    mode: Mode
    between: list[Side] | None = None
    at_most: AtMost | None = None
    all_of: list[Side] | None = None
    at_most_sides: AtMostSides | None = None
    requires: Requirement | None = None
    references: References = References.BOTH
    eligible: bool = False
    all_packages: bool = False
    effective: Effective | None = None
    control: Text | None = None
    advice: Text | None = None
    process: Text | None = None
    tags: Tags = []
    frameworks: Frameworks = []
    owners: Owners = []
    source: ImportSource | None = None

    @property
    def forms(self) -> Sequence[RuleForm]:
        """The forms that are given; one, in a rule without mistakes."""
        given = (self.between, self.at_most, self.all_of, self.at_most_sides, self.requires)
        pairs = zip(RuleForm, given, strict=True)
        return [form for form, value in pairs if value is not None]

    @cached_property
    def form(self) -> RuleForm:
        return next(iter(self.forms), RuleForm.BETWEEN)

    @cached_property
    def placed_sides(self) -> Sequence[tuple[Path, Side]]:
        """The sides of its form, each with its place in the rule; `atMost` has none."""
        if self.form is RuleForm.REQUIRES and self.requires:
            when, needs = self.requires.when, self.requires.needs
            return [(("requires", "when"), when), (("requires", "needs"), needs)]
        if self.form is RuleForm.AT_MOST_SIDES and self.at_most_sides:
            place: Path = ("atMostSides", "of")
            return [((*place, at), side) for at, side in enumerate(self.at_most_sides.of)]
        sides = {RuleForm.BETWEEN: self.between, RuleForm.ALL_OF: self.all_of}.get(self.form)
        return [((self.form.value, at), side) for at, side in enumerate(sides or ())]

    @property
    def sides(self) -> Sequence[Side]:
        return [side for _, side in self.placed_sides]

    @property
    def allowed(self) -> int:
        """How many packages of its set, or on how many of its sides, one subject may be."""
        if self.form is RuleForm.AT_MOST and self.at_most:
            return self.at_most.count
        if self.form is RuleForm.AT_MOST_SIDES and self.at_most_sides:
            return self.at_most_sides.count
        return max(1, len(self.sides) - 1) if self.form is RuleForm.ALL_OF else 1

    @cached_property
    def is_found_only(self) -> bool:
        """Whether no pair of packages says what the rule says, so that nothing can be written."""
        is_single = self.form is not RuleForm.REQUIRES and self.allowed == 1
        return not is_single or any(side.needs_several for side in self.sides)

    @property
    def all_owners(self) -> Sequence[str]:
        """Everybody who answers for it, `owner` first, each once."""
        return list(dict.fromkeys([self.owner, *self.owners]))

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
        subject: the id or the user principal name of who may hold both.
        upn: the user principal name of the subject, for people; the id decides.
        start: the first day, in UTC.
        until: the last day, included, in UTC; at most a year after the first. It may be left out
            where a control says how long.
        control: the id of the control that keeps watch meanwhile.
        reason: why, for auditors.
        requested_by: who asked for it.
        approved_by: who allowed it; neither who asked nor the subject.
    """

    id: Name
    rule: Name
    subject: SubjectName
    upn: PrincipalName | None = None
    start: date
    until: date | None = None
    control: Name | None = None
    reason: Text
    requested_by: Text
    approved_by: Text

    @property
    def named_subject(self) -> str:
        """The subject as people read it: the id, and the name where one is known."""
        return f"{self.subject} ({visible(self.upn)})" if self.upn else visible(self.subject)

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


class Override(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename={"max_days": "maxDays"},
):
    """A package that puts its holders on more sides of a rule than the rule allows, on purpose.

    It is unique by its rule and its package. Holding the package is permitted if the assignment
    ends within so many days of its start; otherwise it is a finding.

    Attributes:
        rule: the id of the rule.
        package: the id of the access package.
        max_days: how long an assignment of it may last.
    """

    rule: Name
    package: UUID
    max_days: Days

    @property
    def id(self) -> str:
        """What names it in findings, where exceptions have their ids."""
        return override_id(self.rule, str(self.package))


def override_id(rule: str, package: str) -> str:
    """Name an override: it has no id of its own."""
    return f"override:{rule}:{package.lower()}"


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
        overrides: packages that give both on purpose, each for a few days at a time.
    """

    version: Literal[1]
    classes: dict[Name, Side] = {}
    protected: Protected = Protected()
    rules: list[Rule] = []
    controls: list[Control] = []
    exceptions: list[ExceptionEntry] = []
    overrides: list[Override] = []
