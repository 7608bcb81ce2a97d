"""How many subjects hold packages, and two of them together, by the newest sweep's index."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, combinations

from entra_sod.core.parallel import in_parallel
from entra_sod.domain.detection.index import IndexedAssignment, IndexFile, bucket_groups
from entra_sod.domain.entra import Pair
from entra_sod.services.sweeps.index import open_index, read_buckets
from entra_sod.stores.sweeps import SweepStore

MAX_ASSIGNMENTS_COUNTED_AT_ONCE = 20_000


@dataclass(slots=True, kw_only=True)
class HolderCounts:
    """Subjects, counted; none of them is named.

    Attributes:
        packages: whose holders are counted.
        pairs: two packages each, whose common holders are counted.
    """

    packages: frozenset[str]
    pairs: frozenset[Pair]
    holders: Counter[str] = field(default_factory=Counter)
    common: Counter[Pair] = field(default_factory=Counter)

    def add(self, held: Iterable[tuple[str, IndexedAssignment]]) -> None:
        """Count the holders in assignments that have all that each subject holds."""
        by_subject = dict[str, set[str]]()
        for package, each in held:
            if package in self.packages:
                by_subject.setdefault(each.subject_id, set()).add(package)
        self.add_subjects(by_subject.values())

    def add_subjects(self, held: Iterable[Collection[str]]) -> None:
        """Count subjects, of each the packages that it holds."""
        for packages in held:
            self.holders.update(packages)
            pairs = (Pair.of(one, other) for one, other in combinations(packages, 2))
            self.common.update(pair for pair in pairs if pair in self.pairs)

    def both(self, one: str, other: str) -> int:
        return 0 if one == other else self.common[Pair.of(one, other)]


async def count_holders(
    store: SweepStore, files: Sequence[IndexFile], counts: HolderCounts
) -> HolderCounts:
    """Count the holders in an index, a few of its buckets at a time.

    Raises:
        LookupError: a file of the index is gone.
    """
    concerned = [each for each in files if not counts.packages.isdisjoint(each.places)]
    opened = await in_parallel(partial(open_index, store), concerned)
    every = sum(each.assignments for each in concerned)
    for buckets in bucket_groups(every, MAX_ASSIGNMENTS_COUNTED_AT_ONCE):
        parts = await in_parallel(partial(read_buckets, store, buckets), opened)
        await asyncio.to_thread(counts.add, chain.from_iterable(parts))
    return counts
