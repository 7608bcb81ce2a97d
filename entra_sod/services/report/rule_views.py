"""Rules in force as a report shows them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from entra_sod.domain.report.enforcement import EnforcementView
from entra_sod.domain.report.verdict import RuleFacts
from entra_sod.domain.rules.resolve import ResolvedRule
from entra_sod.services.report.page_index import SideIndex
from entra_sod.services.report.trend import RuleTrends
from entra_sod.services.report.verdicts import PairsChecked, VerdictInput
from entra_sod.services.report.view import RuleInForce


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleViewer:
    """Everything that the view of a rule is made of.

    Attributes:
        checked: of each rule, by its id.
        enforcement: of each rule, by its id.
    """

    verdicts: VerdictInput
    sides: SideIndex
    trends: RuleTrends
    checked: Mapping[str, PairsChecked]
    enforcement: Mapping[str, EnforcementView]

    def facts(self, rule: ResolvedRule) -> RuleFacts:
        """Say what is known of a rule."""
        return self.verdicts.facts(rule, self.checked[rule.id], self.sides.names(rule))

    def view(self, resolved: ResolvedRule, facts: RuleFacts) -> RuleInForce:
        """Show a rule with what is known of it."""
        rule, totals = resolved.rule, self.verdicts.totals
        people, found = totals.people.of(rule.id), totals.by_rule[rule.id]
        is_known = facts.is_checked or found > 0
        pairs = self.checked[rule.id]
        return RuleInForce(
            id=rule.id,
            title=rule.title,
            owner=rule.owner,
            severity=rule.severity,
            mode=rule.mode,
            control=rule.control,
            advice=rule.advice,
            sides=self.sides.of(resolved),
            form=rule.form,
            at_most=resolved.count if rule.at_most else None,
            allowed=resolved.count,
            found_only=resolved.is_found_only,
            needs_all=rule.requires is not None and rule.requires.needs.every,
            process=rule.process,
            tags=rule.tags,
            frameworks=rule.frameworks,
            owners=rule.owners,
            outcome=self.verdicts.set_outcome(resolved),
            pairs=pairs.total,
            pairs_unknown=pairs.unknown,
            findings=found if is_known else None,
            trend=self.trends.of(rule.id),
            status=facts.status,
            people=facts.people if is_known else None,
            excepted=len(people.excepted),
            oldest=people.oldest,
            enforcement=self.enforcement[rule.id],
        )
