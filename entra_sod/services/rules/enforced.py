"""How far Entra enforces each rule, by what the newest sweep has seen and written. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from entra_sod.domain.enforcement.reach import EnforcementReach, RuleEnforcement, enforcement_of
from entra_sod.domain.enforcement.result import Enforcement
from entra_sod.domain.enforcement.without_effect import wants_groups_only
from entra_sod.domain.entra import AccessPackage, Pair, ReferenceKind
from entra_sod.domain.results.check import ReferenceView
from entra_sod.domain.results.sweep import SweepResult
from entra_sod.domain.rules.resolve import ResolvedRule
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.services.rules.view import RuleReachView


@dataclass(frozen=True, slots=True, kw_only=True)
class EnforcementInput:
    """What is known.

    Attributes:
        rules: in force.
        result: of the newest sweep that looked; None if there is none.
        unread: packages that it could not read.
        packages: that may be read; those of `granting` with the groups that they grant.
        granting: packages whose groups were read.
        setting: how far the app goes at most.
    """

    rules: RuleSet
    result: SweepResult | None
    unread: Collection[str]
    packages: Mapping[str, AccessPackage]
    granting: Collection[str]
    setting: Enforcement


def enforcement_views(
    known: EnforcementInput, wanted: Collection[ResolvedRule]
) -> Mapping[str, RuleReachView]:
    """Say of each wanted rule how far Entra enforces it; never more than a sweep has seen."""
    some = RuleSet(wanted, unlisted=known.rules.unlisted, listed=known.rules.listed)
    reached = enforcement_of(some, known.packages, (), {})
    waiting = _waiting(known)
    return {
        rule.id: _view(rule, each, known, waiting)
        for rule, each in zip(some.rules, reached, strict=True)
    }


def _view(
    rule: ResolvedRule,
    reached: RuleEnforcement,
    known: EnforcementInput,
    waiting: Mapping[str, int],
) -> RuleReachView:
    if reached.reach is EnforcementReach.FOUND_ONLY:
        return RuleReachView(reach="found only", why=reached.why)
    if why := _why_unknown(rule, known):
        return RuleReachView(reach="unknown", why=why)
    missing = (
        [f"{waiting[rule.id]} references that it may ask for are not written"]
        if waiting.get(rule.id)
        else []
    )
    if reasons := [*filter(None, [reached.why]), *missing]:
        return RuleReachView(reach="enforced in part", why="; ".join(reasons))
    return RuleReachView(reach="enforced", why="")


def _why_unknown(rule: ResolvedRule, known: EnforcementInput) -> str:
    result = known.result
    if result is None:
        return "no sweep has ended whose result is kept"
    reasons = (
        (result.rules_hash != known.rules.hash, "the rules have changed since the newest sweep"),
        (
            known.setting is Enforcement.OFF,
            "ENFORCEMENT is off: the app does not look at references",
        ),
        (
            wants_groups_only(rule) and not rule.packages <= set(known.granting),
            "which groups all of its packages grant was not read",
        ),
        (
            not rule.packages.isdisjoint(known.unread),
            "the newest sweep could not read all of its packages",
        ),
        (
            any(_is_cut(result, name) for name in ("planned", "held", "failed")),
            "the newest sweep left too many references unwritten to tell of each rule",
        ),
    )
    return next((why for is_so, why in reasons if is_so), "")


def _is_cut(result: SweepResult, name: str) -> bool:
    count: int = getattr(result.reference_counts, name)
    return len(getattr(result.references, name)) < count


def _waiting(known: EnforcementInput) -> Mapping[str, int]:
    """How many references each rule may ask for that the newest sweep did not write."""
    found = dict[str, int]()
    for reference in _unwritten(known.result) if known.result else ():
        for rule in _rules_that_may_ask(reference, known.rules):
            found[rule] = found.get(rule, 0) + 1
    return found


def _unwritten(result: SweepResult) -> Iterator[ReferenceView]:
    found = result.references
    written = {_key(each) for each in found.written}
    yield from (each for each in found.planned if _key(each) not in written)
    planned = {_key(each) for each in found.planned}
    others = (*found.failed, *found.held)
    yield from (each for each in others if not each.is_removal and _key(each) not in planned)


def _key(view: ReferenceView) -> tuple[str, str, str]:
    return view.access_package_id, view.kind, view.target_id


def _rules_that_may_ask(view: ReferenceView, rules: RuleSet) -> Collection[str]:
    """The rules of a pair; of a group all that select the package: rather one too many."""
    on, target = view.access_package_id, view.target_id
    if view.kind == ReferenceKind.PACKAGE and on != target:
        constraint = rules.constraints.get(Pair.of(on, target))
        return constraint.rule_ids if constraint else ()
    return [each.id for each in rules.rules if on in each.packages and not each.is_found_only]
