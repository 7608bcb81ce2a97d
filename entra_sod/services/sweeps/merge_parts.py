"""All parts of a sweep together, while it is being closed: what was read, and what was not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import batched, islice

import msgspec

from entra_sod.core.parallel import MAX_CONCURRENT_READS, in_parallel
from entra_sod.domain.detection.index import IndexFile
from entra_sod.domain.enforcement.result import ReferenceSnapshot
from entra_sod.domain.entra import AccessPackage, Pair, ReferenceKind
from entra_sod.domain.results.coverage import Checked, Coverage, DetectionMethod, Outcome, Skipped
from entra_sod.domain.sweeps.part_results import EnforcedPackage, PairFinding, PartFindings, Unread
from entra_sod.domain.sweeps.parts import SweepPlan
from entra_sod.services.sweeps.conflicts import ConflictCollector
from entra_sod.stores.sweeps import PartRecord, SweepStore

MAX_GAPS_IN_RESPONSE = 1000
_decoder = msgspec.json.Decoder(PartFindings)


@dataclass(slots=True)
class MergedParts:
    """The sum of all parts.

    Attributes:
        asked: pairs that Graph answered for, with the number of their holders.
        pages: of assignments, for each package that was read to its end.
        packages: enforced ones that could be read, with the groups that they grant.
        unread: packages of which something could not be read, by what coverage says of it.
        gaps: what else was not read.
    """

    asked: dict[Pair, int] = field(default_factory=dict)
    ways: Counter[str] = field(default_factory=Counter)
    index: list[IndexFile] = field(default_factory=list)
    pages: dict[str, int] = field(default_factory=dict)
    packages: dict[str, AccessPackage] = field(default_factory=dict)
    references: ReferenceSnapshot = field(default_factory=ReferenceSnapshot)
    unread: dict[str, Unread] = field(default_factory=dict)
    gaps: list[Skipped] = field(default_factory=list)
    has_failed_parts: bool = False

    @property
    def uncertain_packages(self) -> set[str]:
        """Packages that were not read, or not to their end, and are not proven to be gone."""
        return {each.package for each in self.unread.values() if not each.is_gone}

    @property
    def assignments(self) -> int:
        return sum(each.assignments for each in self.index)

    def coverage(
        self, more_gaps: Iterable[Skipped], more_checked: Iterable[Checked] = ()
    ) -> Coverage:
        """What was read and what was not, with what closing has found."""
        checked = [Checked(what=f"{number} pairs", how=way) for way, number in self.ways.items()]
        if self.pages:
            what = f"assignments of {len(self.pages)} packages"
            checked.append(Checked(what=what, how=DetectionMethod.ASSIGNMENTS))
        checked += islice(more_checked, MAX_GAPS_IN_RESPONSE)
        unread = [
            Skipped(what=each.what, why=each.why, reason=each.reason)
            for each in self.unread.values()
        ]
        return Coverage(checked=checked, skipped=_capped([*unread, *self.gaps, *more_gaps]))


def _capped(skipped: list[Skipped]) -> list[Skipped]:
    rest = len(skipped) - MAX_GAPS_IN_RESPONSE
    if rest <= 0:
        return skipped
    more = Skipped(what=f"{rest} more", why="only the first are named here")
    return [*skipped[:MAX_GAPS_IN_RESPONSE], more]


async def merge_parts(
    store: SweepStore, records: Sequence[PartRecord], plan: SweepPlan, into: ConflictCollector
) -> MergedParts:
    """Add all parts up, a few of them at a time.

    The collector takes the holders of pairs that Graph answered for; those of pairs that were asked
    for confirmation are known by the index.
    """
    merged = MergedParts()
    for some in batched(records, MAX_CONCURRENT_READS, strict=False):
        read = await in_parallel(store.blob, [each.blob for each in some])
        for record, data in zip(some, read, strict=True):
            part = _decoder.decode(data)
            _add_pairs(merged, part.pairs)
            _add_index(merged, part)
            _add_enforced(merged, part.enforced)
            _add_gaps(merged, record, part)
            for each in () if plan.parts[record.number].confirms else part.pairs:
                await into.add_asked(each)
    return merged


def _add_pairs(merged: MergedParts, pairs: Iterable[PairFinding]) -> None:
    for each in pairs:
        if each.outcome is not Outcome.UNKNOWN:
            pair = Pair.of(each.access_package_id, each.incompatible_access_package_id)
            merged.asked[pair] = len(each.holders)
            merged.ways[each.way] += 1


def _add_index(merged: MergedParts, part: PartFindings) -> None:
    if part.index:
        held = sum(each.assignments for each in part.indexed)
        merged.index.append(
            IndexFile(
                blob=part.index,
                places=part.places,
                assignments=held,
                names_start=part.names_start,
            )
        )
    merged.pages.update((each.id, each.pages) for each in part.indexed)


def _add_enforced(merged: MergedParts, packages: Iterable[EnforcedPackage]) -> None:
    for each in packages:
        merged.packages[each.id] = AccessPackage(
            id=each.id,
            member_groups=frozenset(each.member_groups),
            eligible_groups=frozenset(each.eligible_groups),
            other_roles=frozenset(each.other_roles),
        )
        merged.references.add(each.id, ReferenceKind.GROUP, each.incompatible_groups)
        merged.references.add(each.id, ReferenceKind.PACKAGE, each.incompatible_packages)


def _add_gaps(merged: MergedParts, record: PartRecord, part: PartFindings) -> None:
    for each in part.unread:
        merged.unread.setdefault(each.what, each)
        if each.is_gone:
            merged.references.gone.add(each.package)
    if part.failed:
        merged.has_failed_parts = True
        merged.gaps.append(Skipped(what=f"part {record.number} of the sweep", why=part.failed))
    if part.unconfirmed:
        what = "Graph's list of conflicts of enforced pairs"
        merged.gaps.append(Skipped(what=what, why=part.unconfirmed))
