"""How far Entra enforces each rule once a plan is written, and why no further. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum

import msgspec

from entra_sod.domain.enforcement.guard import HeldReference
from entra_sod.domain.enforcement.without_effect import (
    ENFORCES_NOTHING,
    find_without_effect,
    wants_groups_only,
)
from entra_sod.domain.entra import AccessPackage, Reference
from entra_sod.domain.rules.language import Mode
from entra_sod.domain.rules.logic import why_found_only
from entra_sod.domain.rules.resolve import ResolvedRule
from entra_sod.domain.rules.ruleset import RuleSet


class EnforcementReach(StrEnum):
    """How far Entra itself refuses what a rule forbids."""

    ENFORCED = "enforced"
    IN_PART = "enforced in part"
    FOUND_ONLY = "found only"


class RuleEnforcement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far Entra enforces one rule once the plan is written.

    Attributes:
        why: it does not enforce all of it; empty where it does.
    """

    rule: str
    reach: EnforcementReach
    why: str = ""


def enforcement_of(
    rules: RuleSet,
    packages: Mapping[str, AccessPackage],
    held: Collection[HeldReference],
    asked: Mapping[Reference, Collection[str]],
) -> tuple[RuleEnforcement, ...]:
    """Say of each rule how far Entra enforces it.

    Args:
        rules: in force.
        packages: that were read, with the groups that they grant.
        held: references that are wanted and wait.
        asked: for each of them the ids of the rules that ask for it.
    """
    empty = {rule.id for rule in find_without_effect(rules.rules, packages)}
    waiting = {rule for each in held for rule in asked.get(each.reference, ())}
    return tuple(_of_rule(rule, rules, packages, empty, waiting) for rule in rules.rules)


def _of_rule(
    rule: ResolvedRule,
    rules: RuleSet,
    packages: Mapping[str, AccessPackage],
    empty: Collection[str],
    waiting: Collection[str],
) -> RuleEnforcement:
    if why := _why_not_at_all(rule, empty):
        return RuleEnforcement(rule=rule.id, reach=EnforcementReach.FOUND_ONLY, why=why)
    reasons = list(_why_in_part(rule, rules, packages))
    if rule.id in waiting:
        reasons.append("references that it asks for are held")
    reach = EnforcementReach.IN_PART if reasons else EnforcementReach.ENFORCED
    return RuleEnforcement(rule=rule.id, reach=reach, why="; ".join(reasons))


def _why_not_at_all(rule: ResolvedRule, empty: Collection[str]) -> str:
    if rule.is_found_only:
        return why_found_only(rule)
    if rule.rule.mode is not Mode.ENFORCE:
        return f"its mode is {rule.rule.mode}: references are written under enforce alone"
    return ENFORCES_NOTHING if rule.id in empty else ""


def _why_in_part(
    rule: ResolvedRule, rules: RuleSet, packages: Mapping[str, AccessPackage]
) -> Iterator[str]:
    unread = sorted(rule.packages - packages.keys())
    if unread:
        more = f" and {len(unread) - 1} more" if len(unread) > 1 else ""
        yield f"{rules.named(unread[0])}{more} could not be read"
    if rules.unlisted and rule.has_patterns:
        yield f"its patterns may fit more packages: {rules.unlisted}"
    if any(not side.packages for side in rule.sides):
        yield "Entra does not keep holders of a package out of the groups of a side"
    elif wants_groups_only(rule) and (first := _without_group(rule, packages)):
        yield f"references are to groups only, and {rules.named(first)} grants no group that counts"


def _without_group(rule: ResolvedRule, packages: Mapping[str, AccessPackage]) -> str | None:
    """The first package that grants no group to hold against other sides."""
    named = (side.packages for side in rule.sides if not side.groups)
    read = sorted(frozenset[str]().union(*named) & packages.keys())
    return next((each for each in read if not rule.groups_of(packages[each])), None)
