"""Answers questions by asking Graph what subjects hold, whichever of their two ids is given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus

from entra_sod.core.clock import Clock
from entra_sod.core.errors import Forbidden, GraphError, NotFound, Unlicensed
from entra_sod.domain.decisions.strategy import MAX_LISTED_PACKAGES, prefers_lists
from entra_sod.domain.entra import Assignment
from entra_sod.ports.graph import AssignmentPage, Graph
from entra_sod.services.decisions.case import Case

BY_SUBJECT, BY_PACKAGE = "assignments of the subject", "assignments of the subject, by package"
BY_LIST, BY_OTHER_ID = "assignments of the packages", "subject by id"
# Of one subject where the app's rights are on catalogs only: five batches.
MOST_PACKAGES_ASKED = 100
# Of all subjects of one call, package by package: 50 s at the usual rate. Callers wait for it, a
# Logic App for two minutes, and Azure's load balancer for less than four.
MOST_ASKED = 500
LONGEST_ASKING = timedelta(seconds=60)
_PORTION = 100  # requests, between looks at the clock
REMEMBER_REFUSAL = timedelta(hours=1)

# A question, and the object id by which Graph is asked.
type Asked = tuple[Case, str]
type Refusals = Mapping[Case, Forbidden]
# Where Graph does not say under which object id to look, and why.
type Unsettled = Mapping[Case, str]


class GraphReader:
    """Reads live; remembers what this app may not do."""

    def __init__(self, graph: Graph, clock: Clock) -> None:
        self._graph, self._clock = graph, clock
        self._refused_until: datetime | None = None

    @property
    def may_list(self) -> bool:
        """Whether Graph lists all that a subject holds, as far as is known."""
        return self._refused_until is None or self._clock.now() >= self._refused_until

    async def read_lists(self, cases: Sequence[Case]) -> list[Case]:
        """Read whole packages for many subjects; return all as they were where these are long.

        Raises:
            Throttled, Unavailable: nothing is decided.
        """
        packages = frozenset[str]().union(*(case.against for case in cases))
        if not prefers_lists(len({case.wish.subject for case in cases}), len(packages)):
            return [*cases]
        lists = _Lists(cases)
        async for package, page in self._graph.assignments_of(packages):
            lists.add(package, page)
            if lists.pages > MAX_LISTED_PACKAGES:
                return [*cases]
        lists.settle()
        return []

    async def read(self, cases: Sequence[Case]) -> tuple[list[Case], Unsettled]:
        """Read what each subject holds; return the refused, and those not settled.

        Raises:
            Throttled, Unavailable: nothing is decided.
        """
        if not self.may_list:
            return [*cases], {}
        refused = await self._list([_as_given(case) for case in cases])
        if cases and len(refused) == len(cases) and all(map(_is_of_the_way, refused.values())):
            self._refused_until = self._clock.now() + REMEMBER_REFUSAL
        rest = [case for case in cases if case not in refused]
        return [*refused], await self._by_other_id(rest, self._list)

    async def read_by_package(self, cases: Sequence[Case]) -> Unsettled:
        """Where the app's rights are on catalogs only, Graph wants every package named.

        Raises:
            Throttled, Unavailable: nothing is decided.
        """
        for case in cases:
            if len(case.against) > MOST_PACKAGES_ASKED:
                why = f"Graph is asked for {MOST_PACKAGES_ASKED} packages in one decision"
                case.miss(f"{len(case.against) - MOST_PACKAGES_ASKED} packages more", why)
        allowance = _Allowance(self._clock)

        async def read(asked: Sequence[Asked]) -> Refusals:
            await self._list_by_package(asked, allowance)
            return {}

        await read([_as_given(case) for case in cases])
        return await self._by_other_id(cases, read)

    async def _list(self, asked: Sequence[Asked]) -> Refusals:
        by_id = _grouped((object_id, case) for case, object_id in asked)
        refused: dict[Case, Forbidden] = {}
        async for object_id, page in self._graph.assignments_of_subjects(by_id.keys()):
            if isinstance(page, Forbidden):
                refused |= dict.fromkeys(by_id[object_id], page)
                continue
            for case in by_id[object_id]:
                if isinstance(page, GraphError):
                    case.miss(f"the assignments of subject {object_id}", page)
                else:
                    case.add(page, BY_SUBJECT)
        return refused

    async def _list_by_package(self, asked: Sequence[Asked], allowance: _Allowance) -> None:
        by_key = _grouped(
            ((object_id, package), case)
            for case, object_id in asked
            for package in sorted(case.against)[:MOST_PACKAGES_ASKED]
        )
        left = [*by_key]
        while left and (size := allowance.take(len(left))):
            portion, left = left[:size], left[size:]
            async for key, page in self._graph.assignments_of_subjects_in(portion):
                _add(key, page, by_key[key])
        for case, packages in Counter(case for key in left for case in by_key[key]).items():
            case.miss(f"whether {case.wish.subject} holds {packages} packages more", allowance.why)

    async def _by_other_id(
        self, cases: Sequence[Case], read: Callable[[Sequence[Asked]], Awaitable[Refusals]]
    ) -> Unsettled:
        """Look again where nothing was found: the id may be the one in entitlement management."""
        nothing = [case for case in cases if not case.held]
        if not nothing:
            return {}
        people = await self._graph.subjects_by_id({case.wish.subject for case in nothing})
        again: list[Asked] = []
        unsettled: dict[Case, str] = {}
        for case in nothing:
            person = people[case.wish.subject]
            if isinstance(person, NotFound):
                # An object id, then, of somebody who holds nothing; or of nobody.
                case.look(_unknown(case.wish.subject), BY_OTHER_ID)
                continue
            if isinstance(person, GraphError):
                unsettled[case] = str(person)
            elif person.object_id is None:
                unsettled[case] = "Graph lists by object id, and there is none yet"
            else:
                again.append((case, person.object_id))
        refused = await read(again)
        return {**unsettled, **{case: str(error) for case, error in refused.items()}}


class _Allowance:
    """How much Graph may still be asked in one call, package by package.

    Attributes:
        why: nothing more is asked, once it is spent.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock, self._until = clock, clock.now() + LONGEST_ASKING
        self._left = MOST_ASKED
        self.why = ""

    def take(self, wanted: int) -> int:
        """How many of the wanted requests may be sent now; none is the end."""
        if self._clock.now() >= self._until:
            self.why = f"Graph is asked for {LONGEST_ASKING.seconds} seconds in one call"
            return 0
        size = min(wanted, self._left, _PORTION)
        self._left -= size
        if not size:
            self.why = f"Graph is asked package by package {MOST_ASKED} times in one call"
        return size


