"""Rules, exceptions and selections as callers read them, as values."""

from __future__ import annotations

from datetime import date

import msgspec

from entra_sod.domain.entra import ReferenceKind
from entra_sod.domain.report.enforcement import EnforcementView
from entra_sod.domain.results.coverage import Skipped
from entra_sod.domain.results.named import NamedItem
from entra_sod.domain.rules.exception_changes import ExceptionState
from entra_sod.domain.rules.language import Mode, RuleForm, Severity


class ResolvedSideView(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A side of a rule, or the set of `atMost`, as it is in the tenant.

    Attributes:
        packages: on the side; at most 200 of them.
        package_count: how many packages are on it.
        groups: object ids of the groups on it.
        every: whether a subject is on the side only with all of its packages.
    """

    packages: list[NamedItem]
    package_count: int
    groups: list[str]
    every: bool


class RuleOverview(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A rule in force.

    Attributes:
        owners: who answers for the rule beside `owner`.
        frameworks: clauses that the rule serves, each as one text.
        control: the customer's own reference for it.
        form: what makes a conflict.
        allowed: how many packages of its set, or on how many of its sides, a subject may be.
        found_only: whether no pair of packages says what the rule says.
        version: a hash of what is written of the rule, and of its classes.
        pairs: how many pairs of packages the rule keeps apart.
        gaps: what keeps the rule from meaning what it is to mean.
        findings: how many stand; null if nothing of the rule was looked at.
        exceptions: how many are in force.
    """

    id: str
    title: str
    severity: Severity
    mode: Mode
    owner: str
    owners: list[str]
    process: str | None
    tags: list[str]
    frameworks: list[str]
    control: str | None
    advice: str | None
    form: RuleForm
    allowed: int
    found_only: bool
    version: str
    sides: list[ResolvedSideView]
    pairs: int
    enforcement: EnforcementView
    gaps: list[Skipped]
    findings: int | None
    exceptions: int


class RulePage(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Rules in force, by their ids.

    Attributes:
        as_of: when they were read.
        rules_hash: names this version of all rules.
        problem: why the newest files are not in force, though older rules are.
        sweep: that findings and enforcement are known from; null if there is none.
        gaps: of all rules.
        total: how many rules are in force.
        more: whether there are more than these.
        next_link: the address of the next page, if there are more.
    """

    as_of: str
    rules_hash: str
    problem: str | None
    sweep: str | None
    gaps: list[Skipped]
    rules: list[RuleOverview]
    total: int
    more: bool
    next_link: str | None = None


class ProposedChange(msgspec.Struct, frozen=True, kw_only=True):
    """Text of a rules file, for a pull request. The app never writes rules.

    Attributes:
        renew: the exception for another period, which needs an approval; empty if one waits for it.
        remove: the entry to remove.
    """

    renew: str
    remove: str


class ListedException(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    rename={
        "rule_title": "ruleTitle",
        "display_name": "displayName",
        "requested_by": "requestedBy",
        "approved_by": "approvedBy",
        "start": "from",
        "days_left": "daysLeft",
        "why_void": "whyVoid",
    },
):
    """An exception of the rules files.

    Attributes:
        rule_title: empty if no such rule is in the files.
        subject: the id of whom it is for; the name that is written if that is not resolved.
        display_name: of the subject, as the newest sweep has seen it.
        packages: of the rule, that the subject holds; null if that is not known.
        control: the id of the control that keeps watch meanwhile.
        start: the first day.
        until: the last day, included.
        days_left: 0 on the last day, negative if it is over.
        why_void: why it excuses no one, whatever its state is; null if it excuses its subject.
        file: where it is written.
        change: what to propose.
    """

    id: str
    rule: str
    rule_title: str
    subject: str
    display_name: str | None
    packages: list[NamedItem] | None
    requested_by: str
    approved_by: str
    reason: str
    control: str | None
    start: date
    until: date
    days_left: int
    state: ExceptionState
    why_void: str | None
    file: str
    change: ProposedChange


class ExceptionPage(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Exceptions of the rules files, the first to end first.

    Attributes:
        as_of: the day of the states.
        problem: why the newest files are not in force, though older rules are.
        is_whole: whether names and packages of all subjects could be looked up.
        not_read: what could not be read for them, and why.
        total: how many fit.
        more: whether there are more than these.
        next_link: the address of the next page, if there are more.
    """

    as_of: date
    problem: str | None
    is_whole: bool
    not_read: list[Skipped]
    exceptions: list[ListedException]
    total: int
    more: bool
    next_link: str | None = None


class ChangedGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A group that a package has come to grant, or does not grant any more."""

    group: str
    package: NamedItem


class WaitingWrite(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A reference that is held, and that an approval lets the next sweep write.

    Attributes:
        on: the package that subjects are kept from getting.
        kind: of the target.
        target: the package whose holders, or the group whose members, are kept away.
        subjects: how many it newly keeps away; null if that is not known.
        subjects_at_least: those who are known.
    """

    on: NamedItem
    kind: ReferenceKind
    target: NamedItem
    subjects: int | None
    subjects_at_least: int


class WaitingRemoval(msgspec.Struct, frozen=True, kw_only=True):
    """A reference that is kept, and that an approval lets the next sweep remove."""

    on: NamedItem
    kind: ReferenceKind
    target: NamedItem


class ApprovalEffect(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What approving a selection would do.

    Attributes:
        writes: references that the next sweep writes; at most 1,000 of them.
        removes: references that the next sweep removes; at most 1,000 of them.
        write_count: how many references are written.
        remove_count: how many references are removed.
        subjects: how many are newly kept away, each counted once a reference; null if that is not
            known.
        why: subjects are not known.
    """

    writes: list[WaitingWrite]
    removes: list[WaitingRemoval]
    write_count: int
    remove_count: int
    subjects: int | None
    why: str | None


class SelectionView(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a rule selects now, beside what was reviewed of it.

    Attributes:
        id: of the rule.
        selection: names what the rule selects now; an approval repeats it.
        waits: whether something has changed that waits for an approval.
        reviewed_at: when the selection was reviewed; null if no run has met the rule.
        reviewed_by: who reviewed it.
        damage: why what was reviewed cannot be used.
        joined: packages on a side on which they were not; at most 1,000 of each list are named.
        left: packages that were on a side on which they are not.
        joined_groups: groups that count for the rule and did not.
        left_groups: groups that counted for the rule and do not.
    """

    id: str
    title: str
    mode: Mode
    selection: str
    waits: bool
    reviewed_at: str | None
    reviewed_by: str | None
    damage: str | None
    joined: list[NamedItem]
    left: list[NamedItem]
    joined_groups: list[ChangedGroup]
    left_groups: list[ChangedGroup]
    approving: ApprovalEffect


class SelectionList(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What each rule in force selects, and what waits for an approval.

    Attributes:
        as_of: when the tenant was read.
        remembers: false if SELECTION_CHANGES is write. Then nothing waits, and no rule is listed.
        rules_hash: names this version of all rules.
        not_read: what could not be read. Nothing of it is shown or approved.
    """

    as_of: str
    remembers: bool
    rules_hash: str
    not_read: list[Skipped]
    rules: list[SelectionView]
