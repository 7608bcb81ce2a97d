"""Who holds which packages, packed for a join: one file for each part of a sweep.

A file is cut into buckets by subject, and begins with a table of where each bucket lies. So the
join can take the same few buckets out of all files, and never holds the tenant in memory.

    257 offsets of 4 bytes, little endian · 256 buckets, each a msgpack array of `Held`
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from itertools import pairwise

import msgspec

from functions.entra import Assignment

BUCKETS = 256
_TABLE = struct.Struct(f"<{BUCKETS + 1}I")
TABLE_BYTES = _TABLE.size
_ARRAY = struct.Struct(">BI")
_ARRAY_OF_32_BITS = 0xDD
_encoder = msgspec.msgpack.Encoder()


# Arrays instead of maps, and out of the garbage collector's sight: there are hundreds of thousands.
class Held(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One assignment that is held.

    Attributes:
        package: the place of the package among those of its file.
    """

    package: int
    subject_id: str
    assignment_id: str
    object_id: str | None
    display_name: str | None
    state: str | None


_decoder = msgspec.msgpack.Decoder(list[Held])


class IndexWriter:
    """Packs the assignments of a few packages, page by page."""

    def __init__(self, packages: Sequence[str]) -> None:
        self._places = {package: place for place, package in enumerate(packages)}
        self._buckets = [bytearray() for _ in range(BUCKETS)]
        self._counts = [0] * BUCKETS

    def add(self, package_id: str, page: Sequence[Assignment]) -> int:
        """Pack what is held of a page, and say how many that are."""
        place = self._places[package_id]
        held = [each for each in page if each.is_held]
        for each in held:
            bucket = _bucket_of(each.subject.id)
            _encoder.encode_into(_held(place, each), self._buckets[bucket], -1)
            self._counts[bucket] += 1
        return len(held)

    def finish(self) -> bytes:
        offsets, end = [], TABLE_BYTES
        for bucket in self._buckets:
            offsets.append(end)
            end += _ARRAY.size + len(bucket)
        data = bytearray(_TABLE.pack(*offsets, end))
        for count, bucket in zip(self._counts, self._buckets, strict=True):
            data += _ARRAY.pack(_ARRAY_OF_32_BITS, count) + bucket
        return bytes(data)


class IndexTable:
    """Where the buckets of one file lie."""

    def __init__(self, data: bytes) -> None:
        self._offsets = _TABLE.unpack(data)

    def span(self, buckets: range) -> tuple[int, int]:
        """Where neighbouring buckets begin, and how many bytes they have together."""
        start = self._offsets[buckets.start]
        return start, self._offsets[buckets.stop] - start

    def unpack(self, data: bytes, buckets: range) -> Iterator[Held]:
        """Read neighbouring buckets out of the bytes of their span."""
        start, view = self._offsets[buckets.start], memoryview(data)
        for bucket in buckets:
            begin, end = self._offsets[bucket] - start, self._offsets[bucket + 1] - start
            yield from _decoder.decode(view[begin:end])


def _held(place: int, each: Assignment) -> Held:
    who = each.subject
    return Held(place, who.id, each.id, who.object_id, who.display_name, each.state)


def _bucket_of(subject_id: str) -> int:
    return zlib.crc32(subject_id.encode()) % BUCKETS


def bucket_groups(assignments: int, most_at_once: int) -> Iterator[range]:
    """Cut all buckets into groups of about so many assignments, each group in its turn."""
    groups = min(max(1, -(-assignments // most_at_once)), BUCKETS)
    bounds = [group * BUCKETS // groups for group in range(groups + 1)]
    return (range(first, last) for first, last in pairwise(bounds))
