"""Which references a pair asks for: both directions, both kinds. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from functions.entra import AccessPackage, Reference, ReferenceKind
from functions.rules.language import Mode
from functions.rules.ruleset import Duty, Guard


@dataclass(frozen=True, slots=True, order=True)
class DesiredReference:
    """A reference and the ids of the rules that ask for it."""

    reference: Reference
    rule_ids: tuple[str, ...]


def desired_by_duty(
    duty: Duty, packages: Mapping[str, AccessPackage]
) -> tuple[DesiredReference, ...]:
    """References that keep each package of a pair from the holders of the other.

    Args:
        duty: what the rules ask of the pair; without the mode `enforce` it asks for nothing.
        packages: both packages of the pair, with the groups they grant.
    """
    if duty.mode is not Mode.ENFORCE:
        return ()
    found = {reference for on in duty.pair for reference in _on(on, duty, packages)}
    return tuple(DesiredReference(reference, duty.rule_ids) for reference in sorted(found))


def _on(on: str, duty: Duty, packages: Mapping[str, AccessPackage]) -> Iterator[Reference]:
    other = duty.pair.other(on)
    if duty.references.wants_packages:
        yield Reference(on, ReferenceKind.PACKAGE, other)
    if duty.references.wants_groups:
        groups = packages[other].member_groups | duty.groups[other]
        if duty.counts_eligible:
            groups |= packages[other].eligible_groups
        for group in groups - _granted(packages[on]):
            yield Reference(on, ReferenceKind.GROUP, group)


def _granted(package: AccessPackage) -> frozenset[str]:
    """Groups that must not be held against a package: its own holders could not renew."""
    return package.member_groups | package.eligible_groups


def desired_by_guard(guard: Guard, package: AccessPackage) -> tuple[DesiredReference, ...]:
    """References that keep a package from the members of groups that rules name."""
    return tuple(
        DesiredReference(Reference(guard.package, ReferenceKind.GROUP, group), guard.rule_ids)
        for group in sorted(guard.groups - _granted(package))
    )
