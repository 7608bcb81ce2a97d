"""What a rule selects, to be remembered: what changes in it later waits until it is approved. Pure.

A rule's selection is remembered under a hash of what the rule selects by and asks for. So a rule
that is changed starts anew, and a change to another rule, a title or an exception approves nothing.
"""

from __future__ import annotations

import hashlib
import operator
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec

from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.rules.language import Mode
from entra_sod.domain.rules.resolve import ResolvedRule


class RuleSelection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a rule selected when that was reviewed.

    Attributes:
        sides: ids of the packages of each side, sorted; a set is one side.
        groups: that count for the rule, by the package that grants them; of those that were read.
    """

    sides: tuple[tuple[str, ...], ...]
    groups: dict[str, tuple[str, ...]] = {}
    version: Literal[1] = 1

    @property
    def packages(self) -> frozenset[str]:
        return frozenset().union(*self.sides)

    def with_read(self, groups: Mapping[str, tuple[str, ...]]) -> RuleSelection:
        """Return the same with the groups of its packages whose grants were not read before."""
        new = {key: groups[key] for key in self.packages & groups.keys() - self.groups.keys()}
        return RuleSelection(self.sides, {**self.groups, **new}) if new else self

    def without(self, gone: Collection[str]) -> RuleSelection:
        sides = tuple(tuple(each for each in side if each not in gone) for side in self.sides)
        groups = {key: each for key, each in self.groups.items() if key not in gone}
        return RuleSelection(sides, groups)

    def grown(self, now: RuleSelection) -> RuleSelection:
        pairs = zip(self.sides, now.sides, strict=True)
        sides = tuple(tuple(sorted({*one, *other})) for one, other in pairs)
        return RuleSelection(sides, {**self.groups, **now.groups})


def selection_key(rule: ResolvedRule) -> str:
    """Name what a rule selects by and asks for, whatever that means in the tenant."""
    written, classes = rule.rule, sorted(rule.classes.items())
    forms = [written.between, written.at_most, written.all_of, written.at_most_sides]
    selects = [written.id, *forms, written.requires, classes]
    asks = [written.mode, written.references, written.eligible, written.all_packages]
    return hashlib.sha256(msgspec.json.encode([*selects, *asks])).hexdigest()


def selection_of(rule: ResolvedRule, packages: Mapping[str, AccessPackage]) -> RuleSelection:
    """Return what a rule selects, with what those of its packages grant that were read."""
    sides = tuple(tuple(sorted(side)) for side in rule.package_sides)
    read = sorted(frozenset().union(*sides) & packages.keys())
    return RuleSelection(
        sides, {each: tuple(sorted(rule.groups_of(packages[each]))) for each in read}
    )


def next_selection(
    known: RuleSelection | None,
    rule: ResolvedRule,
    packages: Mapping[str, AccessPackage],
    *,
    gone: Collection[str] = (),
    is_sweep: bool,
) -> RuleSelection:
    """Return what is to be remembered of a rule, without an approval.

    What is met for the first time counts as reviewed: a rule, or what a package of it grants. A
    rule that does not enforce, or is found only, grows with every sweep: nothing is written for it.

    Args:
        known: what was remembered under the rule's key.
        rule: in force.
        packages: that were read, with the groups that they grant.
        gone: packages that do not exist; those that patterns or ids still fit stay all the same.
        is_sweep: whether a sweep asks, which has read every package.
    """
    now = selection_of(rule, packages)
    if known is None:
        return now
    left = known.packages.intersection(gone).difference(*rule.selected_sides)
    if rule.rule.mode is Mode.ENFORCE and not rule.is_found_only:
        return (known.without(left) if left else known).with_read(now.groups)
    return known.grown(now).without(left) if is_sweep else known.with_read(now.groups)


def with_left(rule: ResolvedRule, known: RuleSelection) -> ResolvedRule:
    """Return a rule with the packages of its selection that its patterns do not fit any more."""
    kept = tuple(map(operator.sub, map(frozenset, known.sides), rule.package_sides))
    return rule.keeping(kept) if any(kept) else rule


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionChange:
    """How what a rule selects differs from what was reviewed.

    Attributes:
        joined: packages on a side on which they were not.
        left: packages that were on a side on which they are not.
        joined_groups: by group, a package that grants it and did not, or has joined.
        left_groups: by group, a package that granted it and does not.
    """

    joined: frozenset[str]
    left: frozenset[str]
    joined_groups: Mapping[str, str]
    left_groups: Mapping[str, str]

    @property
    def ids(self) -> frozenset[str]:
        return self.joined.union(self.left, self.joined_groups, self.left_groups)

    def told(self, each: str, named: Callable[[str], str]) -> str:
        """Say what has become of a package or a group; nothing if it has not changed."""
        if each in self.joined:
            return f"{named(each)} has joined"
        if each in self.left:
            return f"{named(each)} has left"
        if grantor := self.joined_groups.get(each):
            told = self.told(grantor, named) if grantor in self.joined else ""
            return told or f"{named(grantor)} has come to grant group {each}"
        granted = self.left_groups.get(each)
        return f"{named(granted)} does not grant group {each} any more" if granted else ""


def selection_change(
    known: RuleSelection, rule: ResolvedRule, packages: Mapping[str, AccessPackage]
) -> SelectionChange:
    """Compare what was reviewed of a rule with what it selects, and what packages grant, now."""
    before, now = list(map(frozenset, known.sides)), selection_of(rule, packages)
    joined = frozenset[str]().union(*map(operator.sub, rule.package_sides, before))
    joined_groups, left_groups = dict[str, str](), dict[str, str]()
    for package, groups in now.groups.items():
        # On another side than before, all that it grants is new.
        before_it = known.groups.get(package, ())
        old = () if package in joined else before_it
        joined_groups |= dict.fromkeys(set(groups).difference(old), package)
        left_groups |= dict.fromkeys(set(before_it).difference(groups), package)
    return SelectionChange(
        joined=joined,
        left=frozenset().union(*map(operator.sub, before, rule.selected_sides)),
        joined_groups=joined_groups,
        left_groups=left_groups,
    )
