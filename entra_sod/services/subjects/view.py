"""Subjects as callers read them, as values."""

from __future__ import annotations

from datetime import date

import msgspec

from entra_sod.domain.findings.views import FindingView
from entra_sod.domain.results.coverage import Skipped
from entra_sod.domain.results.named import NamedItem
from entra_sod.domain.rules.language import Mode, RuleForm, Severity


class SubjectSummary(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A subject in a list.

    Attributes:
        subject_id: in entitlement management.
        object_id: in the directory; null for a guest who does not exist in the tenant yet.
        subject_type: as Graph writes it, such as `user` and `servicePrincipal`.
        packages: how many packages the subject holds, of those that the sweep read.
        findings: how many findings stand: neither resolved nor on hold.
    """

    subject_id: str
    object_id: str | None
    display_name: str | None
    subject_type: str | None
    packages: int
    findings: int


class SubjectPage(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Subjects in the newest sweep's index, by name.

    Attributes:
        sweep: the id of the sweep.
        as_of: nothing that the sweep read is older; later changes may be missing.
        is_whole: whether the sweep read every package that rules name, and the names that a search
            looks at. If not, subjects may be missing.
        not_read: what it did not read, and why.
        subjects: that fit the search.
        total: how many fit.
        more: whether there are more than these.
        next_link: the address of the next page, if there are more.
    """

    sweep: str
    as_of: str
    is_whole: bool
    not_read: list[Skipped]
    subjects: list[SubjectSummary]
    total: int
    more: bool
    next_link: str | None = None


class HeldPackage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A package that a subject holds.

    Attributes:
        id: of the package.
        name: of the package; empty if it is not known.
        state: of the assignment, as Graph writes it.
        since: when the access begins, if Graph says so.
        until: when it ends, if Graph says so.
    """

    id: str
    name: str
    assignment_id: str
    state: str | None
    since: str | None
    until: str | None


class HeldSide(msgspec.Struct, frozen=True, kw_only=True):
    """A side of a rule on which a subject holds packages.

    Attributes:
        side: its number, from 1. The set of `atMost` is one side.
        holds: packages of the side that the subject holds.
    """

    side: int
    holds: list[NamedItem]


class TouchingRule(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A rule of which a subject holds packages.

    Attributes:
        sides: on which the subject holds packages.
        in_conflict: whether what the subject holds is a conflict, by the index.
        would_conflict: packages that the subject does not hold, and that would make a conflict; at
            most 100 of them.
        would_conflict_count: how many there are.
    """

    id: str
    title: str
    severity: Severity
    mode: Mode
    form: RuleForm
    sides: list[HeldSide]
    in_conflict: bool
    would_conflict: list[NamedItem]
    would_conflict_count: int


class SubjectException(msgspec.Struct, frozen=True, kw_only=True):
    """An exception for a subject that is in force today."""

    id: str
    rule: str
    until: date


class SubjectDetail(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a subject holds by the newest sweep's index, and which rules are concerned.

    Attributes:
        sweep: the id of the sweep.
        as_of: nothing that the sweep read is older; later changes may be missing.
        is_whole: whether everything could be read. If not, there may be more of all lists.
        not_read: what could not be read, and why.
        rules: in force, of which the subject holds packages.
        findings: in whatever state; at most 1,000 of them.
    """

    sweep: str
    as_of: str
    is_whole: bool
    not_read: list[Skipped]
    subject_id: str
    object_id: str | None
    display_name: str | None
    subject_type: str | None
    holds: list[HeldPackage]
    rules: list[TouchingRule]
    findings: list[FindingView]
    exceptions: list[SubjectException]
