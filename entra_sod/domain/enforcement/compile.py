"""Rules and the packages they speak of → every reference they ask for. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from entra_sod.domain.enforcement.desired import DesiredReference, desired_by_duty, desired_by_guard
from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.rules.ruleset import RuleSet


def packages_in_view(rules: RuleSet) -> frozenset[str]:
    """Every package that some rule keeps apart from another, or from the members of groups."""
    return frozenset(rules.guards) | rules.duties.packages


def compile_references(
    rules: RuleSet, packages: Mapping[str, AccessPackage]
) -> Iterator[DesiredReference]:
    """Yield what the rules ask for, in the order of pairs, then of guarded packages.

    Args:
        rules: in force.
        packages: with the groups that they grant; pairs with one that is missing are left out.
    """
    for duty in rules.duties.in_order():
        if duty.pair.low in packages and duty.pair.high in packages:
            yield from desired_by_duty(duty, packages)
    for package, guard in rules.guards.items():
        if package in packages:
            yield from desired_by_guard(guard, packages[package])
