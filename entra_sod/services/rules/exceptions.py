"""The exceptions of the rules files: who has them, how long, and what to propose."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Self

from entra_sod.core.clock import Clock
from entra_sod.core.errors import GraphError
from entra_sod.core.names import cut
from entra_sod.domain.entra import AccessPackage, Assignment
from entra_sod.domain.results.coverage import Skipped
from entra_sod.domain.results.named import NamedItem, named_packages
from entra_sod.domain.rules.exception_changes import removal, renewal, state_on
from entra_sod.domain.rules.language import ExceptionEntry
from entra_sod.domain.rules.parse import ParsedRules
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.domain.subjects.names import subject_id
from entra_sod.services.rules.exception_subjects import BoundExceptions
from entra_sod.services.rules.names import read_names
from entra_sod.services.rules.provider import RulesProvider
from entra_sod.services.rules.view import ExceptionPage, ListedException, ProposedChange
from entra_sod.services.sweeps.index import held_by_index
from entra_sod.services.sweeps.summary import SweepSummary, last_summary
from entra_sod.stores.sweeps import SweepStore

UNRESOLVED = "its user principal name could not be looked up now"

type ExceptionPosition = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionQuery:
    """Exceptions in these states, or in any, of a rule, or of any: `limit` behind `after`."""

    states: Collection[str] = ()
    rule: str = ""
    limit: int
    after: ExceptionPosition | None = None


@dataclass(frozen=True, slots=True)
class ExceptionHolders:
    """What subjects hold by the newest sweep's index; `gaps` say what is not known of it."""

    held: Mapping[str, Sequence[Assignment]]
    summary: SweepSummary | None
    gaps: Sequence[Skipped]


