"""Rules resolved: which pairs are to be kept apart, how strictly, and by which rules."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations, product

import msgspec

from functions.entra import Pair
from functions.rules.language import Mode, References, Rule, Selector, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """What all rules together ask of one pair.

    `groups` has, for each package, the groups that its own side names: they are kept from getting
    the other package.
    """

    pair: Pair
    rules: tuple[Rule, ...]
    mode: Mode
    references: References
    groups: Mapping[str, frozenset[str]]

    @property
    def rule_ids(self) -> tuple[str, ...]:
        return tuple(rule.id for rule in self.rules)

    @property
    def named_groups(self) -> frozenset[str]:
        """Every group that a side of its rules names, written or not."""
        return _named_groups(self.rules)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """Groups whose members may not get a package, from sides that consist of groups only."""

    package: str
    groups: frozenset[str]
    rule_ids: tuple[str, ...]


class RuleSet:
    """The rules in force.

    Attributes:
        rules: in order of their ids.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = tuple(sorted(rules, key=lambda rule: rule.id))

    @cached_property
    def hash(self) -> str:
        """Names this version of the rules: equal rules in any order have equal hashes."""
        return "sha256:" + hashlib.sha256(msgspec.json.encode(self.rules)).hexdigest()

    @cached_property
    def duties(self) -> Mapping[Pair, Duty]:
        """Every pair that some rule keeps apart, in order."""
        duties: dict[Pair, Duty] = {}
        for rule in self.rules:
            for asked in _asked_by(rule):
                present = duties.get(asked.pair)
                duties[asked.pair] = _merged(present, asked) if present else asked
        return dict(sorted(duties.items()))

    @cached_property
    def guards(self) -> Mapping[str, Guard]:
        """Every package that enforcing rules keep from the members of groups, in order."""
        guards: dict[str, Guard] = {}
        for rule in self.rules:
            for package, groups in _guarded_by(rule):
                present = guards.get(package)
                guards[package] = Guard(
                    package=package,
                    groups=groups | (present.groups if present else frozenset()),
                    rule_ids=_joined(present.rule_ids if present else (), rule.id),
                )
        return dict(sorted(guards.items()))

    @property
    def named_groups(self) -> frozenset[str]:
        """Every group that a side of some rule names."""
        return _named_groups(self.rules)


def _named_groups(rules: Iterable[Rule]) -> frozenset[str]:
    return frozenset(
        group for rule in rules for side in rule.between for group in _ids(side.groups)
    )


def _asked_by(rule: Rule) -> Iterator[Duty]:
    """Every holder of one side against every holder of each other side."""
    for one, other in combinations(rule.between, 2):
        for package, against in product(sorted(_ids(one.packages)), sorted(_ids(other.packages))):
            if package != against:
                yield Duty(
                    pair=Pair.of(package, against),
                    rules=(rule,),
                    mode=rule.mode,
                    references=rule.references,
                    groups={package: _enforced(rule, one), against: _enforced(rule, other)},
                )


def _enforced(rule: Rule, side: Side) -> frozenset[str]:
    """A side's groups, where the rule wants them written."""
    wanted = rule.mode is Mode.ENFORCE and rule.references.wants_groups
    return _ids(side.groups) if wanted else frozenset()


def _merged(present: Duty, asked: Duty) -> Duty:
    return replace(
        present,
        rules=_joined(present.rules, asked.rules[0]),
        mode=max(present.mode, asked.mode, key=lambda mode: mode.strictness),
        references=present.references.widened(asked.references),
        groups={package: present.groups[package] | asked.groups[package] for package in asked.pair},
    )


def _guarded_by(rule: Rule) -> Iterator[tuple[str, frozenset[str]]]:
    for one, other in combinations(rule.between, 2):
        for side, facing in ((one, other), (other, one)):
            groups = _enforced(rule, side)
            if groups and not side.packages:
                for package in sorted(_ids(facing.packages)):
                    yield package, groups


def _joined[T](present: tuple[T, ...], new: T) -> tuple[T, ...]:
    return present if new in present else (*present, new)


def _ids(selectors: Iterable[Selector]) -> frozenset[str]:
    return frozenset(str(selector.id) for selector in selectors)
