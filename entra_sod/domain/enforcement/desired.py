"""Which references a pair, or a package, asks for: both directions, both kinds. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from entra_sod.domain.entra import AccessPackage, Reference, ReferenceKind
from entra_sod.domain.rules.language import Mode
from entra_sod.domain.rules.ruleset import ConstraintTerms, GroupBlock, PairConstraint, RuleSet


# A struct, as there are millions: made in a fifth of a dataclass's time. It refers to nothing that
# could refer back, so the garbage collector need not go through them.
class DesiredReference(msgspec.Struct, frozen=True, order=True, gc=False):
    """A reference and the ids of the rules that ask for it, in order."""

    reference: Reference
    rule_ids: tuple[str, ...]


def packages_in_view(rules: RuleSet) -> frozenset[str]:
    """Every package that some rule keeps apart from another, or from the members of groups."""
    return frozenset(rules.group_blocks) | rules.constraints.packages


def references_on(
    on: str, rules: RuleSet, packages: Mapping[str, AccessPackage]
) -> Sequence[DesiredReference]:
    """What the rules ask for on one package, in order; nothing where it is not among `packages`."""
    if on not in packages:
        return ()
    return desired_on(
        packages[on], rules.constraints.facing(on), rules.group_blocks.get(on), packages
    )


def desired_by_constraint(
    constraint: PairConstraint, packages: Mapping[str, AccessPackage]
) -> tuple[DesiredReference, ...]:
    """References, in order, that keep each package of a pair from the holders of the other.

    Args:
        constraint: what the rules ask of the pair; without the mode `enforce` it asks for nothing.
        packages: both packages of the pair, with the groups they grant.
    """
    low, high = packages[constraint.pair.low], packages[constraint.pair.high]
    return (
        *desired_on(low, {high.id: constraint.terms}, None, packages),
        *desired_on(high, {low.id: constraint.terms.turned}, None, packages),
    )


def _groups(on: AccessPackage, other: AccessPackage, terms: ConstraintTerms) -> frozenset[str]:
    """Groups to hold against `on`: a holder of `other` is in one, or its side names them."""
    if not terms.references.wants_groups:
        return frozenset()
    groups = other.member_groups | terms.high_groups
    if terms.counts_eligible:
        groups |= other.eligible_groups
    # Held against its own holders, they could not renew.
    return groups - on.groups


def desired_on(
    on: AccessPackage,
    opposing: Mapping[str, ConstraintTerms],
    group_block: GroupBlock | None,
    packages: Mapping[str, AccessPackage],
) -> Sequence[DesiredReference]:
    """All references on one package, in order, each once.

    Args:
        on: the package, with the groups it grants.
        opposing: the packages that rules keep it apart from; the low side of the terms is its own.
        group_block: groups that rules keep it from, where there are any.
        packages: that were read; others are left out.
    """
    groups: dict[str, tuple[str, ...]] = {}
    targets: list[tuple[str, tuple[str, ...]]] = []
    for other, terms in opposing.items():
        if terms.mode is not Mode.ENFORCE or other not in packages:
            continue
        for group in _groups(on, packages[other], terms):
            groups[group] = _with_ids(groups.get(group), terms.rule_ids)
        if terms.references.wants_packages:
            targets.append((other, terms.rule_ids))
    for group in group_block.groups - on.groups if group_block else ():
        groups[group] = _with_ids(groups.get(group), group_block.rule_ids if group_block else ())
    return [
        *_references(on.id, ReferenceKind.GROUP, groups.items()),
        *_references(on.id, ReferenceKind.PACKAGE, targets),
    ]


def _with_ids(present: tuple[str, ...] | None, rule_ids: tuple[str, ...]) -> tuple[str, ...]:
    if present is None or present == rule_ids:
        return rule_ids
    return tuple(sorted({*present, *rule_ids}))


def _references(
    on: str, kind: ReferenceKind, targets: Iterable[tuple[str, tuple[str, ...]]]
) -> Iterator[DesiredReference]:
    for target, rule_ids in sorted(targets):
        yield DesiredReference(Reference(on, kind, target), rule_ids)