@dataclass(frozen=True, slots=True)
class SubjectsOfExceptions:
    """Whom exceptions are for, by their ids, and why others excuse no one."""

    ids: Mapping[str, str] = field(default_factory=dict)
    voids: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, bound: BoundExceptions) -> Self:
        return cls(
            {each.id: each.subject for each in bound.entries},
            {each.entry.id: each.why for each in bound.problems if each.is_void},
        )

    def id_of(self, entry: ExceptionEntry) -> str:
        return self.ids.get(entry.id, entry.subject)

    def why_void(self, entry: ExceptionEntry) -> str | None:
        """Say why an exception excuses no one; a name that could not be asked for is unresolved."""
        if entry.id in self.ids:
            return None
        is_id = subject_id(entry.subject.strip()) is not None
        return self.voids.get(entry.id, None if is_id else UNRESOLVED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionLister:
    """Answers `GET /exceptions`."""

    provider: RulesProvider
    sweeps: SweepStore
    clock: Clock

    async def page(self, query: ExceptionQuery) -> tuple[ExceptionPage, ExceptionPosition | None]:
        """List a page of exceptions, and where the next one begins, if any.

        Raises:
            RulesError, ConfigurationError: there are no rules to read.
        """
        day, parsed = self.clock.now().date(), await self.provider.parsed()
        fitting = [each for each in parsed.exceptions.values() if _fits(each, query, day)]
        behind = sorted(filter(lambda each: _is_behind(each, query), fitting), key=position_of)
        wanted = behind[: query.limit]
        views, gaps = await self._views(wanted, parsed, day)
        has_more = len(behind) > len(wanted)
        page = ExceptionPage(
            as_of=day,
            problem=self.provider.problem,
            is_whole=not gaps,
            not_read=gaps,
            exceptions=views,
            total=len(fitting),
            more=has_more,
        )
        return page, position_of(wanted[-1]) if has_more else None

    async def _views(
        self, wanted: Sequence[ExceptionEntry], parsed: ParsedRules, day: date
    ) -> tuple[list[ListedException], list[Skipped]]:
        rules, gaps = await self._rules()
        subjects, more = await self._subjects()
        holders = await self._holders({subjects.id_of(each) for each in wanted})
        views = _ExceptionViews(
            parsed=parsed,
            rules=rules,
            subjects=subjects,
            holders=holders,
            names=await read_names(self.provider),
            day=day,
        )
        notes = [*gaps, *more, *holders.gaps]
        return [views.of(each) for each in wanted], notes if wanted else []

    async def _subjects(self) -> tuple[SubjectsOfExceptions, list[Skipped]]:
        try:
            return SubjectsOfExceptions.of(await self.provider.exceptions()), []
        except GraphError as error:
            what = "whom exceptions for user principal names are for"
            return SubjectsOfExceptions(), [Skipped.of(what, error)]

    async def _rules(self) -> tuple[RuleSet | None, list[Skipped]]:
        try:
            return await self.provider.at_hand(), []
        except GraphError as error:
            return None, [Skipped.of("which packages the rules name", error)]

    async def _holders(self, subjects: Collection[str]) -> ExceptionHolders:
        what = "what the subjects of exceptions hold"
        summary = await last_summary(self.sweeps)
        if summary is None:
            return ExceptionHolders({}, None, [Skipped(what=what, why="no sweep has ended yet")])
        try:
            held = await held_by_index(self.sweeps, summary.index, subjects)
        except LookupError as error:
            return ExceptionHolders({}, None, [Skipped(what=what, why=str(error))])
        gaps = [
            Skipped(what=f"who holds access package {each}", why=why)
            for each, why in sorted(summary.unread.items())
        ]
        return ExceptionHolders(held, summary, gaps)


def position_of(entry: ExceptionEntry) -> ExceptionPosition:
    """The place of an exception: by its last day, then by its id."""
    return entry.end.isoformat(), entry.id


def _fits(entry: ExceptionEntry, query: ExceptionQuery, day: date) -> bool:
    is_wanted = not query.states or state_on(entry, day) in query.states
    return is_wanted and query.rule in ("", entry.rule)


def _is_behind(entry: ExceptionEntry, query: ExceptionQuery) -> bool:
    return query.after is None or position_of(entry) > query.after


@dataclass(frozen=True, slots=True, kw_only=True)
class _ExceptionViews:
    """Makes the views of exceptions; `rules` is None where they cannot be resolved."""

    parsed: ParsedRules
    rules: RuleSet | None
    subjects: SubjectsOfExceptions
    holders: ExceptionHolders
    names: Mapping[str, AccessPackage]
    day: date

    def of(self, entry: ExceptionEntry) -> ListedException:
        rule, held = self.parsed.rules.get(entry.rule), self._held(entry)
        shown = (each.subject.display_name for each in held)
        name = next(filter(None, shown), None)
        file, place = _place(self.parsed, entry)
        change = ProposedChange(renew=renewal(entry, place, self.day), remove=removal(entry, place))
        return ListedException(
            id=entry.id,
            rule=entry.rule,
            rule_title=rule.title if rule else "",
            subject=self.subjects.id_of(entry),
            display_name=None if name is None else cut(name),
            packages=self._packages(entry),
            requested_by=entry.requested_by,
            approved_by=entry.approved_by,
            reason=entry.reason,
            control=entry.control,
            start=entry.start,
            until=entry.end,
            days_left=(entry.end - self.day).days,
            state=state_on(entry, self.day),
            why_void=self.subjects.why_void(entry),
            file=file,
            change=change,
        )

    def _held(self, entry: ExceptionEntry) -> Sequence[Assignment]:
        return self.holders.held.get(self.subjects.id_of(entry), ())

    def _packages(self, entry: ExceptionEntry) -> list[NamedItem] | None:
        """What the subject holds of the rule; None where the index does not have all of it."""
        in_force = self.rules.rules if self.rules else ()
        rule = next((each for each in in_force if each.id == entry.rule), None)
        summary = self.holders.summary
        if rule is None or summary is None or not rule.packages <= summary.pages.keys():
            return None
        held = {each.package_id for each in self._held(entry)}
        return named_packages(rule.packages.intersection(held), self.names)


def _place(parsed: ParsedRules, entry: ExceptionEntry) -> tuple[str, str]:
    found = parsed.place("exceptions", entry.id)
    return found.file, f"{found.file}, line {found.line}"
