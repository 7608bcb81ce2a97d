"""Holders by their user principal names, as the last sweep read them."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from entra_sod.core.clock import Clock
from entra_sod.core.parallel import in_parallel
from entra_sod.domain.detection.index import IndexFile, IndexNames
from entra_sod.domain.entra import Subject
from entra_sod.domain.subjects.names import comparable_name
from entra_sod.domain.text import fold
from entra_sod.services.sweeps.summary import last_summary
from entra_sod.stores.sweeps import SweepStore

# A name may be given to another person. So an index names subjects only while sweeps are regular.
MAX_INDEX_AGE = timedelta(days=3)
NO_INDEX = f"no sweep of the last {MAX_INDEX_AGE.days} days tells who has the name"
_TO_THE_END = 2**31 - 1


@dataclass(frozen=True, slots=True)
class HoldersByName:
    """What the index has of some names.

    Attributes:
        source: the index as coverage names it; or why there is none.
        holders: of each name; None if there is no index.
    """

    source: str
    holders: Mapping[str, Sequence[Subject]] | None = None


@dataclass(frozen=True, slots=True)
class HoldersIndex:
    """Reads holders by name from the index of the last sweep."""

    store: SweepStore
    clock: Clock

    async def named(self, names: Collection[str]) -> HoldersByName:
        """Read who has each of the names, each subject once."""
        last = await last_summary(self.store)
        if last is None or self.clock.now() - last.as_of > MAX_INDEX_AGE:
            return HoldersByName(NO_INDEX)
        files = [each for each in last.index if each.names_start is not None]
        try:
            opened = await in_parallel(partial(_open, self.store), files)
        except LookupError:  # its files are deleted
            return HoldersByName(NO_INDEX)
        return HoldersByName(last.name, {name: _of(name, opened) for name in names})


async def subjects_with(
    store: SweepStore, files: Sequence[IndexFile], part: str
) -> AbstractSet[str]:
    """Find whose user principal name has a text in it, in any case.

    Args:
        store: where the index is kept.
        files: of the index; one of an earlier version has no names.
        part: of a name; none has a blank in it.

    Returns:
        The subjects' ids in entitlement management.

    Raises:
        LookupError: a file of the index is gone.
    """
    wanted = fold(part.strip())
    if not wanted or " " in wanted:
        return frozenset()

    # One set for all files: most subjects are in many of them.
    found = set[str]()

    async def read(file: IndexFile) -> None:
        names = await _open(store, file)
        # In a thread: thousands of names are compared, and others wait for the loop.
        found.update(await asyncio.to_thread(_with_part, names, wanted))

    await in_parallel(read, (each for each in files if each.names_start is not None))
    return found


def _with_part(names: IndexNames, wanted: str) -> AbstractSet[str]:
    return frozenset(each.subject_id for each in names.all() if wanted in _folded(each.name))


def _folded(name: str) -> str:
    """As `fold`, twenty times as fast for what nearly all names are."""
    return name.lower() if name.isascii() else fold(name)


async def _open(store: SweepStore, file: IndexFile) -> IndexNames:
    return IndexNames(await store.blob_range(file.blob, file.names_start or 0, _TO_THE_END))


def _of(name: str, files: Sequence[IndexNames]) -> list[Subject]:
    key = comparable_name(name)
    found = [each.subject for file in files for each in file.named(key)]
    return list({each.key: each for each in found}.values())
