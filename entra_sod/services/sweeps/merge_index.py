"""The index of a whole sweep, out of the files of its parts: merged into fewer, and joined.

The join reads the same few buckets of every file, again and again. Where each of a thousand parts
has a file of its own that is tens of thousands of readings; so small files are first put together.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import batched, chain

from entra_sod.domain.detection.index import (
    TABLE_BYTES,
    Held,
    IndexFile,
    IndexTable,
    IndexWriter,
    bucket_groups,
)
from entra_sod.domain.detection.join import Conflict, join
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.stores.sweeps import SweepStore

# Assignments that are held at once, however large the tenant is.
MAX_ASSIGNMENTS_AT_ONCE = 20_000
READS_AT_ONCE = 8


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
    for some in batched(group, READS_AT_ONCE, strict=False):
        read = await asyncio.gather(*(store.blob(each.blob) for each in some))
        for file, data in zip(some, read, strict=True):
            writer.add_file(file.places, data)
    blob = await store.keep_blob(sweep_id, "index-merged", writer.finish())
    return IndexFile(blob=blob, places=places, assignments=sum(each.assignments for each in group))


async def conflicts_of(
    store: SweepStore, files: Sequence[IndexFile], rules: RuleSet
) -> AsyncIterator[Conflict]:
    """Join the whole index, a few of its buckets at a time."""
    tables = [IndexTable(await store.blob_range(each.blob, 0, TABLE_BYTES)) for each in files]
    assignments = sum(each.assignments for each in files)
    for buckets in bucket_groups(assignments, MAX_ASSIGNMENTS_AT_ONCE):
        held: list[tuple[str, Held]] = []
        for some in batched(zip(files, tables, strict=True), READS_AT_ONCE, strict=False):
            read = await asyncio.gather(*(_read(store, *each, buckets) for each in some))
            held += chain.from_iterable(read)
        # In a thread: a subject may hold thousands of packages, which are all compared.
        for conflict in await asyncio.to_thread(_joined, held, rules):
            yield conflict


def _joined(held: Sequence[tuple[str, Held]], rules: RuleSet) -> Sequence[Conflict]:
    return list(join(held, rules))


async def _read(
    store: SweepStore, file: IndexFile, table: IndexTable, buckets: range
) -> Sequence[tuple[str, Held]]:
    start, length = table.span(buckets)
    data = await store.blob_range(file.blob, start, length)
    return [(file.places[each.package], each) for each in table.unpack(data, buckets)]
