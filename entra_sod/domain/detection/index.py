"""Who holds which packages, packed for a join: one file for each part of a sweep.

A file is cut into buckets by subject, and begins with a table of where each bucket lies. So the
join can take the same few buckets out of all files, and never holds the tenant in memory. After
them comes a directory of the same shape by object id, for callers who know a holder by that, and
after it the holders by their user principal names, which the join never reads.

    257 offsets of 4 bytes, little endian · 256 buckets, each a msgpack array of `IndexedAssignment`
    257 offsets, from here on · 256 buckets, each of 4 bytes for a holder: the upper three are of
    the object id's hash, whose lowest is the number of this bucket; the lowest is the holder's
    bucket by subject
    257 offsets, from here on · 256 buckets by the name's hash, each a msgpack array of
    `NamedHolder`
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from itertools import pairwise

import msgspec

from entra_sod.domain.entra import Assignment, Subject
from entra_sod.domain.subjects.names import comparable_name

BUCKETS = 256
_TABLE = struct.Struct(f"<{BUCKETS + 1}I")
TABLE_BYTES = _TABLE.size
_ARRAY = struct.Struct(">BI")
_ARRAY_OF_32_BITS = 0xDD
_ENTRY = struct.Struct("<I")
_LOWEST_BYTE = 0xFF
# Of neighbouring buckets read at once: how many, and how many unwanted ones may lie between.
_MAX_RUN_LENGTH, _MAX_GAP_LENGTH = 16, 4
_encoder = msgspec.msgpack.Encoder()


# Arrays instead of maps, and out of the garbage collector's sight: there are hundreds of thousands.
class IndexedAssignment(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One assignment that is held.

    Attributes:
        package: the place of the package among those of its file.
        start, end: as of `Assignment`.
    """

    package: int
    subject_id: str
    assignment_id: str
    object_id: str | None
    display_name: str | None
    state: str | None
    start: datetime | None = None
    end: datetime | None = None
    subject_type: str | None = None

    @property
    def subject(self) -> Subject:
        return Subject(
            id=self.subject_id,
            object_id=self.object_id,
            display_name=self.display_name,
            subject_type=self.subject_type,
        )


_decoder = msgspec.msgpack.Decoder(list[IndexedAssignment])


class IndexFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the index: its blob, its packages in the order of their places, and what it has.

    Attributes:
        names_start: where the holders by name begin; None in files of an earlier version.
    """

    blob: str
    places: list[str]
    assignments: int
    names_start: int | None = None


class NamedHolder(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A holder by its user principal name."""

    name: str
    subject_id: str
    object_id: str | None
    display_name: str | None

    @property
    def subject(self) -> Subject:
        return Subject(
            id=self.subject_id,
            object_id=self.object_id,
            display_name=self.display_name,
            principal_name=self.name,
        )


_name_decoder = msgspec.msgpack.Decoder(list[NamedHolder])


class IndexWriter:
    """Packs the assignments of a few packages, page by page."""

    def __init__(self, packages: Sequence[str]) -> None:
        self._places = {package: place for place, package in enumerate(packages)}
        self._buckets = [bytearray() for _ in range(BUCKETS)]
        self._counts = [0] * BUCKETS
        self._directory = [bytearray() for _ in range(BUCKETS)]
        self._names: list[list[NamedHolder]] = [[] for _ in range(BUCKETS)]
        self._named: set[tuple[str, str]] = set()

    def add(self, package_id: str, page: Sequence[Assignment]) -> int:
        """Pack what is held of a page, and say how many that are."""
        place = self._places[package_id]
        held = [each for each in page if each.is_held]
        for each in held:
            self._put(indexed_assignment(place, each))
            who = each.subject
            if who.principal_name:
                self._name(NamedHolder(who.principal_name, who.id, who.object_id, who.display_name))
        return len(held)

    def add_file(self, places: Sequence[str], data: bytes) -> None:
        """Pack all of another file, whose packages are among these."""
        moved = [self._places[each] for each in places]
        table = IndexTable(data[:TABLE_BYTES])
        for each in table.unpack(data[TABLE_BYTES : table.directory_start], range(BUCKETS)):
            self._put(msgspec.structs.replace(each, package=moved[each.package]))
        if (start := names_start(data)) < len(data):
            for named in IndexNames(data[start:]).all():
                self._name(named)

    def finish(self) -> bytes:
        arrays = zip(self._counts, self._buckets, strict=True)
        buckets = [_ARRAY.pack(_ARRAY_OF_32_BITS, count) + held for count, held in arrays]
        names = [_encoder.encode(each) for each in self._names]
        return _tabled(buckets) + _tabled(self._directory) + _tabled(names)

    def _put(self, held: IndexedAssignment) -> None:
        bucket = bucket_of(held.subject_id)
        _encoder.encode_into(held, self._buckets[bucket], -1)
        self._counts[bucket] += 1
        if held.object_id:
            self._note(held.object_id, bucket)

    def _name(self, holder: NamedHolder) -> None:
        """Note a holder by name, once for each file."""
        if (holder.name, holder.subject_id) not in self._named:
            self._named.add((holder.name, holder.subject_id))
            self._names[bucket_of(comparable_name(holder.name))].append(holder)

    def _note(self, object_id: str, bucket: int) -> None:
        hashed = _hash(object_id)
        self._directory[hashed & _LOWEST_BYTE] += _ENTRY.pack(hashed & ~_LOWEST_BYTE | bucket)


