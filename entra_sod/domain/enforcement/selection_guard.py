"""Holds references that are wanted, or not wanted any more, only for what nobody reviewed. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
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
from entra_sod.domain.rules.selection import RuleSelection, SelectionChange, selection_change

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
        """A reference is held if each rule asks for it only because of what nobody reviewed."""
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
    reviewed = {
        rule.id: ReviewedRule(
            rule=rule,
            selection=selections[rule.id],
            change=selection_change(selections[rule.id], rule, packages),
        )
        for rule in rules.rules
        if rule.rule.mode is Mode.ENFORCE and rule.id in selections
    }
    changed = frozenset[str]().union(*(each.change.ids for each in reviewed.values()))
    if not changed:
        return ()
    return (
        SelectionGuard(
            rules=rules, reviewed=reviewed, changed=changed, packages=packages, gone=gone
        ),
    )
