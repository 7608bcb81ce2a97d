"""Answers questions for decisions: reads what a subject holds, and asks the rules. Never writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from functions.checks.examine import note_refused
from functions.clock import Clock
from functions.decisions.answer import answer
from functions.decisions.case import Case
from functions.decisions.choose import prefers_index
from functions.decisions.decide import Wish, groups_against, packages_against, rule_on
from functions.decisions.from_graph import GraphReader
from functions.decisions.from_index import IndexReader
from functions.decisions.request import DecisionRequest
from functions.decisions.result import DecisionResult
from functions.rules.ruleset import RuleSet
from functions.rules.source import RuleBook


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionMaker:
    """Decides.

    Attributes:
        denies_gaps: whether what is not known is denied, instead of left to a review.
    """

    graph: GraphReader
    index: IndexReader
    rules: RuleBook
    clock: Clock
    denies_gaps: bool

    async def decide(self, requests: Sequence[DecisionRequest]) -> list[DecisionResult]:
        """Decide on each request, in their order.

        Raises:
            Throttled, Unavailable: Graph cannot be asked just now; nothing is decided.
            RulesError, ConfigurationError: there are no rules to decide by.
        """
        rules = await self.rules.current()
        cases = [self._case(each, rules) for each in requests]
        await self._look_for_packages(cases, rules)
        await self._read([each for each in cases if each.against])
        return [self._answer(case, rules) for case in cases]

    def _case(self, request: DecisionRequest, rules: RuleSet) -> Case:
        wish = Wish(
            subject=str(request.subject),
            packages=request.packages,
            start=request.start or self.clock.now(),
            until=request.until,
        )
        return Case(request, wish, packages_against(rules, wish.packages))

    async def _look_for_packages(self, cases: Sequence[Case], rules: RuleSet) -> None:
        """A package that no rule names may be a wrong id, which must not be allowed."""
        named = rules.packages | rules.enforced_packages
        unnamed = {each for case in cases for each in case.wish.packages} - named
        listed = await self.rules.listed() if unnamed else ()
        for case in cases:
            for package in case.wish.packages:
                if package in unnamed and package not in listed:
                    case.miss(f"access package {package}", "the tenant's list does not show it")

    async def _read(self, cases: Sequence[Case]) -> None:
        """Read what each subject holds, from whichever is to be asked first, then the other."""
        waiting = [*cases]
        subjects = {case.wish.subject for case in waiting}
        if prefers_index(len(subjects), may_list=self.graph.may_list):
            waiting = await self.graph.read_lists(await self.index.read(waiting))
        refused, unsettled = await self.graph.read(waiting)
        refused = await self.index.read(refused)
        unsettled += await self.graph.read_by_package(refused)
        left = await self.index.read([each.case for each in unsettled])
        for each in unsettled:
            if each.case in left:
                each.case.miss(f"whose id {each.case.wish.subject} is", each.why)

    def _answer(self, case: Case, rules: RuleSet) -> DecisionResult:
        for group in sorted(groups_against(rules, case.wish.packages)):
            case.miss(f"members of group {group}", "group memberships are not read")
        ruling = rule_on(
            rules,
            case.wish,
            case.held,
            has_gaps=case.gaps > 0,
            denies_gaps=self.denies_gaps,
        )
        note_refused(rules, case.notes)
        as_of = case.as_of or self.clock.now()
        return answer(case.request, case.wish, ruling, rules, case.notes.as_coverage(), as_of=as_of)
