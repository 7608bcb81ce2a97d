"""The index of a whole sweep, out of the files of its parts: merged into fewer, and joined.

The join reads the same few buckets of every file, again and again. Where each of a thousand parts
has a file of its own that is tens of thousands of readings; so small files are first put together.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from functools import partial
from itertools import chain

from entra_sod.core.parallel import in_parallel
from entra_sod.domain.detection.index import (
    IndexedAssignment,
    IndexFile,
    IndexWriter,
    bucket_groups,
    names_start,
)
from entra_sod.domain.detection.join import DetectedConflict, join
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.domain.rules.toxic import NO_TOXIC_PACKAGES, ToxicPackages
from entra_sod.services.sweeps.index import OpenIndex, open_index, read_buckets
from entra_sod.stores.sweeps import SweepStore

# Assignments that are held at once, however large the tenant is.
MAX_ASSIGNMENTS_AT_ONCE = 20_000


async def merge_index(
    store: SweepStore, sweep_id: str, files: Sequence[IndexFile]
) -> list[IndexFile]:
    """Put small files together; one that is large enough stays as it is."""
    return [await _merged(store, sweep_id, group) for group in _grouped(files)]


def _grouped(files: Sequence[IndexFile]) -> Iterator[Sequence[IndexFile]]:
    group: list[IndexFile] = []
    size = 0
    for file in files:
        if group and size + file.assignments > MAX_ASSIGNMENTS_AT_ONCE:
            yield group
            group, size = [], 0
        group.append(file)
        size += file.assignments
    if group:
        yield group


async def _merged(store: SweepStore, sweep_id: str, group: Sequence[IndexFile]) -> IndexFile:
    if len(group) == 1:
        return group[0]
    places = list(dict.fromkeys(chain.from_iterable(each.places for each in group)))
    writer = IndexWriter(places)
    read = await in_parallel(store.blob, [each.blob for each in group])
    for file, data in zip(group, read, strict=True):
        writer.add_file(file.places, data)
    merged = writer.finish()
    return IndexFile(
        blob=await store.store_blob(sweep_id, "index-merged", merged),
        places=places,
        assignments=sum(each.assignments for each in group),
        names_start=names_start(merged),
    )


async def conflicts_of(
    store: SweepStore,
    files: Sequence[IndexFile],
    rules: RuleSet,
    holders: Counter[str],
    *,
    read: Collection[str],
    toxic: ToxicPackages = NO_TOXIC_PACKAGES,
) -> AsyncIterator[DetectedConflict]:
    """Join the whole index, a few of its buckets at a time, and count the holders of packages.

    Args:
        store: that has the files.
        files: of the index.
        rules: in force.
        holders: counts are added to it.
        read: packages whose assignments the index has to their end.
        toxic: packages that meet rules by themselves.
    """
    unread = rules.found_only_packages.difference(read)
    opened = await in_parallel(partial(open_index, store), files)
    assignments = sum(each.assignments for each in files)
    joined = partial(_joined, rules=rules, unread=unread, holders=holders, toxic=toxic)
    for buckets in bucket_groups(assignments, MAX_ASSIGNMENTS_AT_ONCE):
        for conflict in await _join_buckets(store, opened, buckets, joined):
            yield conflict


# A function, so that one group's assignments are gone before the next ones are read.
async def _join_buckets(
    store: SweepStore,
    opened: Sequence[OpenIndex],
    buckets: range,
    joined: Callable[[Sequence[tuple[str, IndexedAssignment]]], Sequence[DetectedConflict]],
) -> Sequence[DetectedConflict]:
    read = await in_parallel(partial(read_buckets, store, buckets), opened)
    held = list(chain.from_iterable(read))
    # In a thread: a subject may hold thousands of packages, which are all compared.
    return await asyncio.to_thread(joined, held)


def _joined(
    held: Sequence[tuple[str, IndexedAssignment]],
    rules: RuleSet,
    unread: frozenset[str],
    holders: Counter[str],
    toxic: ToxicPackages,
) -> Sequence[DetectedConflict]:
    # A subject may hold a package by two policies.
    known: dict[str, set[str]] = {}
    for package, each in held:
        known.setdefault(each.subject_id, set()).add(package)
    holders.update(chain.from_iterable(known.values()))
    return list(join(held, rules, unread, toxic))
