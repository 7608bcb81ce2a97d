"""Finds subjects by name in the newest sweep's index, and holds few of them in memory at once."""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain

from entra_sod.core.clock import timestamp
from entra_sod.core.names import cut
from entra_sod.core.parallel import in_parallel
from entra_sod.domain.detection.index import IndexedAssignment, IndexFile, bucket_groups
from entra_sod.domain.findings.model import FindingState
from entra_sod.domain.results.coverage import Skipped
from entra_sod.domain.text import fold
from entra_sod.ports.storage import Condition, Where
from entra_sod.services.rules.provider import RulesProvider
from entra_sod.services.subjects.from_index import subjects_with
from entra_sod.services.subjects.index import IndexMissing, read_known_holders
from entra_sod.services.subjects.view import SubjectPage, SubjectSummary
from entra_sod.services.sweeps.index import open_index, read_buckets
from entra_sod.stores.findings import FindingStore
from entra_sod.stores.sweeps import SweepStore

MAX_ASSIGNMENTS_AT_ONCE = 20_000
MAX_ORDERED_LENGTH = 100  # letters of a name that count for the order
# A query of a table takes 15 comparisons: four states, and two ids of each subject.
MAX_SUBJECTS_IN_QUERY = 5

type SubjectPosition = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectQuery:
    """Subjects with `search` in a name, or as an id: `limit` behind the place `after`."""

    search: str
    limit: int
    after: SubjectPosition | None = None


@dataclass(frozen=True, slots=True)
class FoundSubject:
    """A subject of the index, its place in the order, and how many packages it holds."""

    position: SubjectPosition
    shown: IndexedAssignment
    packages: int

    @property
    def ids(self) -> Sequence[str]:
        return self.shown.subject.ids


@dataclass(frozen=True, slots=True)
class FoundSubjects:
    """The first of those behind a place, and how many fit in all."""

    first: Sequence[FoundSubject]
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectSearch:
    """Answers `GET /subjects`."""

    sweeps: SweepStore
    findings: FindingStore
    rules: RulesProvider

    async def find(self, query: SubjectQuery) -> tuple[SubjectPage, SubjectPosition | None]:
        """Find a page of subjects, and where the next one begins, if any.

        Raises:
            IndexMissing: no index can be read.
        """
        known = await read_known_holders(self.sweeps, self.rules)
        summary = known.summary
        try:
            found = await find_in_index(self.sweeps, summary.index, query)
        except LookupError as error:
            raise IndexMissing(f"The index of sweep {summary.sweep_id} is gone: {error}.") from None
        page, has_more = found.first[: query.limit], len(found.first) > query.limit
        standing = await self._standing(page)
        nameless = list(_without_names(summary.index, query.search))
        view = SubjectPage(
            sweep=summary.sweep_id,
            as_of=timestamp(summary.as_of),
            is_whole=known.is_whole and not nameless,
            not_read=[*known.gaps, *nameless],
            subjects=[_summary(each, standing) for each in page],
            total=found.total,
            more=has_more,
        )
        return view, page[-1].position if has_more else None

    async def _standing(self, page: Sequence[FoundSubject]) -> Mapping[str, int]:
        """How many findings stand, by the subject's id in entitlement management."""
        if not page:
            return {}
        keys = {each: found.shown.subject_id for found in page for each in found.ids}
        counted = Counter[str]()
        async for stored in self.findings.all(where=[*_standing_only(), *_of_few(page)]):
            of = {keys[each] for each in stored.finding.subject_ids if each in keys}
            counted.update(of)
        return counted


def _without_names(files: Sequence[IndexFile], search: str) -> Iterator[Skipped]:
    """Say if a search could not look at user principal names."""
    if search.strip() and any(each.names_start is None for each in files):
        why = "an earlier version of the app wrote the index without them: start a sweep"
        yield Skipped(what="the user principal names of subjects", why=why)


def _standing_only() -> Where:
    return [[Condition("state", "eq", str(each)) for each in FindingState if each.is_held]]


def _of_few(page: Sequence[FoundSubject]) -> Where:
    """Let the storage service filter by a few subjects; for many, read all findings."""
    if len(page) > MAX_SUBJECTS_IN_QUERY:
        return []
    named = [("subjectId", each.shown.subject_id) for each in page]
    named += [("objectId", each.shown.object_id) for each in page if each.shown.object_id]
    return [[Condition(name, "eq", value) for name, value in named]]


def _summary(found: FoundSubject, standing: Mapping[str, int]) -> SubjectSummary:
    shown = found.shown
    return SubjectSummary(
        subject_id=shown.subject_id,
        object_id=shown.object_id,
        display_name=None if shown.display_name is None else cut(shown.display_name),
        subject_type=shown.subject_type,
        packages=found.packages,
        findings=standing.get(shown.subject_id, 0),
    )


async def find_in_index(
    store: SweepStore, files: Sequence[IndexFile], query: SubjectQuery
) -> FoundSubjects:
    """Go through an index, a few of its buckets at a time.

    Raises:
        LookupError: a file of the index is gone.
    """
    by_name = await subjects_with(store, files, query.search)
    opened = await in_parallel(partial(open_index, store), files)
    first, total = list[FoundSubject](), 0
    every = sum(each.assignments for each in files)
    for buckets in bucket_groups(every, MAX_ASSIGNMENTS_AT_ONCE):
        parts = await in_parallel(partial(read_buckets, store, buckets), opened)
        # In a thread: thousands of names are compared, and others wait for the loop.
        held = chain.from_iterable(parts)
        first, fitting = await asyncio.to_thread(_merged, first, held, query, by_name)
        total += fitting
    return FoundSubjects(first, total)


def _merged(
    first: Sequence[FoundSubject],
    held: Iterable[tuple[str, IndexedAssignment]],
    query: SubjectQuery,
    by_name: Container[str],
) -> tuple[list[FoundSubject], int]:
    """The first subjects with those of more buckets, and how many of these fit."""
    fitting = list(fitting_subjects(held, query.search, by_name))
    behind = (each for each in fitting if query.after is None or each.position > query.after)
    merged = heapq.nsmallest(query.limit + 1, chain(first, behind), key=lambda each: each.position)
    return merged, len(fitting)


def fitting_subjects(
    held: Iterable[tuple[str, IndexedAssignment]], search: str, by_name: Container[str] = ()
) -> Iterator[FoundSubject]:
    """Yield each subject that fits a search.

    Args:
        held: assignments, with all that a subject holds.
        search: a part of the display name, or an id.
        by_name: the subjects whose user principal name fits, by their ids.
    """
    shown, packages = dict[str, IndexedAssignment](), dict[str, set[str]]()
    for package, each in held:
        known = shown.get(each.subject_id)
        if known is None or (known.display_name is None and each.display_name is not None):
            shown[each.subject_id] = each
        packages.setdefault(each.subject_id, set()).add(package)
    wanted, wanted_id = fold(search), search.strip().lower()
    for subject_id, each in shown.items():
        folded = fold(each.display_name or "")
        ids = (subject_id.lower(), (each.object_id or "").lower())
        if wanted in folded or wanted_id in ids or subject_id in by_name:
            position = (folded[:MAX_ORDERED_LENGTH], subject_id)
            yield FoundSubject(position, each, len(packages[subject_id]))
