"""From who holds what to who holds what must not meet. Pure.

By subject, not by pair: the work grows with the assignments, however many pairs the rules make.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from entra_sod.domain.detection.index import IndexedAssignment
from entra_sod.domain.entra import Assignment, Pair, Subject
from entra_sod.domain.rules.language import Rule
from entra_sod.domain.rules.ruleset import RuleSet


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectedConflict:
    """One subject that holds what must not meet.

    Attributes:
        rules: that it is against.
        packages: the pair, or all that the subject holds of a set, in order.
    """

    rules: Sequence[Rule]
    packages: Sequence[str]
    subject: Subject

    @property
    def pair(self) -> Pair | None:
        """The pair; None of a set, of which there are always more."""
        return Pair.of(*self.packages) if len(self.packages) == 2 else None  # noqa: PLR2004


def join(
    held: Iterable[tuple[str, IndexedAssignment]], rules: RuleSet
) -> Iterator[DetectedConflict]:
    """Find every conflict among assignments.

    Args:
        held: package ids with their assignments. All assignments of a subject must be among them.
        rules: in force.
    """
    for holdings in _by_subject(held).values():
        if len(holdings) > 1:
            yield from _pair_conflicts(holdings, rules)
            yield from _set_conflicts(holdings, rules)


type _Holdings = dict[str, IndexedAssignment]


def _by_subject(held: Iterable[tuple[str, IndexedAssignment]]) -> Mapping[str, _Holdings]:
    subjects: dict[str, _Holdings] = {}
    for package, each in held:
        subjects.setdefault(each.subject_id, {})[package] = each
    return subjects


def _pair_conflicts(holdings: _Holdings, rules: RuleSet) -> Iterator[DetectedConflict]:
    for low, high in combinations(sorted(holdings), 2):
        constraint = rules.constraints.get(Pair(low, high))
        if constraint is not None:
            yield _conflict(constraint.rules, (low, high), holdings[low])


def _set_conflicts(holdings: _Holdings, rules: RuleSet) -> Iterator[DetectedConflict]:
    for rule in rules.counted_rules:
        of_the_set = sorted(holdings.keys() & rule.set_of)
        if len(of_the_set) > rule.count:
            yield _conflict((rule.rule,), of_the_set, holdings[of_the_set[0]])


def _conflict(
    rules: Sequence[Rule], packages: Sequence[str], held: IndexedAssignment
) -> DetectedConflict:
    return DetectedConflict(rules=rules, packages=packages, subject=held.subject)


def holders_of_both(
    held: Iterable[Assignment], others: Iterable[Assignment]
) -> tuple[Assignment, ...]:
    """The holders of one package who also hold another, known by either of their ids."""
    known = {each for other in others for each in other.subject.ids}
    return one_each(each for each in held if not known.isdisjoint(each.subject.ids))


def one_each(held: Iterable[Assignment]) -> tuple[Assignment, ...]:
    """The first assignment of each subject, who may hold a package by two policies."""
    found: dict[str, Assignment] = {}
    for each in held:
        if each.is_held:
            found.setdefault(each.subject.key, each)
    return tuple(found.values())
