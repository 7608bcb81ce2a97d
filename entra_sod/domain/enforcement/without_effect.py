"""Rules under enforce that ask for groups, of which no side has any. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import permutations

from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.rules.language import Mode, References
from entra_sod.domain.rules.resolve import ResolvedRule

ENFORCES_NOTHING = (
    "enforces nothing: references are to groups only, and neither side grants membership of a "
    "security group that the other does not grant. App roles, sites, owners and Microsoft 365 "
    "groups are none, and eligible members only with eligible: true. Say references: packages."
)


def wants_groups_only(rule: ResolvedRule) -> bool:
    """Whether a rule writes references to groups and to nothing else."""
    return rule.rule.mode is Mode.ENFORCE and rule.rule.references is References.GROUPS


def find_without_effect(
    rules: Iterable[ResolvedRule], packages: Mapping[str, AccessPackage]
) -> Iterator[ResolvedRule]:
    """Each such rule that is known to ask for no reference.

    Args:
        rules: in force.
        packages: that were read, with the groups that they grant.
    """
    for rule in filter(wants_groups_only, rules):
        named = frozenset().union(*(side.packages for side in rule.sides))
        if named and named <= packages.keys() and not _has_effect(rule, packages):
            yield rule


def _has_effect(rule: ResolvedRule, packages: Mapping[str, AccessPackage]) -> bool:
    # What can be held against other sides: what a side names, and what its packages grant.
    groups = [
        side.groups.union(*(rule.groups_of(packages[each]) for each in side.packages))
        for side in rule.sides
    ]
    return any(
        groups[other] - packages[on].groups
        for one, other in permutations(range(len(groups)), 2)
        if groups[other]
        for on in rule.sides[one].packages
    )
