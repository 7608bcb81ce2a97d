"""How far references of Entra can enforce a rule, and why no further. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from entra_sod.domain.enforcement.without_effect import ENFORCES_NOTHING, wants_groups_only
from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.rules.language import Mode
from entra_sod.domain.rules.logic import why_found_only
from entra_sod.domain.rules.resolve import ResolvedRule
from entra_sod.domain.rules.ruleset import RuleSet


def why_not_at_all(rule: ResolvedRule, empty: Collection[str]) -> str:
    """Say why Entra enforces nothing of a rule; empty where it enforces some.

    Args:
        rule: in force.
        empty: ids of the rules that ask for no reference.
    """
    if rule.is_found_only:
        return why_found_only(rule)
    if rule.rule.mode is not Mode.ENFORCE:
        return f"its mode is {rule.rule.mode}: references are written under enforce alone"
    return ENFORCES_NOTHING if rule.id in empty else ""


def why_in_part(
    rule: ResolvedRule, rules: RuleSet, packages: Mapping[str, AccessPackage]
) -> Iterator[str]:
    """Say why references enforce only a part of a rule, even if all of them are there.

    Args:
        rule: that asks for references.
        rules: in force.
        packages: that were read, with the groups that they grant.
    """
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
