"""Who holds what by the newest sweep's index, for subjects known by either of their ids."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from entra_sod.core.parallel import in_parallel
from entra_sod.domain.detection.index import (
    TABLE_BYTES,
    Held,
    IndexDirectory,
    IndexFile,
    IndexTable,
    bucket_of,
    bucket_runs,
)
from entra_sod.domain.entra import Assignment, Subject
from entra_sod.services.sweeps import summary
from entra_sod.stores.sweeps import SweepStore

_TO_THE_END = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepIndex:
    """What the newest sweep that was closed has read.

    Attributes:
        as_of: all of it was read after that moment; what has come since may be missing.
        packages: whose assignments were read to their end.
        unread: packages that it wanted to read and could not, and why.
    """

    sweep_id: str
    as_of: datetime
    packages: Collection[str]
    unread: Mapping[str, str]
    files: Sequence[IndexFile]

    def knows(self, packages: Collection[str]) -> bool:
        """Whether of each it can say who holds it, or why nobody can; of others it is silent."""
        return all(each in self.packages or each in self.unread for each in packages)


async def newest_index(store: SweepStore) -> SweepIndex | None:
    """Give the index of the newest closed sweep, unless an older version of the app made it."""
    last = await summary.last_summary(store)
    if last is None or last.as_of is None:
        return None
    return SweepIndex(
        sweep_id=last.sweep_id,
        as_of=last.as_of,
        packages=last.pages.keys(),
        unread=last.unread,
        files=last.index,
    )


async def held_by_index(
    store: SweepStore, index: SweepIndex, subjects: Collection[str], packages: Collection[str]
) -> Mapping[str, Sequence[Assignment]]:
    """Look up who of the subjects holds which of the packages.

    Args:
        store: where the index is kept.
        index: the newest one.
        subjects: object ids, or ids in entitlement management.
        packages: of which the index knows.

    Raises:
        LookupError: a file of the index is gone, or an older version of the app wrote it.
    """
    files = [each for each in index.files if not set(packages).isdisjoint(each.places)]
    opened = await in_parallel(partial(_open, store), files)
    found: defaultdict[str, dict[str, Assignment]] = defaultdict(dict)
    # All that one subject holds is in the same bucket of every file.
    for run in bucket_runs(_buckets(subjects, opened)):
        parts = await in_parallel(partial(_read, store, run), opened)
        held = [each for part in parts for each in part]
        for asked, assignment in _matched(subjects, held):
            if assignment.package_id in packages:
                found[asked][assignment.id] = assignment
    return {asked: list(assignments.values()) for asked, assignments in found.items()}


@dataclass(frozen=True, slots=True)
class _Opened:
    file: IndexFile
    table: IndexTable
    directory: IndexDirectory


async def _open(store: SweepStore, file: IndexFile) -> _Opened:
    table = IndexTable(await store.blob_range(file.blob, 0, TABLE_BYTES))
    directory = await store.blob_range(file.blob, table.directory_start, _TO_THE_END)
    if not directory:
        raise LookupError(f"the index {file.blob} has no directory")
    return _Opened(file, table, IndexDirectory(directory))


def _buckets(subjects: Collection[str], opened: Sequence[_Opened]) -> set[int]:
    by_object_id = (
        bucket
        for each in opened
        for asked in subjects
        for bucket in each.directory.buckets_of(asked)
    )
    return {*map(bucket_of, subjects), *by_object_id}


async def _read(store: SweepStore, run: range, opened: _Opened) -> list[tuple[str, Held]]:
    start, length = opened.table.span(run)
    data = await store.blob_range(opened.file.blob, start, length)
    places = opened.file.places
    return [(places[each.package], each) for each in opened.table.unpack(data, run)]


def _matched(
    subjects: Collection[str], held: Sequence[tuple[str, Held]]
) -> Iterator[tuple[str, Assignment]]:
    """The assignments of each subject asked for, those without an object id among them."""
    asked_as: defaultdict[str, set[str]] = defaultdict(set)
    for asked in subjects:
        asked_as[asked].add(asked)
    for _, each in held:
        if each.object_id is not None and each.object_id in subjects:
            asked_as[each.subject_id].add(each.object_id)
    for package, each in held:
        for asked in asked_as.get(each.subject_id, ()):
            yield asked, _assignment(package, each)


def _assignment(package: str, held: Held) -> Assignment:
    return Assignment(
        id=held.assignment_id,
        subject=Subject(
            id=held.subject_id, object_id=held.object_id, display_name=held.display_name
        ),
        state=held.state,
        package_id=package,
        start=held.start,
        end=held.end,
    )
