"""Holders by their user principal names, as the last sweep read them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from entra_sod.core.clock import Clock
from entra_sod.core.parallel import in_parallel
from entra_sod.domain.detection.index import IndexFile, IndexNames
from entra_sod.domain.entra import Subject
from entra_sod.domain.subjects.names import comparable_name
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
            opened = await in_parallel(self._open, files)
        except LookupError:  # its files are deleted
            return HoldersByName(NO_INDEX)
        return HoldersByName(last.name, {name: _of(name, opened) for name in names})

    async def _open(self, file: IndexFile) -> IndexNames:
        start = file.names_start or 0
        return IndexNames(await self.store.blob_range(file.blob, start, _TO_THE_END))


def _of(name: str, files: Sequence[IndexNames]) -> list[Subject]:
    key = comparable_name(name)
    found = [each.subject for file in files for each in file.named(key)]
    return list({each.key: each for each in found}.values())
