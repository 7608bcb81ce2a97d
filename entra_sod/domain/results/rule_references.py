"""What a sweep keeps of how far Entra enforced each rule. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from entra_sod.domain.enforcement.result import Enforcement
from entra_sod.domain.enforcement.rule_reach import why_in_part, why_not_at_all
from entra_sod.domain.enforcement.tally import ReferenceNumbers, ReferenceTally
from entra_sod.domain.enforcement.without_effect import find_without_effect
from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.results.sweep import RuleReferences, SweepEnforcement
from entra_sod.domain.rules.resolve import ResolvedRule
from entra_sod.domain.rules.ruleset import RuleSet

MAX_RULES_KEPT = 2_000
_NOTHING = ReferenceNumbers()


def sweep_enforcement(
    setting: Enforcement,
    rules: RuleSet,
    packages: Mapping[str, AccessPackage],
    tally: ReferenceTally | None,
) -> SweepEnforcement:
    """Say of each rule in force how many of its references are there.

    Args:
        setting: ENFORCEMENT.
        rules: in force.
        packages: that were read, with the groups that they grant.
        tally: of all references; None where they could not be read, or nothing looked at them.
    """
    numbers = tally.by_rule() if tally else {}
    empty = {rule.id for rule in find_without_effect(rules.rules, packages)}
    return SweepEnforcement(
        setting=setting.word,
        is_known=tally is not None,
        rules=[
            _of_rule(rule, rules, packages, why_not_at_all(rule, empty), numbers)
            for rule in rules.rules[:MAX_RULES_KEPT]
        ],
    )


def _of_rule(
    rule: ResolvedRule,
    rules: RuleSet,
    packages: Mapping[str, AccessPackage],
    cannot: str,
    numbers: Mapping[str, ReferenceNumbers],
) -> RuleReferences:
    if cannot:
        return RuleReferences(
            rule=rule.id, mode=rule.rule.mode, is_found_only=rule.is_found_only, cannot=cannot
        )
    of_rule = numbers.get(rule.id, _NOTHING)
    return RuleReferences(
        rule=rule.id,
        mode=rule.rule.mode,
        in_part="; ".join(why_in_part(rule, rules, packages)),
        wanted=of_rule.wanted,
        missing=of_rule.missing,
        held=of_rule.held,
    )
