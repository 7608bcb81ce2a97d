"""What a rule selects, to be remembered: what changes in it later waits until it is approved. Pure.

A rule's selection is remembered under a hash of what the rule selects by and asks for. So a rule
that is changed starts anew, and a change to another rule, a title or an exception approves nothing.
"""

from __future__ import annotations

import hashlib
import operator
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal

import msgspec

from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.rules.language import Mode
from entra_sod.domain.rules.resolve import ResolvedRule


class RuleSelection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a rule selected when that was reviewed.

    Attributes:
        sides: ids of the packages of each side, sorted; a set is one side.
        groups: that count for the rule, by the package that grants them, sorted; of packages whose
            grants have been read.
    """

    sides: tuple[tuple[str, ...], ...]
    groups: dict[str, tuple[str, ...]] = {}
    version: Literal[1] = 1

    @property
    def packages(self) -> frozenset[str]:
        return frozenset(chain.from_iterable(self.sides))

    def without(self, gone: Collection[str]) -> RuleSelection:
        """Return the same without packages that do not exist."""
        if self.packages.isdisjoint(gone):
            return self
        sides = tuple(tuple(each for each in side if each not in gone) for side in self.sides)
        groups = {key: each for key, each in self.groups.items() if key not in gone}
        return RuleSelection(sides, groups)

    def with_read(self, groups: Mapping[str, tuple[str, ...]]) -> RuleSelection:
        """Return the same with the groups of its packages whose grants were not read before."""
        new = {key: groups[key] for key in self.packages & groups.keys() - self.groups.keys()}
        return RuleSelection(self.sides, {**self.groups, **new}) if new else self

    def grown(self, now: RuleSelection) -> RuleSelection:
        """Return the same with all that is selected now."""
        pairs = zip(self.sides, now.sides, strict=True)
        sides = tuple(tuple(sorted({*one, *other})) for one, other in pairs)
        return RuleSelection(sides, {**self.groups, **now.groups})


def selection_key(rule: ResolvedRule) -> str:
    """Name what a rule selects by and asks for, whatever that means in the tenant."""
    written, classes = rule.rule, sorted(rule.classes.items())
    selects = [written.id, written.between, written.at_most, classes]
    asks = [written.mode, written.references, written.eligible, written.all_packages]
    return hashlib.sha256(msgspec.json.encode([*selects, *asks])).hexdigest()


def selection_of(rule: ResolvedRule, packages: Mapping[str, AccessPackage]) -> RuleSelection:
    """Return what a rule selects, those packages among it that are kept.

    Args:
        rule: in force.
        packages: that were read, with the groups that they grant.
    """
    sides = tuple(tuple(sorted(side)) for side in rule.package_sides)
    return RuleSelection(sides, dict(_groups(rule, packages)))


def _groups(
    rule: ResolvedRule, packages: Mapping[str, AccessPackage]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    for each in sorted(frozenset().union(*rule.package_sides) & packages.keys()):
        yield each, tuple(sorted(rule.groups_of(packages[each])))


def next_selection(
    known: RuleSelection | None,
    rule: ResolvedRule,
    packages: Mapping[str, AccessPackage],
    *,
    gone: Collection[str] = (),
    is_sweep: bool,
) -> RuleSelection:
    """Return what is to be remembered of a rule, without anybody's approval.

    What is met for the first time counts as reviewed: a rule, or what a package of it grants. A
    rule that does not enforce grows with every sweep, because nothing is written for it.

    Args:
        known: what was remembered under the rule's key.
        rule: in force.
        packages: that were read, with the groups that they grant.
        gone: packages that Graph says do not exist.
        is_sweep: whether a sweep asks, which has read every package.
    """
    now = selection_of(rule, packages)
    if known is None:
        return now
    left = frozenset(gone).difference(*_selected(rule))
    if rule.rule.mode is Mode.ENFORCE:
        return known.without(left).with_read(now.groups)
    return known.grown(now).without(left) if is_sweep else known


def _selected(rule: ResolvedRule) -> Sequence[frozenset[str]]:
    """The packages of each side that the rule's patterns and ids fit."""
    kept = rule.kept or (frozenset[str](),) * len(rule.package_sides)
    return [now - old for now, old in zip(rule.package_sides, kept, strict=True)]


def with_left(rule: ResolvedRule, known: RuleSelection) -> ResolvedRule:
    """Return a rule with the packages of its selection that its patterns do not fit any more."""
    pairs = zip(known.sides, rule.package_sides, strict=True)
    kept = tuple(frozenset(before) - now for before, now in pairs)
    return rule.keeping(kept) if any(kept) else rule


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionChange:
    """How what a rule selects differs from what was reviewed.

    Attributes:
        joined: packages on a side on which they were not.
        left: packages that were on a side on which they are not.
        joined_groups: by group, a package that grants it and did not.
        left_groups: by group, a package that granted it and does not.
    """

    joined: frozenset[str]
    left: frozenset[str]
    joined_groups: Mapping[str, str]
    left_groups: Mapping[str, str]

    @property
    def ids(self) -> frozenset[str]:
        return self.joined.union(self.left, self.joined_groups, self.left_groups)


def selection_change(
    known: RuleSelection, rule: ResolvedRule, packages: Mapping[str, AccessPackage]
) -> SelectionChange:
    """Compare what a rule selects now with what was reviewed.

    Args:
        known: what was reviewed.
        rule: in force.
        packages: that were read, with the groups that they grant.
    """
    known_sides = [frozenset(side) for side in known.sides]
    joined = frozenset[str]().union(*map(operator.sub, rule.package_sides, known_sides))
    left = frozenset[str]().union(*map(operator.sub, known_sides, _selected(rule)))
    joined_groups, left_groups = dict[str, str](), dict[str, str]()
    for package, groups in _groups(rule, packages):
        before = known.groups.get(package, ())
        joined_groups |= dict.fromkeys(frozenset(groups).difference(before), package)
        left_groups |= dict.fromkeys(frozenset(before).difference(groups), package)
    return SelectionChange(
        joined=joined, left=left, joined_groups=joined_groups, left_groups=left_groups
    )
