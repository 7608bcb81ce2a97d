"""Answers questions by asking Graph what subjects hold, whichever of their two ids is given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus

from msgspec.structs import replace

from entra_sod.core.clock import Clock
from entra_sod.core.errors import Forbidden, GraphError, Unlicensed
from entra_sod.domain.decisions.strategy import MAX_LISTED_PACKAGES, prefers_lists
from entra_sod.domain.entra import Assignment
from entra_sod.ports.graph import AssignmentPage, Graph
from entra_sod.services.decisions.identify import SubjectReader
from entra_sod.services.decisions.pending_decision import PendingDecision

BY_SUBJECT, BY_PACKAGE = "assignments of the subject", "assignments of the subject, by package"
BY_LIST = "assignments of the packages"
# Of one subject where the app's rights are on catalogs only: five batches.
MAX_PACKAGES_READ = 100
# Of all subjects of one call, package by package: 50 s at the usual rate. Callers wait for it, a
# Logic App for two minutes, and Azure's load balancer for less than four.
MAX_SUBJECTS_READ = 500
MAX_READING_TIME = timedelta(seconds=60)
_PORTION = 100  # requests, between looks at the clock
REMEMBER_REFUSAL = timedelta(hours=1)

# A question, and the object id by which Graph is asked.
type SubjectRead = tuple[PendingDecision, str]
type RefusedReads = Mapping[PendingDecision, Forbidden]
# Where Graph does not say under which object id to look, and why.
type UnresolvedDecision = Mapping[PendingDecision, str]


class GraphReader:
    """Reads live; remembers what this app may not do."""

    def __init__(self, graph: Graph, subjects: SubjectReader, clock: Clock) -> None:
        self._graph, self._subjects, self._clock = graph, subjects, clock
        self._refused_until: datetime | None = None

    @property
    def may_list_subjects(self) -> bool:
        """Whether Graph lists all that a subject holds, as far as is known."""
        return self._refused_until is None or self._clock.now() >= self._refused_until

    async def read_lists(
        self, pending_decisions: Sequence[PendingDecision]
    ) -> list[PendingDecision]:
        """Read whole packages for many subjects; return all as they were where these are long.

        Raises:
            Throttled, Unavailable: nothing is decided.
        """
        packages = frozenset[str]().union(*(pending.against for pending in pending_decisions))
        if not prefers_lists(
            len({pending.wanted.subject for pending in pending_decisions}), len(packages)
        ):
            return [*pending_decisions]
        lists = _Lists(pending_decisions)
        async for package, page in self._graph.assignments_of(packages):
            lists.add(package, page)
            if lists.pages > MAX_LISTED_PACKAGES:
                return [*pending_decisions]
        lists.settle()
        return []

    async def read(
        self, pending_decisions: Sequence[PendingDecision]
    ) -> tuple[list[PendingDecision], UnresolvedDecision]:
        """Read what each subject holds; return the refused, and those not settled.

        Raises:
            Throttled, Unavailable: nothing is decided.
        """
        if not self.may_list_subjects:
            return [*pending_decisions], {}
        refused = await self._list([_as_given(pending) for pending in pending_decisions])
        if (
            pending_decisions
            and len(refused) == len(pending_decisions)
            and all(map(_is_about_permission, refused.values()))
        ):
            self._refused_until = self._clock.now() + REMEMBER_REFUSAL
        rest = [pending for pending in pending_decisions if pending not in refused]
        return [*refused], await self._by_other_id(rest, self._list)

    async def read_by_package(
        self, pending_decisions: Sequence[PendingDecision]
    ) -> UnresolvedDecision:
        """Read package by package, as Graph requires if the app has roles on catalogs only.

        Raises:
            Throttled, Unavailable: nothing is decided.
        """
        for pending in pending_decisions:
            if len(pending.against) > MAX_PACKAGES_READ:
                why = f"Graph is asked for {MAX_PACKAGES_READ} packages in one decision"
                pending.note_unread(
                    f"{len(pending.against) - MAX_PACKAGES_READ} packages more", why
                )
        allowance = _RequestBudget(self._clock)

        async def read(asked: Sequence[SubjectRead]) -> RefusedReads:
            await self._list_by_package(asked, allowance)
            return {}

        await read([_as_given(pending) for pending in pending_decisions])
        return await self._by_other_id(pending_decisions, read)

    async def _list(self, asked: Sequence[SubjectRead]) -> RefusedReads:
        by_id = _grouped((object_id, pending) for pending, object_id in asked)
        refused: dict[PendingDecision, Forbidden] = {}
        async for object_id, page in self._graph.assignments_of_subjects(by_id.keys()):
            if isinstance(page, Forbidden):
                refused |= dict.fromkeys(by_id[object_id], page)
                continue
            for pending in by_id[object_id]:
                if isinstance(page, GraphError):
                    pending.note_unread(f"the assignments of subject {object_id}", page)
                else:
                    pending.add(page, BY_SUBJECT)
        return refused

    async def _list_by_package(
        self, asked: Sequence[SubjectRead], allowance: _RequestBudget
    ) -> None:
        by_key = _grouped(
            ((object_id, package), pending)
            for pending, object_id in asked
            for package in sorted(pending.against)[:MAX_PACKAGES_READ]
        )
        left = [*by_key]
        while left and (size := allowance.take(len(left))):
            portion, left = left[:size], left[size:]
            async for key, page in self._graph.assignments_of_subjects_in(portion):
                _add(key, page, by_key[key])
        for pending, packages in Counter(
            pending for key in left for pending in by_key[key]
        ).items():
            pending.note_unread(
                f"whether {pending.wanted.subject} holds {packages} packages more", allowance.why
            )

    async def _by_other_id(
        self,
        pending_decisions: Sequence[PendingDecision],
        read: Callable[[Sequence[SubjectRead]], Awaitable[RefusedReads]],
    ) -> UnresolvedDecision:
        """Look again where nothing was found: the id may be the one in entitlement management."""
        nothing = [pending for pending in pending_decisions if not pending.held]
        if not nothing:
            return {}
        found = await self._subjects.identify({pending.wanted.subject for pending in nothing})
        again: list[SubjectRead] = []
        unsettled: dict[PendingDecision, str] = {}
        for pending in nothing:
            identity = found[pending.wanted.subject]
            pending.identify(identity)
            if identity.object_id is not None:
                again.append((pending, identity.object_id))
            elif identity.known is None:
                unsettled[pending] = identity.source
            elif identity.known:
                unsettled[pending] = "Graph lists by object id, and there is none yet"
        again = [each for each in again if each != _as_given(each[0])]
        refused = await read(again)
        return {**unsettled, **{pending: str(error) for pending, error in refused.items()}}


class _RequestBudget:
    """How much Graph may still be asked in one call, package by package.

    Attributes:
        why: nothing more is asked, once it is spent.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock, self._until = clock, clock.now() + MAX_READING_TIME
        self._left = MAX_SUBJECTS_READ
        self.why = ""

    def take(self, wanted: int) -> int:
        """How many of the wanted requests may be sent now; none is the end."""
        if self._clock.now() >= self._until:
            self.why = f"Graph is asked for {MAX_READING_TIME.seconds} seconds in one call"
            return 0
        size = min(wanted, self._left, _PORTION)
        self._left -= size
        if not size:
            self.why = f"Graph is asked package by package {MAX_SUBJECTS_READ} times in one call"
        return size