def _tabled(buckets: Sequence[bytes | bytearray]) -> bytes:
    offsets = [TABLE_BYTES]
    for each in buckets:
        offsets.append(offsets[-1] + len(each))
    return _TABLE.pack(*offsets) + b"".join(buckets)


class IndexTable:
    """Where the buckets of one file lie."""

    def __init__(self, data: bytes) -> None:
        self._offsets = _TABLE.unpack(data)

    @property
    def directory_start(self) -> int:
        """Where the directory begins; it goes on to the end of the file."""
        start: int = self._offsets[-1]
        return start

    def span(self, buckets: range) -> tuple[int, int]:
        """Where neighbouring buckets begin, and how many bytes they have together."""
        start = self._offsets[buckets.start]
        return start, self._offsets[buckets.stop] - start

    def unpack(self, data: bytes, buckets: range) -> Iterator[IndexedAssignment]:
        """Read neighbouring buckets out of the bytes of their span."""
        start, view = self._offsets[buckets.start], memoryview(data)
        for bucket in buckets:
            begin, end = self._offsets[bucket] - start, self._offsets[bucket + 1] - start
            yield from _decoder.decode(view[begin:end])


class IndexDirectory:
    """In which buckets by subject the holders of an object id are."""

    def __init__(self, data: bytes) -> None:
        self._data, self._offsets = data, _TABLE.unpack_from(data)

    def buckets_of(self, object_id: str) -> set[int]:
        """The buckets to look into; seldom one too many, and never one too few."""
        hashed = _hash(object_id)
        place = hashed & _LOWEST_BYTE
        entries = self._data[self._offsets[place] : self._offsets[place + 1]]
        return {
            entry & _LOWEST_BYTE
            for (entry,) in _ENTRY.iter_unpack(entries)
            if entry & ~_LOWEST_BYTE == hashed & ~_LOWEST_BYTE
        }


class IndexNames:
    """The holders of one file by their user principal names."""

    def __init__(self, data: bytes) -> None:
        self._data, self._offsets = data, _TABLE.unpack_from(data)

    def all(self) -> Iterator[NamedHolder]:
        for bucket in range(BUCKETS):
            yield from self._in(bucket)

    def named(self, name: str) -> Iterator[NamedHolder]:
        """The holders of a name, which `comparable_name` made, in whatever spelling."""
        for each in self._in(bucket_of(name)):
            if comparable_name(each.name) == name:
                yield each

    def _in(self, bucket: int) -> Sequence[NamedHolder]:
        return _name_decoder.decode(self._data[self._offsets[bucket] : self._offsets[bucket + 1]])


def names_start(data: bytes) -> int:
    """Where the holders by name begin in a whole file: after its directory.

    It is the file's length in a file of an earlier version.
    """
    start = IndexTable(data[:TABLE_BYTES]).directory_start
    length: int = _TABLE.unpack_from(data, start)[-1]
    return start + length


def indexed_assignment(place: int, each: Assignment) -> IndexedAssignment:
    """Pack an assignment; `place` as of `IndexedAssignment.package`."""
    who = each.subject
    return IndexedAssignment(
        place,
        who.id,
        each.id,
        who.object_id,
        who.display_name,
        each.state,
        each.start,
        each.end,
        who.subject_type,
    )


def _hash(known_id: str) -> int:
    return zlib.crc32(known_id.encode())


def bucket_of(subject_id: str) -> int:
    return _hash(subject_id) % BUCKETS


def bucket_runs(buckets: Collection[int]) -> Iterator[range]:
    """Cut some buckets into runs of neighbours, each to be read at once."""
    run = range(0)
    for bucket in sorted(set(buckets)):
        if run and bucket - run.stop <= _MAX_GAP_LENGTH and bucket - run.start < _MAX_RUN_LENGTH:
            run = range(run.start, bucket + 1)
            continue
        if run:
            yield run
        run = range(bucket, bucket + 1)
    if run:
        yield run


def bucket_groups(assignments: int, most_at_once: int) -> Iterator[range]:
    """Cut all buckets into groups of about so many assignments, each group in its turn."""
    groups = min(max(1, -(-assignments // most_at_once)), BUCKETS)
    bounds = [group * BUCKETS // groups for group in range(groups + 1)]
    return (range(first, last) for first, last in pairwise(bounds))
