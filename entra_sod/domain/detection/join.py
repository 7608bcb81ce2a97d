"""From who holds what to who holds what must not meet. Pure.

By subject, not by pair: the work grows with the assignments, however many pairs the rules make.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from entra_sod.domain.detection.index import Held
from entra_sod.domain.entra import Pair
from entra_sod.domain.rules.resolve import ResolvedRule
from entra_sod.domain.rules.ruleset import Duty, RuleSet


@dataclass(frozen=True, slots=True, kw_only=True)
class PairConflict:
    """One subject that holds both packages of a pair: the assignments of each, never none."""

    duty: Duty
    low: Sequence[Held]
    high: Sequence[Held]


@dataclass(frozen=True, slots=True, kw_only=True)
class TooMany:
    """One subject that holds more of a set than its rule allows."""

    rule: ResolvedRule
    holdings: Mapping[str, Sequence[Held]]


type Conflict = PairConflict | TooMany


def join(held: Iterable[tuple[str, Held]], rules: RuleSet) -> Iterator[Conflict]:
    """Find every conflict among assignments.

    Args:
        held: package ids with their assignments. All assignments of a subject must be among them;
            one that was read twice counts once.
        rules: in force.
    """
    for holdings in _by_subject(held).values():
        if len(holdings) > 1:
            yield from _pair_conflicts(holdings, rules)
            yield from _too_many(holdings, rules)


type _Holdings = dict[str, dict[str, Held]]


def _by_subject(held: Iterable[tuple[str, Held]]) -> Mapping[str, _Holdings]:
    subjects: dict[str, _Holdings] = {}
    for package, each in held:
        holdings = subjects.setdefault(each.subject_id, {})
        holdings.setdefault(package, {})[each.assignment_id] = each
    return subjects


def _pair_conflicts(holdings: _Holdings, rules: RuleSet) -> Iterator[PairConflict]:
    for low, high in combinations(sorted(holdings), 2):
        duty = rules.duties.get(Pair(low, high))
        if duty is not None:
            yield PairConflict(
                duty=duty, low=[*holdings[low].values()], high=[*holdings[high].values()]
            )


def _too_many(holdings: _Holdings, rules: RuleSet) -> Iterator[TooMany]:
    for rule in rules.inexpressible:
        of_the_set = sorted(holdings.keys() & rule.set_of)
        if len(of_the_set) > rule.count:
            counted = {package: [*holdings[package].values()] for package in of_the_set}
            yield TooMany(rule=rule, holdings=counted)