class _Lists:
    """From the lists of whole packages, what the subjects of the decisions hold, by any id."""

    def __init__(self, pending_decisions: Sequence[PendingDecision]) -> None:
        self._by_id = _grouped((pending.wanted.subject, pending) for pending in pending_decisions)
        self._held: list[tuple[PendingDecision, Assignment]] = []
        self._errors: dict[str, GraphError] = {}
        self.pages = 0

    def add(self, package: str, page: AssignmentPage | GraphError) -> None:
        if isinstance(page, GraphError):
            self._errors[package] = page
            return
        self.pages += 1
        for each in page:
            for known_id in (each.subject.id, each.subject.object_id):
                for pending in self._by_id.get(known_id or "", ()):
                    self._held.append((pending, replace(each, package_id=package)))

    def settle(self) -> None:
        for pending in (
            pending for pending_decisions in self._by_id.values() for pending in pending_decisions
        ):
            for package in sorted(pending.against & self._errors.keys()):
                pending.note_unread(
                    f"whether {pending.wanted.subject} holds {package}", self._errors[package]
                )
            pending.add((), BY_LIST)
        for pending, held in self._held:
            if held.package_id in pending.against:
                pending.held.append(held)


def _is_about_permission(error: Forbidden) -> bool:
    """Whether it refuses the list as a way of asking: no token, no licence are other matters."""
    return error.status == HTTPStatus.FORBIDDEN and not isinstance(error, Unlicensed)


def _add(
    key: tuple[str, str],
    page: AssignmentPage | GraphError,
    pending_decisions: Iterable[PendingDecision],
) -> None:
    object_id, package = key
    for pending in pending_decisions:
        if isinstance(page, GraphError):
            pending.note_unread(f"whether {object_id} holds {package}", page)
        else:
            known = (replace(each, package_id=each.package_id or package) for each in page)
            pending.add(known, BY_PACKAGE)


def _as_given(pending: PendingDecision) -> SubjectRead:
    return pending, pending.wanted.subject


def _grouped[K](pairs: Iterable[tuple[K, PendingDecision]]) -> dict[K, list[PendingDecision]]:
    found: dict[K, list[PendingDecision]] = {}
    for key, pending in pairs:
        found.setdefault(key, []).append(pending)
    return found
