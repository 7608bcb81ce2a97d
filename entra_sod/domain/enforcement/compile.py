"""Rules and the packages they speak of → every reference they ask for. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from entra_sod.domain.enforcement.desired import DesiredReference, desired_on
from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.rules.ruleset import RuleSet


def packages_in_view(rules: RuleSet) -> frozenset[str]:
    """Every package that some rule keeps apart from another, or from the members of groups."""
    return frozenset(rules.guards) | rules.duties.packages


def compile_references(
    rules: RuleSet, packages: Mapping[str, AccessPackage]
) -> Iterator[DesiredReference]:
    """Yield what the rules ask for, in order, each reference once.

    Args:
        rules: in force.
        packages: with the groups that they grant; pairs with one that is missing are left out.
    """
    for on in sorted(packages_in_view(rules) & packages.keys()):
        yield from references_on(on, rules, packages)


def references_on(
    on: str, rules: RuleSet, packages: Mapping[str, AccessPackage]
) -> Sequence[DesiredReference]:
    """What the rules ask for on one package, in order; nothing where it is not among `packages`."""
    if on not in packages:
        return ()
    return desired_on(packages[on], rules.duties.facing(on), rules.guards.get(on), packages)
