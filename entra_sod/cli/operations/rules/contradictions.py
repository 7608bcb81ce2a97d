"""Rules that ask the opposite for one pair: one enforces what the other only records. Pure.

Pairs are counted and not made: a mebibyte of rules can have a hundred million.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations

from entra_sod.domain.rules.language import Mode, Rule
from entra_sod.domain.rules.resolve import ResolvedRule

MAX_STEPS = 100_000

type _Position = frozenset[int]


@dataclass(frozen=True, slots=True)
class Contradictions:
    """What was found.

    Attributes:
        rules: an earlier rule, a later one, and for how many pairs they differ.
        is_whole: false where looking stopped, as too many rules share packages.
    """

    rules: Sequence[tuple[Rule, Rule, int]]
    is_whole: bool


class _Steps:
    """What looking costs, and what is left for it."""

    def __init__(self) -> None:
        self.left = MAX_STEPS

    def take(self, count: int) -> bool:
        self.left -= count
        return self.left >= 0


def find_contradictions(rules: Sequence[ResolvedRule]) -> Contradictions:
    """Compare each rule that enforces with each that does not."""
    steps, found = _Steps(), list[tuple[Rule, Rule, int]]()
    for first, second in sorted(_candidates(rules, steps)):
        if not steps.take(_size(rules[first]) + _size(rules[second])):
            break
        if count := _count(rules[first], rules[second], steps):
            found.append((rules[first].rule, rules[second].rule, count))
    return Contradictions(found, is_whole=steps.left >= 0)


def _candidates(rules: Sequence[ResolvedRule], steps: _Steps) -> Sequence[tuple[int, int]]:
    """Rules by number, of which one enforces, that share two packages."""
    having: dict[str, tuple[list[int], list[int]]] = {}
    for number, each in enumerate(rules):
        for package in _packages(each):
            enforcing, others = having.setdefault(package, ([], []))
            (enforcing if each.rule.mode is Mode.ENFORCE else others).append(number)
    shared: Counter[tuple[int, int]] = Counter()
    for enforcing, others in having.values():
        for one in enforcing:
            if not steps.take(len(others)):
                break
            shared.update((min(one, other), max(one, other)) for other in others)
    return [rules for rules, packages in shared.items() if packages > 1]


def _packages(rule: ResolvedRule) -> frozenset[str]:
    return frozenset(chain.from_iterable(_keeping(rule)))


def _keeping(rule: ResolvedRule) -> Iterator[frozenset[str]]:
    """The sets that a rule keeps apart; for `atMost` the one within which it does."""
    if rule.rule.at_most is None:
        yield from (side.packages for side in rule.sides)
    elif rule.is_at_most_one:
        yield rule.set_of


def _size(rule: ResolvedRule) -> int:
    return sum(map(len, _keeping(rule)))


def _count(one: ResolvedRule, other: ResolvedRule, steps: _Steps) -> int:
    """For how many pairs of packages both rules ask.

    Packages on the same sides of both rules are alike, so kinds of packages are compared.
    """
    in_one, in_other = _places(one), _places(other)
    kinds = Counter((in_one[each], in_other[each]) for each in in_one.keys() & in_other.keys())
    if not steps.take(len(kinds) ** 2):
        return 0
    within = sum(
        packages * (packages - 1) // 2
        for (first, second), packages in kinds.items()
        if _is_apart(one, first, first) and _is_apart(other, second, second)
    )
    between = sum(
        packages * others
        for ((first, second), packages), ((third, fourth), others) in combinations(kinds.items(), 2)
        if _is_apart(one, first, third) and _is_apart(other, second, fourth)
    )
    return within + between


def _places(rule: ResolvedRule) -> Mapping[str, _Position]:
    """For each package the numbers of the sets that it is in."""
    found: dict[str, list[int]] = {}
    for number, packages in enumerate(_keeping(rule)):
        for package in packages:
            found.setdefault(package, []).append(number)
    return {package: frozenset(numbers) for package, numbers in found.items()}


def _is_apart(rule: ResolvedRule, one: _Position, other: _Position) -> bool:
    """Whether a rule keeps two packages apart: they are on different sides, or in one set."""
    return rule.is_at_most_one or len(one | other) > 1
