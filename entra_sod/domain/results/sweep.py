"""The answer for a whole sweep (design contract, HTTP 200)."""

from __future__ import annotations

import msgspec

from entra_sod.domain.enforcement.budget import WritesStopped
from entra_sod.domain.enforcement.result import EnforcementResult
from entra_sod.domain.results.check import ReferencesView
from entra_sod.domain.results.coverage import Coverage, Outcome
from entra_sod.domain.results.sets import SetSummary
from entra_sod.domain.rules.language import Mode


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


class ReferenceCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How many references a sweep told of, however many of them are in the answer."""

    present: int = 0
    planned: int = 0
    written: int = 0
    failed: int = 0
    removed: int = 0
    held: int = 0

    @classmethod
    def of(cls, references: EnforcementResult | ReferencesView) -> ReferenceCounts:
        return cls(**{name: len(getattr(references, name)) for name in cls.__struct_fields__})


class ToxicSummary(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A package that meets a rule by itself: how many subjects hold it.

    Attributes:
        display_name: empty if it could not be read.
        why: the duties that it gives, in words.
        outcome: unknown if its assignments could not be read.
        override_days: how long an assignment may last, if an override permits the package.
    """

    access_package_id: str
    display_name: str
    rule: str
    why: str
    outcome: Outcome
    holder_count: int
    override_days: int | None = None


class OverlapSummary(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A package that no rule names and that grants what a side of a rule grants."""

    access_package_id: str
    display_name: str
    rule: str
    why: str


class RuleReferences(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """How far Entra enforced one rule when a sweep ended.

    Attributes:
        is_found_only: whether Entra has no reference that could enforce it, whatever its mode.
        cannot: why Entra enforces nothing of it; empty if the rule asks for references.
        in_part: why its references, if all of them are there, enforce only a part of it.
        wanted: references that it asks for.
        missing: those of them that Entra did not have.
        held: those of them that wait for an approval or another reason.
    """

    rule: str
    mode: Mode
    is_found_only: bool = False
    cannot: str = ""
    in_part: str = ""
    wanted: int = 0
    missing: int = 0
    held: int = 0


class SweepEnforcement(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How far Entra enforced the rules when a sweep ended.

    Attributes:
        setting: ENFORCEMENT, which is `off`, `plan` or `apply`.
        is_known: whether the sweep could read the references.
        rules: those in force then, in order of their ids; at most 2,000.
    """

    setting: str
    is_known: bool
    rules: list[RuleReferences]


class StrategyView(msgspec.Struct, frozen=True, kw_only=True):
    """How the sweep looked.

    Attributes:
        chosen: `pairs`, one question for each; or `index`, each package's assignments read once.
        why: the requests that either way was expected to take.
        ways: how often each way of detection answered for a pair.
    """

    chosen: str
    why: str
    ways: dict[str, int]


class SweepResult(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What `GET /sweeps/{id}` answers with 200 once a sweep has ended.

    Attributes:
        findings: how many conflicts there are: a subject and a pair, a rule that is found only, or
            a package that meets a rule by itself, is one.
        excepted: how many of the findings an exception in force permits.
        results: each pair, conflicts first, at most 1,000 of them.
        sets: each rule that is found only, because no pair of packages says what it says.
        toxic_packages: each package that meets a rule by itself, with that rule; at most 1,000.
        overlaps: each package that no rule names and that grants what a side grants; at most 1,000.
        references: the first 1,000 of each kind; the evidence has all of them.
        stopped: what stopped the sweep before it had written all that it planned.
        drift: where Graph differed from the rules and the ledger when the sweep looked.
        rule_enforcement: how far Entra enforced the rules; null if an older version made the sweep.
        assignments: held, of the packages that were indexed.
        requests: sent to Graph by all parts and the closing, as Graph's throttle counts them.
        round_trips: what was sent; a `$batch` is one.
        throttled: requests that were answered with 429.
        throttled_seconds: waited because Graph asked for it, in place and on the queue.
        rate: requests for each 10 s between asking for the sweep and its end.
    """

    id: str
    status: str
    pairs: PairCounts
    findings: int
    excepted: int
    results: list[PairSummary]
    sets: list[SetSummary]
    references: ReferencesView
    reference_counts: ReferenceCounts
    drift: list[DriftView]
    coverage: Coverage
    strategy: StrategyView
    assignments: int
    requests: int
    round_trips: int
    throttled: int
    throttled_seconds: float
    rate: float
    started_at: str
    ended_at: str
    rules_hash: str
    stopped: WritesStopped | None = None
    toxic_packages: list[ToxicSummary] = []
    overlaps: list[OverlapSummary] = []
    rule_enforcement: SweepEnforcement | None = None
