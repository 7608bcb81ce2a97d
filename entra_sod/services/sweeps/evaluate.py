"""From what a whole sweep read and found to what it says: outcomes, gaps and drift. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from entra_sod.domain.enforcement.drift import Drift
from entra_sod.domain.entra import Pair
from entra_sod.domain.results.coverage import (
    Coverage,
    Outcome,
    Skipped,
    note_groups,
    rule_gaps,
    selection_gaps,
)
from entra_sod.domain.results.sets import SetSummary
from entra_sod.domain.results.sweep import DriftView, ToxicSummary
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.domain.rules.toxic import ToxicPackages
from entra_sod.domain.sweeps.outcomes import (
    PairOutcomes,
    ReadScope,
    evaluate_pairs,
    evaluate_sets,
    evaluate_toxic,
    found_only_gaps,
    toxic_gaps,
)
from entra_sod.domain.sweeps.parts import SweepPlan, indexed_packages
from entra_sod.services.rules.alike import AlikeReading
from entra_sod.services.sweeps.conflicts import SweepConflicts
from entra_sod.services.sweeps.merge_parts import MergedParts
from entra_sod.stores.sweeps import PartRecord, SweepRecord

MAX_DRIFT_IN_RESPONSE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosingSweep:
    """All that a sweep is closed by, each read once.

    Attributes:
        alike: what packages grant: which overlap with a side, and which meet a rule by themselves.
        toxic: those that meet a rule by themselves.
    """

    record: SweepRecord
    plan: SweepPlan
    parts: Sequence[PartRecord]
    whole: MergedParts
    conflicts: SweepConflicts
    rules: RuleSet
    alike: AlikeReading = field(default_factory=AlikeReading)
    toxic: ToxicPackages = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepVerdict:
    """What is known of all pairs and sets.

    Attributes:
        gaps: what was not looked at, beside what could not be read.
        doubtful: pairs of which two ways of reading show different holders.
        has_gaps: whether anything that was needed could not be read.
    """

    outcomes: PairOutcomes
    sets: Sequence[SetSummary]
    toxic: Sequence[ToxicSummary]
    gaps: Sequence[Skipped]
    doubtful: frozenset[Pair]
    has_gaps: bool


def evaluate(closing: ClosingSweep) -> SweepVerdict:
    merged, conflicts, rules = closing.whole, closing.conflicts, closing.rules
    looked = ReadScope(
        asked=merged.asked.keys(),
        indexed=merged.pages.keys(),
        holders=conflicts.holders | Counter(merged.asked),
        enforced=merged.packages.keys(),
    )
    outcomes = evaluate_pairs(rules, looked)
    sets = evaluate_sets(rules, looked, conflicts.over)
    toxic = evaluate_toxic(rules, closing.alike.toxic, looked, conflicts.alone)
    others = [*(each.outcome for each in sets), *(each.outcome for each in toxic)]
    is_unknown = outcomes.counts[Outcome.UNKNOWN] > 0 or Outcome.UNKNOWN in others
    doubtful = {pair: (asked, held) for pair, asked, held in _disagreeing(merged, conflicts)}
    return SweepVerdict(
        outcomes=outcomes,
        sets=sets,
        toxic=toxic,
        gaps=[
            *_gaps(closing, outcomes, doubtful),
            *found_only_gaps(rules, looked),
            *toxic_gaps(toxic),
        ],
        doubtful=frozenset(doubtful),
        has_gaps=is_unknown
        or merged.has_failed_parts
        or _has_unread_packages(closing)
        or bool(rules.unsettled)
        or any(each.hides for each in selection_gaps(rules)),
    )


def _has_unread_packages(closing: ClosingSweep) -> bool:
    """Whether a package was not read that rules name, or that met a rule by itself before.

    A package that only the ledger names may have been deleted, so an unread one is no gap of the
    sweep. The references that it may need are kept all the same.
    """
    named = closing.rules.packages | closing.rules.enforced_packages
    planned = indexed_packages(closing.plan)
    return any(
        each.package in named or (each.package in planned and not each.is_gone)
        for each in closing.whole.unread.values()
    )


def _gaps(
    closing: ClosingSweep, outcomes: PairOutcomes, doubtful: Mapping[Pair, tuple[int, int]]
) -> Sequence[Skipped]:
    notes = Coverage()
    for package in sorted(outcomes.unread - _planned(closing.plan)):
        why = "a rule named it only after the sweep was planned; the next sweep reads it"
        notes.skip(f"pairs of access package {package}", why)
    for pair, (asked, indexed) in doubtful.items():
        notes.skip(
            f"Graph's list of the holders of {pair.low} and {pair.high}",
            f"additionalAccess shows {asked}, the assignments read before it show {indexed}",
        )
    note_groups(closing.rules.named_groups, notes)
    alike = closing.alike
    return [*notes.skipped, *rule_gaps(closing.rules), *alike.notes, *alike.unread_of_rules]


def _disagreeing(merged: MergedParts, conflicts: SweepConflicts) -> Iterator[tuple[Pair, int, int]]:
    """Pairs of which two ways of reading show different holders: how many each of them does."""
    for pair, asked in merged.asked.items():
        is_indexed = pair.low in merged.pages and pair.high in merged.pages
        found = conflicts.holders[pair] + conflicts.also_indexed[pair]
        indexed = found if is_indexed else asked
        if asked != indexed:
            yield pair, asked, indexed


def _planned(plan: SweepPlan) -> set[str]:
    by_index = {package for part in plan.parts for package in part.packages}
    return by_index | {each for part in plan.parts for pair in part.pairs for each in pair}


def drift_views(drift: Sequence[Drift]) -> list[DriftView]:
    return [
        DriftView(
            kind=each.kind,
            access_package_id=each.reference.on,
            reference_kind=each.reference.kind,
            target_id=each.reference.target,
        )
        for each in islice(drift, MAX_DRIFT_IN_RESPONSE)
    ]
