"""Rules resolved: which pairs are to be kept apart, how strictly, and by which rules. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations, product

import msgspec

from functions.entra import Pair
from functions.rules.language import Mode, References, Rule
from functions.rules.resolve import ResolvedRule, ResolvedSide


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
    named_groups: frozenset[str] = frozenset()

    @property
    def rule_ids(self) -> tuple[str, ...]:
        return tuple(rule.id for rule in self.rules)

    @property
    def counts_eligible(self) -> bool:
        """Whether groups count that a package makes people eligible members of."""
        return any(rule.eligible for rule in self.rules)


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

    def __init__(self, rules: Iterable[ResolvedRule]) -> None:
        self.rules = tuple(sorted(rules, key=lambda rule: rule.id))

    @cached_property
    def hash(self) -> str:
        """Names this version of the rules: equal rules in any order have equal hashes."""
        return _sha256(msgspec.json.encode([each.rule for each in self.rules]))

    @cached_property
    def scope_hash(self) -> str:
        """Names the pairs and guarded packages: it changes when a pattern fits other packages."""
        packages = [[pair.low, pair.high] for pair in self.duties], list(self.guards)
        return _sha256(msgspec.json.encode([self.hash, packages]))

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

    @cached_property
    def inexpressible(self) -> tuple[ResolvedRule, ...]:
        """Rules that Entra's references cannot express: more than one of many allowed."""
        return tuple(rule for rule in self.rules if rule.count > 1)

    @property
    def named_groups(self) -> frozenset[str]:
        """Every group that a side of some rule names."""
        return frozenset(
            group for rule in self.rules for side in rule.sides for group in side.groups
        )


def _sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _asked_by(resolved: ResolvedRule) -> Iterator[Duty]:
    """Every holder of one side against every holder of each other side."""
    rule = resolved.rule
    named = frozenset(group for side in resolved.sides for group in side.groups)
    for one, other in combinations(resolved.sides, 2):
        ours, theirs = _enforced(rule, one), _enforced(rule, other)
        for package, against in product(sorted(one.packages), sorted(other.packages)):
            if package != against:
                yield Duty(
                    pair=Pair.of(package, against),
                    rules=(rule,),
                    mode=rule.mode,
                    references=rule.references,
                    groups={package: ours, against: theirs},
                    named_groups=named,
                )


def _enforced(rule: Rule, side: ResolvedSide) -> frozenset[str]:
    """A side's groups, where the rule wants them written."""
    wanted = rule.mode is Mode.ENFORCE and rule.references.wants_groups
    return side.groups if wanted else frozenset()


def _merged(present: Duty, asked: Duty) -> Duty:
    return replace(
        present,
        rules=_joined(present.rules, asked.rules[0]),
        mode=max(present.mode, asked.mode, key=lambda mode: mode.strictness),
        references=present.references.widened(asked.references),
        groups={package: present.groups[package] | asked.groups[package] for package in asked.pair},
        named_groups=present.named_groups | asked.named_groups,
    )


def _guarded_by(resolved: ResolvedRule) -> Iterator[tuple[str, frozenset[str]]]:
    for one, other in combinations(resolved.sides, 2):
        for side, facing in ((one, other), (other, one)):
            groups = _enforced(resolved.rule, side)
            if groups and not side.packages:
                for package in sorted(facing.packages):
                    yield package, groups


def _joined[T](present: tuple[T, ...], new: T) -> tuple[T, ...]:
    return present if new in present else (*present, new)
