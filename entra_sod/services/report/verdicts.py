"""Makes the verdict and the next steps of each rule from the input of a report. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from entra_sod.domain.report.steps import SOON_DAYS, NextStep, RuleWork, next_steps
from entra_sod.domain.report.verdict import (
    ReportVerdict,
    RuleFacts,
    SweepFacts,
    failed_verdict,
    reach_verdict,
)
from entra_sod.domain.results.coverage import Outcome, Reason, Skipped, rule_gaps
from entra_sod.domain.results.status import SweepStatus
from entra_sod.domain.results.sweep import SweepResult
from entra_sod.domain.rules.resolve import ResolvedRule
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.services.report.totals import FindingTotals
from entra_sod.services.report.view import CellView, RuleInForce

# Gaps of all rules together, from which no single rule can be judged.
_GENERAL = (Reason.RULES_REFUSED, Reason.OUT_OF_SCOPE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PairsChecked:
    """How many pairs of a rule the report contains, and how many of them have no known outcome."""

    total: int
    unknown: int

    @classmethod
    def by_rule(
        cls, cells: Sequence[CellView], in_force: Sequence[ResolvedRule]
    ) -> Mapping[str, PairsChecked]:
        """Count the pairs of each rule, whose places the cells have."""
        outcomes = [Counter[Outcome]() for _ in in_force]
        for cell in cells:
            for place in cell.rules:
                outcomes[place][cell.outcome] += 1
        return {
            rule.id: cls(total=counted.total(), unknown=counted[Outcome.UNKNOWN])
            for rule, counted in zip(in_force, outcomes, strict=True)
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictInput:
    """What the verdict is made of.

    Attributes:
        result: of the sweep that the report is about; None if there is none.
        newest_failed: whether the newest sweep failed.
        left_out: the outcome of pairs that the report has no room for, if nothing names them; None
            if it has room for all.
    """

    rules: RuleSet
    result: SweepResult | None
    totals: FindingTotals
    newest_failed: bool
    left_out: Outcome | None = None

    def facts(self, rule: ResolvedRule, pairs: PairsChecked, duties: tuple[str, ...]) -> RuleFacts:
        """Say what is known of one rule."""
        outcome, hidden = self.set_outcome(rule), self._left_out_of(rule)
        is_read = pairs.total > pairs.unknown or hidden is Outcome.CLEAR
        checked = is_read if outcome is None else outcome is not Outcome.UNKNOWN
        return RuleFacts(
            title=rule.rule.title,
            duties=duties,
            people=len(self.totals.people.of(rule.id).violating),
            is_checked=checked,
            is_whole=checked
            and not pairs.unknown
            and hidden is not Outcome.UNKNOWN
            and not self._has_gap(rule),
            is_found_only=rule.is_found_only,
        )

    def verdict(self, facts: Sequence[RuleFacts]) -> ReportVerdict:
        """Give the report's result in a sentence."""
        if self.result is None:
            return failed_verdict() if self.newest_failed else reach_verdict(facts, None)
        people, result = self.totals.people, self.result
        is_current = result.rules_hash == self.rules.hash
        sweep = SweepFacts(
            people=people.violating(),
            excepted=people.only_excepted(),
            are_people=people.are_people,
            lost=0 if self.totals.is_whole else result.findings - self.totals.total,
            is_whole=result.status == SweepStatus.COMPLETED and is_current,
            newest_failed=self.newest_failed,
        )
        return reach_verdict(facts, sweep)

    def steps(
        self, shown: Sequence[RuleInForce], gaps: Sequence[Skipped], day: date
    ) -> list[NextStep]:
        """List what to do next."""
        return next_steps([self._work(each, day) for each in shown], gaps)

    def _work(self, rule: RuleInForce, day: date) -> RuleWork:
        people = self.totals.people.of(rule.id)
        ending = [
            each.id
            for each in self.rules.exceptions
            if each.rule == rule.id and (each.end - day).days <= SOON_DAYS
        ]
        return RuleWork(
            rule=rule.id,
            owner=rule.owner,
            advice=rule.advice,
            status=rule.status,
            people=len(people.violating),
            packages=[each for each, _ in people.packages.most_common()],
            enforcement=rule.enforcement,
            ending=ending,
        )

    def set_outcome(self, rule: ResolvedRule) -> Outcome | None:
        """The outcome of a rule that is found only; None of other rules."""
        if not rule.is_found_only:
            return None
        sets = {each.rule: each.outcome for each in self.result.sets} if self.result else {}
        return sets.get(rule.id, Outcome.UNKNOWN)

    def _left_out_of(self, rule: ResolvedRule) -> Outcome | None:
        """What is known of a rule's pairs that the report has no room for; None if it has none."""
        if self.left_out is None or self.result is None or not rule.keeps_apart:
            return None
        unknown = (each for each in self.result.results if each.outcome is Outcome.UNKNOWN)
        is_named = any(rule.id in each.rules for each in unknown)
        return Outcome.UNKNOWN if is_named else self.left_out

    def _has_gap(self, rule: ResolvedRule) -> bool:
        """Whether a package may belong to the rule, or meet it by itself, and was not read."""
        toxic = self.result.toxic_packages if self.result else ()
        if any(each.rule == rule.id and each.outcome is Outcome.UNKNOWN for each in toxic):
            return True
        gaps = rule_gaps(self.rules, [rule])
        return any(
            each.hides
            and each.reason not in _GENERAL
            and (rule.has_patterns or each.reason is not Reason.UNREADABLE_ITEM)
            for each in gaps
        )
