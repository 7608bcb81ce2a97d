"""Holds references that are wanted, or no longer wanted, only for what was not reviewed. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations

from entra_sod.domain.enforcement.desired import DesiredReference
from entra_sod.domain.enforcement.guard import WriteGuard
from entra_sod.domain.entra import AccessPackage, Reference, ReferenceKind
from entra_sod.domain.rules.language import Mode
from entra_sod.domain.rules.resolve import ResolvedRule, ResolvedSide
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.domain.rules.selection import (
    RuleSelection,
    SelectionChange,
    selection_change,
    selection_key,
)

APPROVE = "entra-sod selection approve --rule"


@dataclass(frozen=True, kw_only=True)
class ReviewedRule:
    """An enforcing rule as it was reviewed, and what has changed since."""

    rule: ResolvedRule
    selection: RuleSelection
    change: SelectionChange

    def asks_for(self, reference: Reference) -> bool:
        """Whether a reference is between what was reviewed: a package, and what stands against."""
        return any(
            self._stands_against(other, reference)
            for one, other in self._opposing
            if reference.on in one.packages
        )

    def _stands_against(self, side: ResolvedSide, reference: Reference) -> bool:
        on, target = reference.on, reference.target
        if reference.kind is ReferenceKind.PACKAGE:
            return target in side.packages and target != on
        if target in self.selection.groups.get(on, ()):
            return False  # its own holders could not renew it
        return target in side.groups or bool(
            (self._grantors.get(target, set()) & side.packages) - {on}
        )

    @cached_property
    def _opposing(self) -> Collection[tuple[ResolvedSide, ResolvedSide]]:
        """Each side with each that it faces; the packages of a set face one another."""
        packages = map(frozenset, self.selection.sides)
        if self.rule.is_at_most_one:
            return [(side, side) for side in (ResolvedSide(each, frozenset()) for each in packages)]
        groups = (side.groups for side in self.rule.sides)
        return [*permutations(map(ResolvedSide, packages, groups), 2)]

    @cached_property
    def _grantors(self) -> Mapping[str, set[str]]:
        found: dict[str, set[str]] = {}
        for package, groups in self.selection.groups.items():
            for group in groups:
                found.setdefault(group, set()).add(package)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionGuard:
    """Looks at references that end in something that joined or left since it was reviewed.

    Attributes:
        reviewed: every enforcing rule, by its id.
        changed: packages and groups that joined or left some of them.
        packages: for their names.
        gone: packages and groups that do not exist.
    """

    rules: RuleSet
    reviewed: Mapping[str, ReviewedRule]
    changed: frozenset[str]
    packages: Mapping[str, AccessPackage]
    gone: AbstractSet[str]

    def why_held(self, addition: DesiredReference) -> str | None:
        """A reference is held if each rule asks for it only because of what was not reviewed."""
        reference = addition.reference
        if self.changed.isdisjoint((reference.on, reference.target)):
            return None
        asking = [self.reviewed[each] for each in addition.rule_ids if each in self.reviewed]
        if not asking or any(each.asks_for(reference) for each in asking):
            return None
        return self._why(reference, asking[0])

    def why_kept(self, removal: Reference) -> str | None:
        """A reference of ours stays if a rule asked for it by what was reviewed."""
        ends = (removal.on, removal.target)
        if self.changed.isdisjoint(ends) or not self.gone.isdisjoint(ends):
            return None
        asking = (each for each in self.reviewed.values() if not each.change.ids.isdisjoint(ends))
        rule = next((each for each in asking if each.asks_for(removal)), None)
        return self._why(removal, rule) if rule else None

    def _why(self, reference: Reference, reviewed: ReviewedRule) -> str:
        ends = (reference.target, reference.on)
        told = [reviewed.change.told(each, self._named) for each in ends]
        what = next(filter(None, told), "what it selects has changed")
        rule = reviewed.rule.id
        return f"rule {rule}: {what} since it was reviewed: {APPROVE} {rule}"

    def _named(self, package: str) -> str:
        return self.rules.named(package, self.packages)


def hold_changes(
    rules: RuleSet,
    selections: Mapping[str, RuleSelection],
    packages: Mapping[str, AccessPackage],
    gone: AbstractSet[str] = frozenset(),
) -> Iterable[WriteGuard]:
    """Return the guard of what was reviewed, where anything has changed since.

    Args:
        rules: in force.
        selections: what was reviewed, by the id of its rule.
        packages: that were read, with the groups that they grant.
        gone: packages and groups that do not exist.
    """
    return guard_changes(rules, reviewed_rules(rules, selections, packages), packages, gone)


def reviewed_rules(
    rules: RuleSet,
    selections: Mapping[str, RuleSelection],
    packages: Mapping[str, AccessPackage],
) -> Mapping[str, ReviewedRule]:
    """Compare every enforcing rule with what was reviewed of it; by the rule's id."""
    return {
        rule.id: ReviewedRule(
            rule=rule,
            selection=selections[rule.id],
            change=selection_change(selections[rule.id], rule, packages),
        )
        for rule in rules.rules
        if rule.rule.mode is Mode.ENFORCE and rule.id in selections
    }


def guard_changes(
    rules: RuleSet,
    reviewed: Mapping[str, ReviewedRule],
    packages: Mapping[str, AccessPackage],
    gone: AbstractSet[str] = frozenset(),
) -> Iterable[WriteGuard]:
    """Return the guard of rules that were compared, where anything has changed."""
    changed = frozenset[str]().union(*(each.change.ids for each in reviewed.values()))
    if not changed:
        return ()
    return (
        SelectionGuard(
            rules=rules, reviewed=reviewed, changed=changed, packages=packages, gone=gone
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldChange:
    """How what a rule selects differs from what was reviewed, to be told to people.

    Attributes:
        rule: its id.
        key: names what the rule selects by; a rule that is changed has another.
        joined: ids of packages and groups.
        left: ids of packages and groups.
        is_whole: whether all of the rule's packages were read, so that nothing else has changed.
    """

    rule: str
    key: str
    joined: frozenset[str]
    left: frozenset[str]
    is_whole: bool = True


def held_changes(
    reviewed: Mapping[str, ReviewedRule], read: Collection[str], gone: AbstractSet[str]
) -> Sequence[HeldChange]:
    """Return each rule that has changed since it was reviewed, or of which not all was read.

    Args:
        reviewed: every enforcing rule, by its id.
        read: ids of the packages that were read.
        gone: ids of packages that do not exist.
    """
    unread = {
        key: each.selection.packages.union(*each.rule.package_sides).difference(read, gone)
        for key, each in reviewed.items()
    }
    return [
        HeldChange(
            rule=key,
            key=selection_key(each.rule),
            joined=each.change.joined.union(each.change.joined_groups),
            left=each.change.left.union(each.change.left_groups),
            is_whole=not unread[key],
        )
        for key, each in reviewed.items()
        if each.change.ids or unread[key]
    ]
