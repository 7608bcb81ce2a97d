"""What a sweep says of each pair and each counted set. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from entra_sod.core.names import cut
from entra_sod.domain.entra import Pair
from entra_sod.domain.results.coverage import Outcome, Skipped
from entra_sod.domain.results.sets import SetSummary
from entra_sod.domain.results.sweep import PairCounts, PairSummary, ToxicSummary
from entra_sod.domain.rules.language import Mode
from entra_sod.domain.rules.resolve import ResolvedRule
from entra_sod.domain.rules.ruleset import PairConstraint, RuleSet
from entra_sod.domain.rules.toxic import MAX_NAME_LENGTH, ToxicPackage, named_package

MAX_PAIRS_IN_RESPONSE = 1000
_ORDER = (Outcome.CONFLICT, Outcome.UNKNOWN, Outcome.CLEAR)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadScope:
    """What was read.

    Attributes:
        asked: pairs that Graph answered for.
        indexed: packages whose assignments were read to their end.
        holders: of each pair in conflict.
        enforced: packages whose groups and references were read.
    """

    asked: Collection[Pair]
    indexed: Collection[str]
    holders: Mapping[Pair, int]
    enforced: Collection[str]

    def outcome(self, pair: Pair) -> Outcome:
        """Never clear unless something was read that says so."""
        if self.holders.get(pair):
            return Outcome.CONFLICT
        if pair in self.asked or (pair.low in self.indexed and pair.high in self.indexed):
            return Outcome.CLEAR
        return Outcome.UNKNOWN


@dataclass(slots=True)
class PairOutcomes:
    """All pairs, counted; the first of each outcome by name.

    Attributes:
        unread: packages of pairs that are unknown, of which nothing was read.
        partially_read: packages whose own wishes are not known, for the other of the pair was not
            read.
    """

    counts: Counter[Outcome] = field(default_factory=Counter)
    first: dict[Outcome, list[PairSummary]] = field(
        default_factory=lambda: {each: [] for each in _ORDER}
    )
    unread: set[str] = field(default_factory=set)
    partially_read: set[str] = field(default_factory=set)

    def as_counts(self) -> PairCounts:
        return PairCounts(
            total=self.counts.total(),
            conflict=self.counts[Outcome.CONFLICT],
            clear=self.counts[Outcome.CLEAR],
            unknown=self.counts[Outcome.UNKNOWN],
        )

    def summaries(self) -> list[PairSummary]:
        """Conflicts first, then what is unknown, as many as an answer takes."""
        return [each for outcome in _ORDER for each in self.first[outcome]][:MAX_PAIRS_IN_RESPONSE]


def evaluate_pairs(rules: RuleSet, scope: ReadScope) -> PairOutcomes:
    outcomes = PairOutcomes()
    for constraint in rules.constraints.in_order():
        outcome = scope.outcome(constraint.pair)
        outcomes.counts[outcome] += 1
        if len(outcomes.first[outcome]) < MAX_PAIRS_IN_RESPONSE:
            outcomes.first[outcome].append(_summary(constraint, outcome, scope))
        if outcome is Outcome.UNKNOWN:
            outcomes.unread.update(each for each in constraint.pair if each not in scope.indexed)
        if constraint.mode is Mode.ENFORCE and not all(
            each in scope.enforced for each in constraint.pair
        ):
            outcomes.partially_read.update(constraint.pair)
    return outcomes


def _summary(constraint: PairConstraint, outcome: Outcome, scope: ReadScope) -> PairSummary:
    return PairSummary(
        access_package_id=constraint.pair.low,
        incompatible_access_package_id=constraint.pair.high,
        outcome=outcome,
        holder_count=scope.holders.get(constraint.pair, 0),
        rules=list(constraint.rule_ids),
    )


def evaluate_sets(rules: RuleSet, scope: ReadScope, over: Mapping[str, int]) -> list[SetSummary]:
    """What a sweep says of each rule that is found only."""
    return [
        SetSummary(
            rule=rule.id,
            form=rule.form,
            at_most=rule.count,
            size=len(rule.packages),
            outcome=_set_outcome(rule, scope, over),
            holder_count=over.get(rule.id, 0),
        )
        for rule in rules.found_only_rules
    ]


def _set_outcome(rule: ResolvedRule, scope: ReadScope, over: Mapping[str, int]) -> Outcome:
    if over.get(rule.id):
        return Outcome.CONFLICT
    is_open = rule.grant_gaps or unread_of(rule, scope.indexed)
    return Outcome.UNKNOWN if is_open else Outcome.CLEAR


def unread_of(rule: ResolvedRule, indexed: Collection[str]) -> list[str]:
    """The packages of a rule whose assignments were not read to their end, in order."""
    return sorted(each for each in rule.packages if each not in indexed)


def evaluate_toxic(
    rules: RuleSet,
    toxic: Iterable[ToxicPackage],
    scope: ReadScope,
    alone: Mapping[tuple[str, str], int],
) -> list[ToxicSummary]:
    """What a sweep says of each package that meets a rule by itself.

    Args:
        rules: in force.
        toxic: such packages.
        scope: what was read.
        alone: the holders of each of them, by package and rule.
    """
    found = [_toxic_summary(rules, each, scope, alone) for each in toxic]
    return sorted(found, key=lambda each: _ORDER.index(each.outcome))


def _toxic_summary(
    rules: RuleSet, each: ToxicPackage, scope: ReadScope, alone: Mapping[tuple[str, str], int]
) -> ToxicSummary:
    holders = alone.get((each.package, each.rule.id), 0)
    outcome = Outcome.CLEAR if each.package in scope.indexed else Outcome.UNKNOWN
    override = rules.override_of(each.rule.id, each.package)
    return ToxicSummary(
        access_package_id=each.package,
        display_name=cut(each.name, MAX_NAME_LENGTH),
        rule=each.rule.id,
        why=each.why,
        outcome=Outcome.CONFLICT if holders else outcome,
        holder_count=holders,
        override_days=override.max_days if override else None,
    )


def toxic_gaps(found: Iterable[ToxicSummary]) -> Iterator[Skipped]:
    """Each package that meets a rule by itself of which not all holders are known."""
    for each in found:
        if each.outcome is Outcome.UNKNOWN:
            what = f"who holds {named_package(each.access_package_id, each.display_name)}"
            yield Skipped(what=what, why=f"its assignments could not be read: {each.why}")


def found_only_gaps(rules: RuleSet, scope: ReadScope) -> Iterator[Skipped]:
    """Each rule that is found only of which not everything is known, and why."""
    for rule in rules.found_only_rules:
        if unread := unread_of(rule, scope.indexed):
            more = f" and of {len(unread) - 1} more" if len(unread) > 1 else ""
            yield Skipped(
                what=f"subjects that are in conflict with rule {rule.id}",
                why=(
                    f"the assignments of access package {unread[0]}{more} could not be read: "
                    "a subject may hold it"
                ),
            )
