"""The conflicts of a whole sweep: joined from its index, counted, and kept line by line."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from entra_sod.domain.detection.index import TABLE_BYTES, Held, IndexTable, bucket_groups
from entra_sod.domain.detection.join import Conflict, PairConflict, TooMany, join
from entra_sod.domain.entra import Pair
from entra_sod.domain.findings.observe import sightings_of
from entra_sod.domain.results.check import Holder
from entra_sod.domain.rules.language import Rule
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.domain.sweeps.part_results import PairFinding
from entra_sod.services.findings.external_sort import SortedFile, Spool
from entra_sod.services.sweeps.merge_parts import IndexFile, Whole, findings_of
from entra_sod.stores.sweeps import PartRecord, SweepFiles, SweepStore

# What the join holds at once, however large the tenant is.
MOST_AT_ONCE = 20_000
READS_AT_ONCE = 8
LINES_FILE_BYTES = 4 * 2**20


class HeldAssignment(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    access_package_id: str
    assignment_id: str
    state: str | None


class ConflictLine(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One subject that holds what must not meet: a line of the sweep's findings files.

    Attributes:
        access_package_ids: the pair, or all that the subject holds of a set.
        assignments: those known; asked pair by pair, Graph names the first package's only.
        exceptions: that let the subject hold all this for now.
    """

    rules: list[str]
    access_package_ids: list[str]
    subject_id: str
    object_id: str | None
    display_name: str | None
    assignments: list[HeldAssignment]
    exceptions: list[str] = []


@dataclass(slots=True)
class Conflicts:
    """What a sweep counted.

    Attributes:
        holders: of each pair in conflict by the index, the assignments of its first package.
        over: of each rule that allows some of a set, the subjects that hold more.
        findings: a subject and a pair, or a subject and a set, is one.
        excepted: how many of them an exception permits for now.
        files: blobs of conflict lines.
        seen: files of what was seen of each finding.
    """

    holders: Counter[Pair] = field(default_factory=Counter)
    over: Counter[str] = field(default_factory=Counter)
    findings: int = 0
    excepted: int = 0
    files: list[str] = field(default_factory=list)
    seen: Sequence[SortedFile] = ()


async def count_conflicts(store: SweepStore, whole: Whole, rules: RuleSet) -> Counter[Pair]:
    """Join the index only to learn which pairs are in conflict."""
    found: Counter[Pair] = Counter()
    async for conflict in _joined(store, whole, rules):
        if isinstance(conflict, PairConflict):
            found[conflict.duty.pair] += len(conflict.low)
    return found


async def collect_conflicts(
    store: SweepStore, sweep_id: str, parts: Sequence[PartRecord], whole: Whole, rules: RuleSet
) -> Conflicts:
    """Find, count and keep every conflict, of the index and of pairs that Graph answered for."""
    found, kept = Conflicts(), _Kept.of(store, sweep_id, rules)
    async for conflict in _joined(store, whole, rules):
        _count_holders(found, conflict)
        await kept.add(_tallied(found, _line(conflict), rules))
    by_index = frozenset(found.holders)
    async for pair, line in _asked_lines(store, parts, rules):
        if pair not in by_index:
            await kept.add(_tallied(found, line, rules))
    found.files, found.seen = await kept.lines.finish(), await kept.spool.finish()
    return found


@dataclass(frozen=True, slots=True)
class _Kept:
    """Each conflict, as a line for people and as what was seen of its findings."""

    lines: _Lines
    spool: Spool
    rules: Mapping[str, Rule]

    @classmethod
    def of(cls, store: SweepStore, sweep_id: str, rules: RuleSet) -> _Kept:
        by_id = {each.id: each.rule for each in rules.rules}
        return cls(_Lines(store, sweep_id), Spool(SweepFiles(store, sweep_id)), by_id)

    async def add(self, line: ConflictLine) -> None:
        await self.lines.add(line)
        for sighting in sightings_of(
            [self.rules[each] for each in line.rules],
            line.access_package_ids,
            subject_id=line.subject_id,
            object_id=line.object_id,
            display_name=line.display_name,
        ):
            await self.spool.add(sighting)


def _tallied(found: Conflicts, line: ConflictLine, rules: RuleSet) -> ConflictLine:
    """Count a conflict, and say which exceptions permit it."""
    excuses = rules.excuses(line.rules, (line.subject_id, line.object_id))
    found.findings += 1
    found.excepted += bool(excuses)
    return msgspec.structs.replace(line, exceptions=[each.id for each in excuses])


