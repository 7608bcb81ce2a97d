"""Answers questions for decisions: reads what a subject holds, and asks the rules. Never writes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from entra_sod.core.clock import Clock
from entra_sod.core.errors import PERMANENT, FieldError, GraphError, InvalidRequest
from entra_sod.domain.decisions.evaluate import (
    AccessRequest,
    evaluate,
    groups_against,
    packages_against,
    rules_in_force_during,
)
from entra_sod.domain.decisions.strategy import prefers_index
from entra_sod.domain.results.coverage import rule_gaps
from entra_sod.domain.results.decision import DecisionResult
from entra_sod.domain.rules.alike import find_alike, packages_against_alike
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.domain.rules.toxic import by_package, find_toxic
from entra_sod.services.decisions.answer import answer
from entra_sod.services.decisions.from_graph import GraphReader
from entra_sod.services.decisions.from_index import IndexReader
from entra_sod.services.decisions.grants import MAX_GRANTS_READ, GrantReader, with_grants
from entra_sod.services.decisions.identify import SubjectReader
from entra_sod.services.decisions.pending_decision import PendingDecision
from entra_sod.services.decisions.request import DecisionRequest
from entra_sod.services.rules.alike import PackageGrants, granting, without_toxic
from entra_sod.services.rules.provider import RulesProvider
from entra_sod.services.subjects.resolve import (
    ResolvedSubject,
    SubjectNotResolved,
    SubjectResolver,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionMaker:
    """Decides.

    Attributes:
        denies_gaps: whether a decision with a gap is `deny` instead of `review`.
        allows_unknown: whether a subject that no source contains counts as a new person.
    """

    graph: GraphReader
    subjects: SubjectReader
    names: SubjectResolver
    index: IndexReader
    grants: GrantReader
    rules: RulesProvider
    clock: Clock
    denies_gaps: bool
    allows_unknown: bool

    async def decide(
        self, requests: Sequence[DecisionRequest], places: Sequence[str] = ()
    ) -> list[DecisionResult]:
        """Decide on each request, in their order.

        Args:
            requests: what is wanted.
            places: of each request in the caller's body, as a JSON pointer; the body, without them.

        Raises:
            InvalidRequest: naming each subject that is not known by its user principal name.
            Throttled, Unavailable: Graph cannot be read now; nothing is decided.
            RulesError, ConfigurationError: there are no rules to decide by.
        """
        subjects = await self._named(requests, places)
        rules = await self.rules.from_today()
        grants, harmless = await self._granted(requests, rules)
        now = self.clock.now()
        pending_decisions = [
            _pending(each, subject, rules, grants, harmless, now=now)
            for each, subject in zip(requests, subjects, strict=True)
        ]
        await self._read_packages(pending_decisions, rules)
        await self._read_or_note_gap([each for each in pending_decisions if each.against])
        await self._identify([each for each in pending_decisions if each.subject_known is None])
        return [self._answer(pending, rules) for pending in pending_decisions]

    async def _named(
        self, requests: Sequence[DecisionRequest], places: Sequence[str]
    ) -> Sequence[ResolvedSubject]:
        """Find out which subjects are named; a name that is not resolved is never decided on."""
        found = await self.names.resolve({each.subject for each in requests})
        subjects = [found[each.subject] for each in requests]
        errors = [
            FieldError(pointer=f"{places[number] if places else ''}/subject", detail=str(each))
            for number, each in enumerate(subjects)
            if isinstance(each, SubjectNotResolved)
        ]
        if errors:
            raise InvalidRequest(errors)
        return [each for each in subjects if isinstance(each, ResolvedSubject)]

    async def _granted(
        self, requests: Sequence[DecisionRequest], rules: RuleSet
    ) -> tuple[PackageGrants, frozenset[str]]:
        """What the wanted packages grant, and which of them need not be compared.

        One that grants anything is compared with what the rules' packages grant; one that rules
        name with the packages of these rules. Where these are too many, the last sweep tells.
        """
        wanted = {package for each in requests for package in each.packages}
        found = await self.grants.read(wanted) if wanted and rules.named_packages else {}
        giving = {each.id for each in granting(found) if each.grants}
        against, harmless = _compared_with(giving, rules), frozenset[str]()
        if len(against) > MAX_GRANTS_READ:
            harmless = await self.index.harmless(giving, rules)
            against = _compared_with(giving - harmless, rules)
        return {**await self.grants.read(against - found.keys()), **found}, harmless

    async def _read_packages(
        self, pending_decisions: Sequence[PendingDecision], rules: RuleSet
    ) -> None:
        """A package that no rule names may be a wrong id, which must not be allowed."""
        named = rules.packages | rules.enforced_packages
        unnamed = {
            each for pending in pending_decisions for each in pending.wanted.packages
        } - named
        if not unnamed:
            return
        why: object = "the tenant's list does not show it"
        try:
            unnamed -= (await self.rules.listed()).keys()
        except PERMANENT as error:
            why = f"the tenant's list is refused: {error}"
        for pending in pending_decisions:
            for package in pending.wanted.packages:
                if package in unnamed:
                    pending.note_gap(f"access package {package}", why)

    async def _read_or_note_gap(self, pending_decisions: Sequence[PendingDecision]) -> None:
        """Read; what Graph refuses permanently is not asked again."""
        try:
            await self._read(pending_decisions)
        except PERMANENT as error:
            for pending in pending_decisions:
                pending.note_unread(f"what {pending.wanted.subject} holds", error)

    async def _read(self, pending_decisions: Sequence[PendingDecision]) -> None:
        """Read what each subject holds, from whichever is to be asked first, then the other."""
        waiting = [*pending_decisions]
        subjects = {pending.wanted.subject for pending in waiting}
        if prefers_index(len(subjects), may_list=self.graph.may_list_subjects):
            waiting = await self.graph.read_lists(await self.index.read(waiting))
        refused, unsettled = await self.graph.read(waiting)
        refused = await self.index.read(refused)
        unsettled = {**unsettled, **await self.graph.read_by_package(refused)}
        for pending in await self.index.read([*unsettled]):
            pending.note_unread(f"whose id {pending.wanted.subject} is", unsettled[pending])

    async def _identify(self, pending_decisions: Sequence[PendingDecision]) -> None:
        """Identify the subjects that no assignment has identified yet."""
        unasked = [each for each in pending_decisions if each.identity is None]
        found = await self.subjects.identify({each.wanted.subject for each in unasked})
        for each in unasked:
            each.identify(found[each.wanted.subject])

    def _answer(self, pending: PendingDecision, rules: RuleSet) -> DecisionResult:
        for group in sorted(groups_against(pending.rules, pending.wanted.packages)):
            pending.note_gap(f"members of group {group}", "group memberships are not read")
        verdict = evaluate(
            pending.rules,
            rules.exceptions,
            pending.wanted,
            pending.held,
            has_gaps=any(gap.hides_conflicts for gap in pending.notes.skipped),
            has_unread=pending.has_unread,
            denies_gaps=self.denies_gaps,
            needs_review=bool(pending.met_alike)
            or (pending.subject_known is False and not self.allows_unknown),
            toxic=pending.toxic,
            overrides=rules.overrides,
        )
        return answer(pending, verdict, rules, as_of=pending.as_of or self.clock.now())


def _compared_with(packages: Collection[str], rules: RuleSet) -> frozenset[str]:
    """The packages whose grants tell whether these overlap with a side, or meet a rule alone."""
    if not rules.named_packages.issuperset(packages):
        return rules.named_packages
    named = (each.packages for each in rules.rules if not each.packages.isdisjoint(packages))
    return frozenset[str]().union(*named)


def _pending(
    request: DecisionRequest,
    subject: ResolvedSubject,
    rules: RuleSet,
    grants: PackageGrants,
    harmless: frozenset[str],
    *,
    now: datetime,
) -> PendingDecision:
    wish = AccessRequest(
        subject=subject.id,
        packages=request.packages,
        start=max(request.start or now, now).astimezone(UTC),
        until=request.until and request.until.astimezone(UTC),
    )
    known = {each.id: each for each in granting(grants)}
    wanted = [known[each] for each in wish.packages if each in known]
    in_force = rules_in_force_during(rules.rules, wish)
    verdict = with_grants(in_force, wanted)
    unnamed = [each for each in wanted if each.id not in rules.named_packages]
    toxic = by_package(find_toxic(verdict, known, rules.listed, only=wish.packages))
    alike = tuple(find_alike(verdict, unnamed, known))
    alike = tuple(without_toxic(alike, [each for found in toxic.values() for each in found]))
    against = packages_against(verdict, wish.packages) | packages_against_alike(alike)
    # Who the subject is matters for exceptions, and what is held tells it.
    against = against.union(*(each.rule.packages for found in toxic.values() for each in found))
    pending = PendingDecision(request, wish, verdict, against, alike, toxic)
    pending.name(subject)
    pending.notes.skipped.extend(rule_gaps(rules, in_force))
    giving = [each.id for each in wanted if each.grants and each.id not in harmless]
    for package in sorted({*wish.packages, *_compared_with(giving, rules)}):
        if isinstance(error := grants.get(package), GraphError):
            pending.note_gap(f"the groups that access package {package} grants", error)
    return pending
