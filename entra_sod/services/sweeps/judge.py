"""From what a whole sweep read and found to what it says: outcomes, gaps and drift. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from entra_sod.domain.enforcement.drift import Drift
from entra_sod.domain.enforcement.uncertainty import certain
from entra_sod.domain.entra import Pair
from entra_sod.domain.results.coverage import Outcome, note_groups, note_refused
from entra_sod.domain.results.sweep import DriftView, SetSummary
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.domain.sweeps.outcomes import Looked, Outcomes, judge_pairs, judge_sets
from entra_sod.domain.sweeps.parts import SweepPlan
from entra_sod.services.sweeps.conflicts import Conflicts
from entra_sod.services.sweeps.merge_parts import Whole

MOST_DRIFT_IN_ANSWER = 1000


@dataclass(slots=True, kw_only=True)
class Judged:
    """What is known of all pairs and sets.

    Attributes:
        has_gaps: whether anything that was needed could not be read.
    """

    outcomes: Outcomes
    sets: list[SetSummary]
    findings: int
    excepted: int
    has_gaps: bool


def judge(whole: Whole, conflicts: Conflicts, rules: RuleSet) -> Judged:
    looked = Looked(
        asked=whole.asked.keys(),
        indexed=whole.pages.keys(),
        holders=conflicts.holders | Counter(whole.asked),
        enforced=whole.packages.keys(),
    )
    outcomes = judge_pairs(rules, looked)
    sets = judge_sets(rules, looked, conflicts.over)
    is_unknown = outcomes.counts[Outcome.UNKNOWN] > 0 or any(
        each.outcome is Outcome.UNKNOWN for each in sets
    )
    return Judged(
        outcomes=outcomes,
        sets=sets,
        findings=conflicts.findings,
        excepted=conflicts.excepted,
        has_gaps=is_unknown or whole.has_failed_parts or _lacks_something(whole, rules),
    )


def _lacks_something(whole: Whole, rules: RuleSet) -> bool:
    """Whether a package was not read that rules name; what only the ledger knows may be gone.

    So that is no gap of the sweep, but what it may ask for stays all the same.
    """
    named = rules.packages | rules.enforced_packages
    return any(each.package in named for each in whole.unread.values())


def note_gaps(
    whole: Whole, conflicts: Conflicts, judged: Judged, plan: SweepPlan, rules: RuleSet
) -> None:
    """Say what else was not looked at, beside what could not be read."""
    for package in sorted(judged.outcomes.unread - _planned(plan)):
        why = "the rules came to name it after the sweep was planned; the next one looks"
        whole.skip(f"pairs of access package {package}", why)
    for pair, asked, indexed in disagreeing(whole, conflicts):
        whole.skip(
            f"Graph's own word on the holders of {pair.low} and {pair.high}",
            f"additionalAccess shows {asked}, the assignments read before it show {indexed}",
        )
    note_groups(rules.named_groups, whole)
    note_refused(rules, whole)


def disagreeing(whole: Whole, conflicts: Conflicts) -> Iterator[tuple[Pair, int, int]]:
    """Pairs of which two ways of reading show different holders: how many each of them does."""
    for pair, asked in whole.asked.items():
        indexed = conflicts.holders[pair] if _is_indexed(pair, whole) else asked
        if asked != indexed:
            yield pair, asked, indexed


def _planned(plan: SweepPlan) -> set[str]:
    by_index = {package for part in plan.parts for package in part.packages}
    return by_index | {each for part in plan.parts for pair in part.pairs for each in pair}


def _is_indexed(pair: Pair, whole: Whole) -> bool:
    return pair.low in whole.pages and pair.high in whole.pages


def drift_views(drift: Sequence[Drift], outcomes: Outcomes, whole: Whole) -> list[DriftView]:
    """Drift for the result; what a pair half seen may ask for is not called unasked for."""
    found = certain(drift, outcomes.half_seen, whole.in_doubt)
    return [
        DriftView(
            kind=each.kind,
            access_package_id=each.reference.on,
            reference_kind=each.reference.kind,
            target_id=each.reference.target,
        )
        for each in islice(found, MOST_DRIFT_IN_ANSWER)
    ]