def _count_holders(found: Conflicts, conflict: Conflict) -> None:
    match conflict:
        case PairConflict():
            found.holders[conflict.duty.pair] += len(conflict.low)
        case TooMany():
            found.over[conflict.rule.id] += 1


async def _joined(store: SweepStore, whole: Whole, rules: RuleSet) -> AsyncIterator[Conflict]:
    tables = [
        (file, IndexTable(await store.blob_range(file.blob, 0, TABLE_BYTES)))
        for file in whole.index
    ]
    limit = asyncio.Semaphore(READS_AT_ONCE)
    for buckets in bucket_groups(whole.assignments, MOST_AT_ONCE):
        reads = [_read(store, file, table, buckets, limit) for file, table in tables]
        held = [each for found in await asyncio.gather(*reads) for each in found]
        for conflict in join(held, rules):
            yield conflict


async def _read(
    store: SweepStore,
    file: IndexFile,
    table: IndexTable,
    buckets: range,
    limit: asyncio.Semaphore,
) -> list[tuple[str, Held]]:
    start, length = table.span(buckets)
    async with limit:
        data = await store.blob_range(file.blob, start, length)
    return [(file.places[each.package], each) for each in table.unpack(data, buckets)]


async def _asked_lines(
    store: SweepStore, parts: Sequence[PartRecord], rules: RuleSet
) -> AsyncIterator[tuple[Pair, ConflictLine]]:
    async for _, part in findings_of(store, parts):
        for each in part.pairs:
            pair = Pair.of(each.access_package_id, each.incompatible_access_package_id)
            duty = rules.duties.get(pair)
            for line in _holder_lines(each, list(duty.rule_ids)) if duty else ():
                yield pair, line


def _holder_lines(found: PairFinding, rule_ids: list[str]) -> Iterator[ConflictLine]:
    """One line for each subject, with all its assignments of the first package."""
    holders: dict[str, list[Holder]] = {}
    for each in found.holders:
        holders.setdefault(each.subject_id, []).append(each)
    for subject_id, assignments in holders.items():
        yield ConflictLine(
            rules=rule_ids,
            access_package_ids=[found.access_package_id, found.incompatible_access_package_id],
            subject_id=subject_id,
            object_id=assignments[0].object_id,
            display_name=assignments[0].display_name,
            assignments=[
                HeldAssignment(
                    access_package_id=found.access_package_id,
                    assignment_id=each.assignment_id,
                    state=each.state,
                )
                for each in assignments
            ],
        )


def _line(conflict: Conflict) -> ConflictLine:
    match conflict:
        case PairConflict(duty=duty, low=low, high=high):
            return _subject_line(
                list(duty.rule_ids), [(duty.pair.low, low), (duty.pair.high, high)]
            )
        case TooMany(rule=rule, holdings=holdings):
            return _subject_line([rule.id], list(holdings.items()))


def _subject_line(
    rule_ids: list[str], holdings: Sequence[tuple[str, Sequence[Held]]]
) -> ConflictLine:
    subject = holdings[0][1][0]
    return ConflictLine(
        rules=rule_ids,
        access_package_ids=[package for package, _ in holdings],
        subject_id=subject.subject_id,
        object_id=subject.object_id,
        display_name=subject.display_name,
        assignments=[
            HeldAssignment(
                access_package_id=package, assignment_id=each.assignment_id, state=each.state
            )
            for package, held in holdings
            for each in held
        ],
    )


class _Lines:
    """Writes lines to files of a few mebibytes, so that they never gather in memory."""

    def __init__(self, store: SweepStore, sweep_id: str) -> None:
        self._store, self._sweep_id = store, sweep_id
        self._buffer, self._files = bytearray(), list[str]()

    async def add(self, line: ConflictLine) -> None:
        self._buffer += msgspec.json.encode(line) + b"\n"
        if len(self._buffer) >= LINES_FILE_BYTES:
            await self._flush()

    async def finish(self) -> list[str]:
        if self._buffer:
            await self._flush()
        return self._files

    async def _flush(self) -> None:
        kind = f"findings-{len(self._files):04}"
        data, self._buffer = bytes(self._buffer), bytearray()
        self._files.append(await self._store.keep_blob(self._sweep_id, kind, data))
