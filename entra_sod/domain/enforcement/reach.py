"""How far Entra enforces each rule once a plan is written, and why no further. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum

import msgspec

from entra_sod.domain.enforcement.guard import HeldReference
from entra_sod.domain.enforcement.rule_reach import why_in_part, why_not_at_all
from entra_sod.domain.enforcement.without_effect import find_without_effect
from entra_sod.domain.entra import AccessPackage, Reference
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
    if why := why_not_at_all(rule, empty):
        return RuleEnforcement(rule=rule.id, reach=EnforcementReach.FOUND_ONLY, why=why)
    reasons = list(why_in_part(rule, rules, packages))
    if rule.id in waiting:
        reasons.append("references that it asks for are held")
    reach = EnforcementReach.IN_PART if reasons else EnforcementReach.ENFORCED
    return RuleEnforcement(rule=rule.id, reach=reach, why="; ".join(reasons))
