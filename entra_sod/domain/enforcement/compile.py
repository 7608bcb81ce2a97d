"""Rules and the packages they speak of → every reference they ask for. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from entra_sod.domain.enforcement.desired import DesiredReference, desired_on
from entra_sod.domain.entra import AccessPackage, Reference
from entra_sod.domain.rules.ruleset import RuleSet


@dataclass(frozen=True, slots=True, kw_only=True)
class NotEnforceable:
    """Something that a rule asks for and Entra's references cannot do, or not here."""

    what: str
    why: str


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


def not_enforceable(
    rules: RuleSet, packages: Mapping[str, AccessPackage]
) -> tuple[NotEnforceable, ...]:
    """What stays to be detected, and to be said: Entra will not refuse it."""
    too_many = [
        NotEnforceable(
            what=f"rule {each.id}: at most {each.count} of {len(each.set_of)} packages",
            why="Entra's references allow none or all of a pair, not some of many",
        )
        for each in rules.inexpressible
    ]
    excepted = [
        NotEnforceable(
            what=f"exception {each.id} of subject {each.subject} from rule {each.rule}",
            why="Entra's references know no exceptions: it refuses this subject as well",
        )
        for each in rules.exceptions
    ]
    unreadable = [
        NotEnforceable(what=f"access package {package}", why="the app may not read it")
        for package in sorted(packages_in_view(rules) - packages.keys())
    ]
    return (*too_many, *excepted, *unreadable)


def kept(references: Collection[Reference], unread: Collection[str]) -> tuple[NotEnforceable, ...]:
    """What is ours and stays although no rule seems to ask for it, as not all could be read."""
    if not references:
        return ()
    what = f"removing {len(references)} references that no rule seems to ask for"
    why = (
        f"what packages ask for that the app may not read is not known: {', '.join(sorted(unread))}"
    )
    return (NotEnforceable(what=what, why=why),)
