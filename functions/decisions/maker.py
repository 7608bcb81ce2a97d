"""Answers questions for decisions: reads what a subject holds, and asks the rules. Never writes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from functions.checks.examine import CoverageNotes, note_refused
from functions.checks.result import Checked
from functions.clock import Clock
from functions.decisions.answer import answer
from functions.decisions.decide import Wish, groups_against, packages_against, rule_on
from functions.decisions.request import DecisionRequest
from functions.decisions.result import DecisionResult
from functions.entra import Assignment
from functions.errors import Forbidden, GraphError
from functions.graph.port import Graph
from functions.rules.ruleset import RuleSet
from functions.rules.source import RuleBook

BY_SUBJECT, BY_PACKAGE = "assignments of the subject", "assignments of the subject, by package"
# Of one subject where the app's rights are on catalogs only: five batches.
MOST_PACKAGES_ASKED = 100


@dataclass(slots=True)
class _Case:
    """One question, and what is known so far."""

    request: DecisionRequest
    wish: Wish
    against: frozenset[str]
    held: list[Assignment] = field(default_factory=list)
    notes: CoverageNotes = field(default_factory=CoverageNotes)
    gaps: int = 0

    def miss(self, what: str, why: object) -> None:
        self.notes.skip(what, why)
        self.gaps += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionMaker:
    graph: Graph
    rules: RuleBook
    clock: Clock

    async def decide(self, requests: Sequence[DecisionRequest]) -> list[DecisionResult]:
        """Decide on each request, in their order.

        Raises:
            Throttled, Unavailable: Graph cannot be asked just now; nothing is decided.
            RulesError, ConfigurationError: there are no rules to decide by.
        """
        rules, now = await self.rules.current(), self.clock.now()
        cases = [self._case(each, rules) for each in requests]
        await self._look_for_packages(cases, rules)
        await self._read([each for each in cases if each.against])
        results = []
        for case in cases:
            self._note_groups(case, rules)
            ruling = rule_on(rules, case.wish, case.held, has_gaps=case.gaps > 0)
            note_refused(rules, case.notes)
            coverage = case.notes.as_coverage()
            results.append(answer(case.request, case.wish, ruling, rules, coverage, as_of=now))
        return results

    def _case(self, request: DecisionRequest, rules: RuleSet) -> _Case:
        wish = Wish(
            subject=str(request.subject),
            packages=request.packages,
            start=request.start or self.clock.now(),
            until=request.until,
        )
        return _Case(request, wish, packages_against(rules, wish.packages))

    async def _look_for_packages(self, cases: Sequence[_Case], rules: RuleSet) -> None:
        """A package that no rule names may be a wrong id, which must not be allowed."""
        named = rules.packages | rules.enforced_packages
        unnamed = {each for case in cases for each in case.wish.packages} - named
        listed = await self.rules.listed() if unnamed else ()
        for case in cases:
            for package in case.wish.packages:
                if package in unnamed and package not in listed:
                    case.miss(f"access package {package}", "the tenant's list does not show it")

    async def _read(self, cases: Sequence[_Case]) -> None:
        by_subject = _by_subject(cases)
        refused: set[str] = set()
        async for subject, page in self.graph.assignments_of_subjects(by_subject.keys()):
            if isinstance(page, Forbidden):
                refused.add(subject)
                continue
            for case in by_subject[subject]:
                if isinstance(page, GraphError):
                    case.miss(f"the assignments of subject {subject}", page)
                else:
                    _add(case, page, BY_SUBJECT)
        await self._read_by_package([case for each in refused for case in by_subject[each]])

    async def _read_by_package(self, cases: Sequence[_Case]) -> None:
        """Where the app's rights are on catalogs only, Graph wants every package named."""
        wanted: dict[tuple[str, str], list[_Case]] = {}
        for case in cases:
            for package in sorted(case.against)[:MOST_PACKAGES_ASKED]:
                wanted.setdefault((case.wish.subject, package), []).append(case)
            if len(case.against) > MOST_PACKAGES_ASKED:
                why = f"Graph is asked for {MOST_PACKAGES_ASKED} packages in one decision"
                case.miss(f"{len(case.against) - MOST_PACKAGES_ASKED} packages more", why)
        async for key, page in self.graph.assignments_of_subjects_in(wanted.keys()):
            for case in wanted[key]:
                if isinstance(page, GraphError):
                    case.miss(f"whether {key[0]} holds {key[1]}", page)
                else:
                    _add(case, page, BY_PACKAGE)

    def _note_groups(self, case: _Case, rules: RuleSet) -> None:
        for group in sorted(groups_against(rules, case.wish.packages)):
            case.miss(f"members of group {group}", "group memberships are not read")


def _by_subject(cases: Sequence[_Case]) -> Mapping[str, Collection[_Case]]:
    found: dict[str, list[_Case]] = {}
    for case in cases:
        found.setdefault(case.wish.subject, []).append(case)
    return found


def _add(case: _Case, page: Sequence[Assignment], how: str) -> None:
    case.held += page
    checked = Checked(what=f"what {case.wish.subject} holds", how=how)
    if checked not in case.notes.checked:
        case.notes.checked.append(checked)
