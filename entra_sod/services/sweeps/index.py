"""Who holds what by the newest sweep's index, for subjects known by either of their ids."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from entra_sod.core.parallel import in_parallel
from entra_sod.domain.detection.index import (
    TABLE_BYTES,
    IndexDirectory,
    IndexedAssignment,
    IndexFile,
    IndexTable,
    bucket_of,
    bucket_runs,
)
from entra_sod.domain.entra import Assignment
from entra_sod.stores.sweeps import SweepStore

_TO_THE_END = 2**31 - 1


async def held_by_index(
    store: SweepStore,
    files: Sequence[IndexFile],
    subjects: Collection[str],
) -> Mapping[str, Sequence[Assignment]]:
    """Look up who of the subjects holds which packages.

    Args:
        store: where the index is kept.
        files: of the newest index.
        subjects: object ids, or ids in entitlement management.

    Raises:
        LookupError: a file of the index is gone.
    """
    opened = await in_parallel(partial(open_index, store), files)
    directories = await in_parallel(partial(_directory, store), opened)
    found: defaultdict[str, dict[str, Assignment]] = defaultdict(dict)
    # All that one subject holds is in the same bucket of every file.
    for run in bucket_runs(_buckets(subjects, directories)):
        parts = await in_parallel(partial(read_buckets, store, run), opened)
        held = [each for part in parts for each in part]
        for asked, assignment in _matched(subjects, held):
            found[asked][assignment.id] = assignment
    return {asked: list(assignments.values()) for asked, assignments in found.items()}


@dataclass(frozen=True, slots=True)
class OpenIndex:
    file: IndexFile
    table: IndexTable


async def open_index(store: SweepStore, file: IndexFile) -> OpenIndex:
    return OpenIndex(file, IndexTable(await store.blob_range(file.blob, 0, TABLE_BYTES)))


async def read_buckets(
    store: SweepStore, buckets: range, opened: OpenIndex
) -> list[tuple[str, IndexedAssignment]]:
    """What a file has in some of its buckets, each with its package."""
    start, length = opened.table.span(buckets)
    data = await store.blob_range(opened.file.blob, start, length)
    places = opened.file.places
    return [(places[each.package], each) for each in opened.table.unpack(data, buckets)]


async def _directory(store: SweepStore, opened: OpenIndex) -> IndexDirectory:
    start, names_start = opened.table.directory_start, opened.file.names_start
    length = _TO_THE_END if names_start is None else names_start - start
    return IndexDirectory(await store.blob_range(opened.file.blob, start, length))


def _buckets(subjects: Collection[str], directories: Sequence[IndexDirectory]) -> set[int]:
    by_object_id = (
        bucket for each in directories for asked in subjects for bucket in each.buckets_of(asked)
    )
    return {*map(bucket_of, subjects), *by_object_id}


def _matched(
    subjects: Collection[str], held: Sequence[tuple[str, IndexedAssignment]]
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


def _assignment(package: str, held: IndexedAssignment) -> Assignment:
    return Assignment(
        id=held.assignment_id,
        subject=held.subject,
        state=held.state,
        package_id=package,
        start=held.start,
        end=held.end,
    )
