"""Resolves the subjects of exceptions, and stores the first id of each name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from entra_sod.core.errors import GraphError
from entra_sod.domain.rules.exception_subjects import (
    BoundException,
    ExceptionProblem,
    approvers_of,
    bind,
    named_of,
)
from entra_sod.domain.rules.language import ExceptionEntry
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.domain.subjects.names import subject_id
from entra_sod.services.subjects.resolve import (
    ResolvedSubject,
    SubjectNotResolved,
    SubjectResolver,
)
from entra_sod.stores.exception_subjects import ExceptionSubjectStore, RememberedSubjects


@dataclass(frozen=True, slots=True)
class BoundExceptions:
    """Exceptions with the ids of their subjects.

    Attributes:
        written: all of them, as their author wrote them.
        entries: those that excuse their subject.
        problems: of those that excuse no one, and of names that are another subject's by now.
    """

    written: Sequence[ExceptionEntry] = ()
    entries: Sequence[ExceptionEntry] = ()
    problems: Sequence[ExceptionProblem] = ()

    def on(self, day: date) -> BoundExceptions:
        """Those that hold on a day."""
        return self._if(lambda each: each.holds_on(day))

    def until(self, day: date) -> BoundExceptions:
        """Those that hold on a day or later."""
        return self._if(lambda each: each.end >= day)

    def into(self, make: Callable[..., RuleSet]) -> RuleSet:
        """Make a set of rules with them."""
        return make(self.entries, exception_problems=self.problems, written_exceptions=self.written)

    def _if(self, holds: Callable[[ExceptionEntry], bool]) -> BoundExceptions:
        return BoundExceptions(
            [each for each in self.written if holds(each)],
            [each for each in self.entries if holds(each)],
            [each for each in self.problems if holds(each.entry)],
        )


@dataclass(frozen=True, slots=True)
class ExceptionSubjects:
    """Binds exceptions to the ids of their subjects.

    Attributes:
        resolver: of names.
        store: of the first id of each name; without it no id is stored.
        remembers: whether a new id is stored; otherwise stored ids are only read.
    """

    resolver: SubjectResolver
    store: ExceptionSubjectStore | None = None
    remembers: bool = True

    async def bind(self, exceptions: Collection[ExceptionEntry]) -> BoundExceptions:
        """Resolve the subject of each exception. Sends no request if all are given by ids.

        Raises:
            Throttled, Unavailable: the directory cannot be asked now.
            StorageUnavailable: what is remembered cannot be read.
        """
        names = {name for each in exceptions for name in named_of(each)}
        found = await self.resolver.resolve(names)
        found = {**found, **await self._approvers(exceptions, known=found.keys())}
        people = {
            name: each.id if isinstance(each, ResolvedSubject) else None
            for name, each in found.items()
        }
        why = {name: str(each) for name, each in found.items() if isinstance(each, Exception)}
        is_named = any(subject_id(each.subject.strip()) is None for each in exceptions)
        remembered = await self.store.read() if self.store and is_named else RememberedSubjects()
        bound = [
            bind(each, people, why, remembered.of(each.id, each.subject.strip()))
            for each in exceptions
        ]
        await self._remember(exceptions, bound)
        return BoundExceptions(
            list(exceptions),
            [each.entry for each in bound if each.entry],
            [each.problem for each in bound if each.problem],
        )

    async def _approvers(
        self, exceptions: Iterable[ExceptionEntry], known: Collection[str]
    ) -> Mapping[str, ResolvedSubject | SubjectNotResolved]:
        """Look up who approved. If that cannot be done now, spellings are compared."""
        wanted = {name for each in exceptions for name in approvers_of(each)}.difference(known)
        try:
            return await self.resolver.resolve(wanted)
        except GraphError:
            return {}

    async def _remember(
        self, exceptions: Iterable[ExceptionEntry], bound: Iterable[BoundException]
    ) -> None:
        if self.store is None or not self.remembers:
            return
        for written, each in zip(exceptions, bound, strict=True):
            if each.is_new and each.entry:
                await self.store.keep(written.id, written.subject.strip(), each.entry.subject)
