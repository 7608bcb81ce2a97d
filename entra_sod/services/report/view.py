"""What a report says, as values: the whole of it, and the JSON of `GET /api/report`.

Times are RFC 3339 in UTC, days ISO 8601. Places (`packages`, `sides`) are indexes into the lists of
the view, so that a name is written once however often it is referred to.
"""

from __future__ import annotations

import msgspec

from entra_sod.domain.enforcement.budget import WritingState
from entra_sod.domain.findings.views import FindingView
from entra_sod.domain.portal import PortalLinks
from entra_sod.domain.report.changes import ReportChanges
from entra_sod.domain.report.enforcement import (
    UNKNOWN_ENFORCEMENT,
    EnforcementSum,
    EnforcementView,
)
from entra_sod.domain.report.steps import NextStep
from entra_sod.domain.report.verdict import ReportVerdict, RuleStatus
from entra_sod.domain.results.coverage import Checked, Outcome, Skipped
from entra_sod.domain.results.sweep import (
    DriftView,
    OverlapSummary,
    PairCounts,
    ReferenceCounts,
    ToxicSummary,
)
from entra_sod.domain.rules.language import FrameworkClause, Mode, RuleForm, Severity


class SweepView(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The sweep that the report is about.

    Attributes:
        checked: what was looked at, and by which way.
        is_current: whether its rules are those in force now.
    """

    id: str
    status: str
    started_at: str
    ended_at: str
    rules_hash: str
    is_current: bool
    pairs: PairCounts
    conflicts: int
    excepted: int
    references: ReferenceCounts
    assignments: int
    strategy: str
    why: str
    checked: list[Checked]


class PackageView(msgspec.Struct, frozen=True, kw_only=True):
    """An access package; name and catalog are empty where they could not be read."""

    id: str
    name: str = ""
    catalog: str = ""


class SideView(msgspec.Struct, frozen=True, kw_only=True):
    """A duty: a class, or the side of one rule; `packages` are places."""

    label: str
    packages: list[int]


class RuleInForce(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A rule, the places of its sides, and its findings over time.

    Attributes:
        trend: holders in conflict at each of the report's sweeps; None where it is not known.
        form: such as `between`.
        at_most: how many of its one side a subject may hold; None where sides are kept apart.
        allowed: how many packages of its set, or on how many of its sides, a subject may be.
        found_only: whether no pair of packages says what it says: it is outside of the matrix.
        needs_all: of `requires`, whether all packages of the needed side are needed.
        outcome: of a rule that is found only; None of other rules.
        process, tags, frameworks, owners: to filter and group by; owners beside `owner`.
        pairs: of the report's pairs, those that the rule keeps apart.
        pairs_unknown: how many of them were not checked.
        findings: None where nothing of the rule was checked, and nothing is known from before.
        status: what the sweep says of the rule.
        people: how many violate it, those whom an exception permits not counted; None where nothing
            of the rule was checked, and nothing is known from before.
        excepted: how many an exception permits.
        oldest: when the oldest finding that no exception permits was seen first.
        enforcement: how far Entra refused what the rule forbids when the sweep ended.
    """

    id: str
    title: str
    owner: str
    severity: Severity
    mode: Mode
    control: str | None
    advice: str | None
    sides: list[int]
    form: RuleForm
    at_most: int | None
    allowed: int
    found_only: bool
    needs_all: bool
    process: str | None
    tags: list[str]
    frameworks: list[FrameworkClause]
    owners: list[str]
    outcome: Outcome | None
    pairs: int
    pairs_unknown: int
    findings: int | None
    trend: list[int | None]
    status: RuleStatus = RuleStatus.NOT_CHECKED
    people: int | None = None
    excepted: int = 0
    oldest: str | None = None
    enforcement: EnforcementView = UNKNOWN_ENFORCEMENT


class CellView(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A pair of packages: what is known of it, and all its findings counted, embedded or not.

    Attributes:
        packages: two places.
        rules: places of the rules that keep the pair apart.
        severity: the worst of its findings, or of its rules where there are none.
    """

    packages: tuple[int, int]
    rules: list[int]
    outcome: Outcome
    severity: Severity | None
    findings: int
    excepted: int


class ExceptionInForce(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A dated permission: until the end of the day `until`, in UTC."""

    id: str
    rule: str
    subject: str
    user_principal_name: str | None
    until: str
    days_left: int
    reason: str
    approved_by: str


class TrendPoint(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An ended sweep, oldest first."""

    id: str
    ended_at: str
    status: str
    conflicts: int
    unknown: int


class ReportView(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A whole report.

    Attributes:
        sweep: None where none has ended yet.
        gaps: what was not checked, and why; first in every form of the report.
        left_out: what is known but not in the report, for it has bounds.
        findings: as `GET /findings` has them; those that stand come first, the gravest before all.
        findings_total: all findings, embedded or not.
        findings_standing: those of them that are neither resolved nor on hold.
        writing: what holds writes of references back.
        toxic_packages: packages that meet a rule by themselves, as the sweep saw them.
        overlaps: packages that no rule names and that grant what a side grants.
        tenant: its id; empty where the app's token does not say.
        verdict: the first words of the report; None in a view of an older version.
        enforcement: how far Entra enforces the rules, in sum; None likewise.
        changes: since the sweep before; None where there is none.
        steps: what to do next, each with its owner.
        portal: addresses of the Entra admin center, with `{id}` in the place of an id.
        console: the address of the app's console; None where the report was not made by an app.
    """

    generated_at: str
    tool_version: str
    rules_hash: str
    sweep: SweepView | None
    gaps: list[Skipped]
    left_out: list[Skipped]
    packages: list[PackageView]
    sides: list[SideView]
    rules: list[RuleInForce]
    cells: list[CellView]
    findings: list[FindingView]
    findings_total: int
    findings_standing: int
    exceptions: list[ExceptionInForce]
    drift: list[DriftView]
    trend: list[TrendPoint]
    writing: WritingState
    toxic_packages: list[ToxicSummary] = []
    overlaps: list[OverlapSummary] = []
    tenant: str = ""
    verdict: ReportVerdict | None = None
    enforcement: EnforcementSum | None = None
    changes: ReportChanges | None = None
    steps: list[NextStep] = []
    portal: PortalLinks | None = None
    console: str | None = None