class _Lists:
    """Of whole packages, what is held by whoever is asked about, by whichever id."""

    def __init__(self, cases: Sequence[Case]) -> None:
        self._by_id = _grouped((case.wish.subject, case) for case in cases)
        self._held: list[tuple[Case, Assignment]] = []
        self._errors: dict[str, GraphError] = {}
        self.pages = 0

    def add(self, package: str, page: AssignmentPage | GraphError) -> None:
        if isinstance(page, GraphError):
            self._errors[package] = page
            return
        self.pages += 1
        for each in page:
            for known_id in (each.subject.id, each.subject.object_id):
                for case in self._by_id.get(known_id or "", ()):
                    self._held.append((case, replace(each, package_id=package)))

    def settle(self) -> None:
        for case in (case for cases in self._by_id.values() for case in cases):
            for package in sorted(case.against & self._errors.keys()):
                case.miss(f"whether {case.wish.subject} holds {package}", self._errors[package])
            case.add((), BY_LIST)
        for case, held in self._held:
            if held.package_id in case.against:
                case.held.append(held)


def _is_of_the_way(error: Forbidden) -> bool:
    """Whether it refuses the list as a way of asking: no token, no licence are other matters."""
    return error.status == HTTPStatus.FORBIDDEN and not isinstance(error, Unlicensed)


def _add(key: tuple[str, str], page: AssignmentPage | GraphError, cases: Iterable[Case]) -> None:
    object_id, package = key
    for case in cases:
        if isinstance(page, GraphError):
            case.miss(f"whether {object_id} holds {package}", page)
        else:
            known = (replace(each, package_id=each.package_id or package) for each in page)
            case.add(known, BY_PACKAGE)


def _unknown(subject: str) -> str:
    return (
        f"who {subject} is: entitlement management knows no such subject, so it is taken for the "
        "object id of somebody who holds nothing"
    )


def _as_given(case: Case) -> Asked:
    return case, case.wish.subject


def _grouped[K](pairs: Iterable[tuple[K, Case]]) -> dict[K, list[Case]]:
    found: dict[K, list[Case]] = {}
    for key, case in pairs:
        found.setdefault(key, []).append(case)
    return found
