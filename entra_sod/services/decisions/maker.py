"""Answers questions for decisions: reads what a subject holds, and asks the rules. Never writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from entra_sod.core.clock import Clock
from entra_sod.core.errors import PERMANENT, GraphError
from entra_sod.domain.decisions.evaluate import (
    AccessRequest,
    evaluate,
    groups_against,
    packages_against,
    rules_in_force_during,
)
from entra_sod.domain.decisions.strategy import prefers_index
from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.results.decision import DecisionResult
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.services.decisions.answer import answer
from entra_sod.services.decisions.case import Case
from entra_sod.services.decisions.from_graph import GraphReader
from entra_sod.services.decisions.from_index import IndexReader
from entra_sod.services.decisions.grants import GrantReader, Grants, with_grants
from entra_sod.services.decisions.request import DecisionRequest
from entra_sod.services.rules.book import RuleBook


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionMaker:
    """Decides.

    Attributes:
        denies_gaps: whether what is not known is denied, instead of left to a review.
    """

    graph: GraphReader
    index: IndexReader
    grants: GrantReader
    rules: RuleBook
    clock: Clock
    denies_gaps: bool

    async def decide(self, requests: Sequence[DecisionRequest]) -> list[DecisionResult]:
        """Decide on each request, in their order.

        Raises:
            Throttled, Unavailable: Graph cannot be asked just now; nothing is decided.
            RulesError, ConfigurationError: there are no rules to decide by.
        """
        rules = await self.rules.from_today()
        grants = await self._granted(requests, rules)
        now = self.clock.now()
        cases = [_case(each, rules, grants, now) for each in requests]
        await self._look_for_packages(cases, rules)
        await self._read_or_miss([each for each in cases if each.against])
        return [self._answer(case, rules) for case in cases]

    async def _granted(self, requests: Sequence[DecisionRequest], rules: RuleSet) -> Grants:
        """What the wanted packages grant, where any rule names a group."""
        if not rules.named_groups:
            return {}
        wanted = {package for each in requests for package in each.packages}
        try:
            return await self.grants.read(wanted)
        except PERMANENT as error:
            return dict.fromkeys(wanted, error)

    async def _look_for_packages(self, cases: Sequence[Case], rules: RuleSet) -> None:
        """A package that no rule names may be a wrong id, which must not be allowed."""
        named = rules.packages | rules.enforced_packages
        unnamed = {each for case in cases for each in case.wish.packages} - named
        if not unnamed:
            return
        why: object = "the tenant's list does not show it"
        try:
            unnamed -= {*await self.rules.listed()}
        except PERMANENT as error:
            why = f"the tenant's list is refused: {error}"
        for case in cases:
            for package in case.wish.packages:
                if package in unnamed:
                    case.miss(f"access package {package}", why)

    async def _read_or_miss(self, cases: Sequence[Case]) -> None:
        """Read; what Graph refuses altogether is no reason to ask again and again."""
        try:
            await self._read(cases)
        except PERMANENT as error:
            for case in cases:
                case.miss(f"what {case.wish.subject} holds", error)

    async def _read(self, cases: Sequence[Case]) -> None:
        """Read what each subject holds, from whichever is to be asked first, then the other."""
        waiting = [*cases]
        subjects = {case.wish.subject for case in waiting}
        if prefers_index(len(subjects), may_list=self.graph.may_list):
            waiting = await self.graph.read_lists(await self.index.read(waiting))
        refused, unsettled = await self.graph.read(waiting)
        refused = await self.index.read(refused)
        unsettled = {**unsettled, **await self.graph.read_by_package(refused)}
        for case in await self.index.read([*unsettled]):
            case.miss(f"whose id {case.wish.subject} is", unsettled[case])

    def _answer(self, case: Case, rules: RuleSet) -> DecisionResult:
        for group in sorted(groups_against(case.rules, case.wish.packages)):
            case.miss(f"members of group {group}", "group memberships are not read")
        ruling = evaluate(
            case.rules,
            rules.exceptions,
            case.wish,
            case.held,
            has_gaps=case.gaps > 0,
            denies_gaps=self.denies_gaps,
        )
        as_of = case.as_of or self.clock.now()
        return answer(case.request, case.wish, ruling, rules, case.notes, as_of=as_of)


def _case(request: DecisionRequest, rules: RuleSet, grants: Grants, now: datetime) -> Case:
    wish = AccessRequest(
        subject=str(request.subject),
        packages=request.packages,
        start=max(request.start or now, now).astimezone(UTC),
        until=request.until and request.until.astimezone(UTC),
    )
    granting = [each for each in grants.values() if isinstance(each, AccessPackage)]
    wanted = [each for each in granting if each.id in wish.packages]
    ruling = with_grants(rules_in_force_during(rules.rules, wish), wanted)
    case = Case(request, wish, ruling, packages_against(ruling, wish.packages))
    _note_rules(case, rules)
    for package in wish.packages:
        if isinstance(error := grants.get(package), GraphError):
            case.miss(f"the groups that access package {package} grants", error)
    return case


def _note_rules(case: Case, rules: RuleSet) -> None:
    """Say where the rules are not those that are wanted, or not whole."""
    if rules.refused:
        case.miss("the newest version of the rules", rules.refused)
    if rules.unlisted:
        case.miss("the packages that patterns of the rules fit", rules.unlisted)
