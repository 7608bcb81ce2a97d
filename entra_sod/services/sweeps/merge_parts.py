"""All parts of a sweep together, while it is being closed: what was read, and what was not."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from entra_sod.domain.enforcement.outcome import Seen
from entra_sod.domain.entra import AccessPackage, Pair, Reference, ReferenceKind
from entra_sod.domain.results.coverage import Checked, Coverage, Outcome, Skipped, Way
from entra_sod.domain.sweeps.part_results import EnforcedPackage, PairFinding, PartFindings, Unread
from entra_sod.stores.sweeps import PartRecord, SweepStore

MOST_SKIPPED_IN_ANSWER = 1000
_decoder = msgspec.json.Decoder(PartFindings)


@dataclass(frozen=True, slots=True)
class IndexFile:
    """A file of the index: its blob, and its packages in the order of their places."""

    blob: str
    places: tuple[str, ...]


@dataclass(slots=True)
class Whole:
    """The sum of all parts.

    Attributes:
        asked: pairs that Graph answered for, with the number of holders of the first package.
        pages: of assignments, for each package that was read to its end.
        packages: enforced ones that could be read, with the groups that they grant.
        unread: packages of which something could not be read, by what coverage says of it.
    """

    asked: dict[Pair, int] = field(default_factory=dict)
    ways: Counter[str] = field(default_factory=Counter)
    index: list[IndexFile] = field(default_factory=list)
    pages: dict[str, int] = field(default_factory=dict)
    assignments: int = 0
    packages: dict[str, AccessPackage] = field(default_factory=dict)
    seen: Seen = field(default_factory=Seen)
    unread: dict[str, Unread] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)
    has_failed_parts: bool = False

    @property
    def in_doubt(self) -> set[str]:
        """Packages that were not read, or not to their end, and are not proven to be gone."""
        return {each.package for each in self.unread.values() if not each.is_gone}

    def skip(self, what: str, why: object) -> None:
        self.skipped.append(Skipped(what=what, why=str(why)))

    def coverage(self) -> Coverage:
        checked = [Checked(what=f"{number} pairs", how=way) for way, number in self.ways.items()]
        if self.pages:
            what = f"assignments of {len(self.pages)} packages"
            checked.append(Checked(what=what, how=Way.ASSIGNMENTS))
        gaps = [Skipped(what=each.what, why=each.why) for each in self.unread.values()]
        return Coverage(checked=checked, skipped=_capped([*gaps, *self.skipped]))


def _capped(skipped: list[Skipped]) -> list[Skipped]:
    rest = len(skipped) - MOST_SKIPPED_IN_ANSWER
    if rest <= 0:
        return skipped
    more = Skipped(what=f"{rest} more", why="only the first are named here")
    return [*skipped[:MOST_SKIPPED_IN_ANSWER], more]


async def gather(store: SweepStore, parts: Iterable[PartRecord]) -> Whole:
    """Add all parts up; holders stay where they are kept."""
    whole = Whole()
    async for record, part in findings_of(store, parts):
        _add_pairs(whole, part.pairs)
        _add_index(whole, part)
        _add_enforced(whole, part.enforced)
        _add_gaps(whole, record, part)
    return whole


async def findings_of(
    store: SweepStore, parts: Iterable[PartRecord]
) -> AsyncIterator[tuple[PartRecord, PartFindings]]:
    """Read what each part found, one after the other."""
    for record in parts:
        yield record, _decoder.decode(await store.blob(record.blob))


def _add_pairs(whole: Whole, pairs: Iterable[PairFinding]) -> None:
    for each in pairs:
        if each.outcome is not Outcome.UNKNOWN:
            pair = Pair.of(each.access_package_id, each.incompatible_access_package_id)
            whole.asked[pair] = len(each.holders)
            whole.ways[each.way] += 1


def _add_index(whole: Whole, part: PartFindings) -> None:
    if part.index:
        whole.index.append(IndexFile(part.index, tuple(part.places)))
    for package in part.indexed:
        whole.pages[package.id] = package.pages
        whole.assignments += package.assignments


def _add_enforced(whole: Whole, packages: Iterable[EnforcedPackage]) -> None:
    for each in packages:
        whole.packages[each.id] = AccessPackage(
            id=each.id,
            member_groups=frozenset(each.member_groups),
            eligible_groups=frozenset(each.eligible_groups),
        )
        targets: Mapping[ReferenceKind, Iterable[str]] = {
            ReferenceKind.GROUP: each.incompatible_groups,
            ReferenceKind.PACKAGE: each.incompatible_packages,
        }
        for kind, found in targets.items():
            whole.seen.lists.add((each.id, kind))
            whole.seen.present |= {Reference(each.id, kind, target) for target in found}


def _add_gaps(whole: Whole, record: PartRecord, part: PartFindings) -> None:
    for each in part.unread:
        whole.unread.setdefault(each.what, each)
        if each.is_gone:
            whole.seen.gone.add(each.package)
    if part.failed:
        whole.has_failed_parts = True
        whole.skip(f"part {record.number} of the sweep", part.failed)
    if part.unconfirmed:
        whole.skip("Graph's own word on conflicts of enforced pairs", part.unconfirmed)
