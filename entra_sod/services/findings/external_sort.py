"""Sightings in the order of their ids, however many there are: sorted in runs, merged while read.

Findings lie in the order of their ids, and observed conflicts come in any order. So they are sorted
a few mebibytes at a time and written out, and the files are read side by side, a piece of each at a
time.
"""

from __future__ import annotations

import heapq
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import msgspec

from entra_sod.domain.findings.model import ObservedConflict
from entra_sod.stores.sweeps import SweepStore

MAX_RUN_BYTES = 4 * 2**20
PIECE_BYTES = 128 * 1024
_decoder = msgspec.json.Decoder(ObservedConflict)


@dataclass(frozen=True, slots=True)
class SortedFile:
    name: str
    size: int


class ExternalSorter:
    """Takes the observed conflicts of a sweep in any order."""

    def __init__(self, store: SweepStore, sweep_id: str) -> None:
        self._store, self._sweep_id = store, sweep_id
        self._held: list[tuple[str, bytes]] = []
        self._size = 0
        self._written: list[SortedFile] = []

    async def add(self, conflict: ObservedConflict) -> None:
        line = msgspec.json.encode(conflict) + b"\n"
        self._held.append((conflict.id, line))
        self._size += len(line)
        if self._size >= MAX_RUN_BYTES:
            await self._flush()

    async def finish(self) -> Sequence[SortedFile]:
        if self._held:
            await self._flush()
        return self._written

    async def _flush(self) -> None:
        data = b"".join(line for _, line in sorted(self._held))
        kind = f"seen-{len(self._written):04}"
        name = await self._store.store_blob(self._sweep_id, kind, data)
        self._written.append(SortedFile(name, len(data)))
        self._held, self._size = [], 0


async def read_sorted(
    store: SweepStore, written: Sequence[SortedFile]
) -> AsyncIterator[ObservedConflict]:
    """Yield all observed conflicts in the order of their ids, each id once."""
    sources = [_lines(store, file) for file in written]
    heap: list[tuple[str, int, ObservedConflict]] = []
    for number, source in enumerate(sources):
        if (first := await anext(source, None)) is not None:
            heapq.heappush(heap, (first.id, number, first))
    last = ""
    while heap:
        found, number, conflict = heap[0]
        if (following := await anext(sources[number], None)) is None:
            heapq.heappop(heap)
        else:
            heapq.heapreplace(heap, (following.id, number, following))
        if found != last:
            last = found
            yield conflict


async def _lines(store: SweepStore, file: SortedFile) -> AsyncIterator[ObservedConflict]:
    rest = b""
    for start in range(0, file.size, PIECE_BYTES):
        piece = await store.blob_range(file.name, start, min(PIECE_BYTES, file.size - start))
        *merged, rest = (rest + piece).split(b"\n")
        for line in merged:
            yield _decoder.decode(line)
