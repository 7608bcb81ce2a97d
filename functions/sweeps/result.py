"""What a part of a sweep found, and the answer for the whole (design contract, HTTP 200)."""

from __future__ import annotations

import msgspec

from functions.checks.result import Coverage, Holder, Outcome, ReferencesView, RuleView
from functions.enforcement.desired import DesiredReference


class PairFinding(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One pair as a sweep saw it; holders are those of the first package."""

    access_package_id: str
    incompatible_access_package_id: str
    outcome: Outcome
    holders: list[Holder]
    rules: list[RuleView]


class PartFindings(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Kept by each part for the one that closes the sweep.

    Attributes:
        ways: how often each way of detection was used.
        has_gaps: whether anything that was needed could not be read.
    """

    pairs: list[PairFinding] = []
    desired: list[DesiredReference] = []
    coverage: Coverage = Coverage()
    ways: dict[str, int] = {}
    requests: int = 0
    rules_hash: str = ""
    has_gaps: bool = False


class PairCounts(msgspec.Struct, frozen=True, kw_only=True):
    total: int
    conflict: int
    clear: int
    unknown: int


class PairSummary(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    access_package_id: str
    incompatible_access_package_id: str
    outcome: Outcome
    holder_count: int
    rules: list[str]


class DriftView(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A reference that is missing, extra, asymmetric, orphaned or foreign."""

    kind: str
    access_package_id: str
    reference_kind: str
    target_id: str


class SweepResult(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What `GET /sweeps/{id}` answers with 200 once a sweep has ended.

    Attributes:
        findings: how many conflicts there are: a person and a pair is one.
        results: each pair, conflicts first, at most 1,000 of them.
        strategy: the ways of detection and how many pairs went by each.
        drift: where Graph differed from the rules and the ledger when the sweep looked.
        requests: sent to Graph by all parts and the closing.
    """

    id: str
    status: str
    pairs: PairCounts
    findings: int
    results: list[PairSummary]
    references: ReferencesView
    drift: list[DriftView]
    coverage: Coverage
    strategy: dict[str, int]
    requests: int
    started_at: str
    ended_at: str
    rules_hash: str
