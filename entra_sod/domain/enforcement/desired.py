"""Which references a pair asks for: both directions, both kinds. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from entra_sod.domain.entra import AccessPackage, Reference, ReferenceKind
from entra_sod.domain.rules.language import Mode
from entra_sod.domain.rules.ruleset import Duty, Guard, Terms


# A struct, as there are millions: made in a fifth of a dataclass's time. It refers to nothing that
# could refer back, so the garbage collector need not go through them.
class DesiredReference(msgspec.Struct, frozen=True, order=True, gc=False):
    """A reference and the ids of the rules that ask for it, in order."""

    reference: Reference
    rule_ids: tuple[str, ...]


def desired_by_duty(
    duty: Duty, packages: Mapping[str, AccessPackage]
) -> tuple[DesiredReference, ...]:
    """References, in order, that keep each package of a pair from the holders of the other.

    Args:
        duty: what the rules ask of the pair; without the mode `enforce` it asks for nothing.
        packages: both packages of the pair, with the groups they grant.
    """
    if duty.mode is not Mode.ENFORCE:
        return ()
    terms, low, high = duty.terms, packages[duty.pair.low], packages[duty.pair.high]
    on_low = _groups(on=low, other=high, named=terms.high_groups, terms=terms)
    on_high = _groups(on=high, other=low, named=terms.low_groups, terms=terms)
    return (
        *_on(duty.pair.low, on_low, duty.pair.high, terms),
        *_on(duty.pair.high, on_high, duty.pair.low, terms),
    )


def _groups(
    on: AccessPackage, other: AccessPackage, named: frozenset[str], terms: Terms
) -> frozenset[str]:
    """Groups to hold against `on`: whoever has `other` is in one, or its side names them."""
    if not terms.references.wants_groups:
        return frozenset()
    groups = other.member_groups | named
    if terms.counts_eligible:
        groups |= other.eligible_groups
    return groups - _granted(on)


def _on(on: str, groups: frozenset[str], other: str, terms: Terms) -> list[DesiredReference]:
    # In the order of references, groups before packages, without comparing references: this runs
    # for each of millions of pairs, and strings compare faster.
    rule_ids = terms.rule_ids
    found = [
        DesiredReference(Reference(on, ReferenceKind.GROUP, group), rule_ids)
        for group in sorted(groups)
    ]
    if terms.references.wants_packages:
        found.append(DesiredReference(Reference(on, ReferenceKind.PACKAGE, other), rule_ids))
    return found


def _granted(package: AccessPackage) -> frozenset[str]:
    """Groups that must not be held against a package: its own holders could not renew."""
    return package.member_groups | package.eligible_groups


def desired_by_guard(guard: Guard, package: AccessPackage) -> tuple[DesiredReference, ...]:
    """References that keep a package from the members of groups that rules name."""
    return tuple(
        DesiredReference(Reference(guard.package, ReferenceKind.GROUP, group), guard.rule_ids)
        for group in sorted(guard.groups - _granted(package))
    )
