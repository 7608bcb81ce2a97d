"""How far a run of enforcement may go, and what it found, planned and did."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import islice

from entra_sod.domain.enforcement.budget import WritesStopped
from entra_sod.domain.enforcement.drift import Drift
from entra_sod.domain.enforcement.guard import HeldReference
from entra_sod.domain.enforcement.impact import WeighedAdditions
from entra_sod.domain.enforcement.tally import ReferenceTally
from entra_sod.domain.entra import Reference, ReferenceKind

type ReferenceList = tuple[str, ReferenceKind]


class Enforcement(IntEnum):
    """How far the app goes with a pair; the order is the order of daring."""

    OFF = 0
    PLAN = 1
    APPLY = 2

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class FailedWrite:
    reference: Reference
    why: str


@dataclass(frozen=True, slots=True)
class LazyCollection[T](Collection[T]):
    """Values that are made again each time they are gone through: there may be millions."""

    count: int
    make: Callable[[], Iterator[T]]

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[T]:
        return islice(self.make(), self.count)

    def __contains__(self, value: object) -> bool:
        return any(each == value for each in self)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnforcementResult:
    """What one run found, planned and did.

    Attributes:
        present: desired, and there already; also those that others made before the run could.
        planned: additions, those that an interrupted earlier try of this run wrote included.
        held: changes that a guard holds back; they are not among the planned.
        weighed: what the additions come to, as far as it was looked at.
        drift: where Graph differed from rules and ledger, before anything was written.
        stopped: what stopped the run before it had written all that it planned.
        tally: how many references each rule asks for, and how many are missing after the run; None
            where the run did not look at the whole tenant.
    """

    present: Collection[Reference] = ()
    planned: Collection[Reference] = ()
    written: tuple[Reference, ...] = ()
    removed: tuple[Reference, ...] = ()
    failed: tuple[FailedWrite, ...] = ()
    stopped: WritesStopped | None = None
    held: Collection[HeldReference] = ()
    weighed: WeighedAdditions = field(default_factory=WeighedAdditions)
    drift: Sequence[Drift] = ()
    tally: ReferenceTally | None = None


@dataclass(slots=True)
class ReferenceSnapshot:
    """What lists of references showed.

    Attributes:
        lists: those that were read, by package and kind: their targets, in order.
        gone: packages and groups that Graph says do not exist.
    """

    lists: dict[ReferenceList, Sequence[str]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    # The same ids stand on many lists; each is held once.
    _ids: dict[str, str] = field(default_factory=dict)

    def add(self, on: str, kind: ReferenceKind, targets: Iterable[str]) -> None:
        ids = self._ids
        self.lists[on, kind] = tuple(ids.setdefault(each, each) for each in sorted(targets))

    def replaced(self, newer: ReferenceSnapshot) -> ReferenceSnapshot:
        """The same with the newer lists in place of the older ones."""
        return ReferenceSnapshot(
            lists={**self.lists, **newer.lists}, gone=self.gone, _ids=self._ids
        )

    def present(self, packages: Iterable[str]) -> list[Reference]:
        """Every reference listed on packages."""
        return [
            Reference(on, kind, target)
            for on in packages
            for kind in ReferenceKind
            for target in self.lists.get((on, kind), ())
        ]

    def __contains__(self, reference: Reference) -> bool:
        targets = self.lists.get((reference.on, reference.kind), ())
        place = bisect_left(targets, reference.target)
        return place < len(targets) and targets[place] == reference.target

    def is_one_way(self, reference: Reference) -> bool:
        """Whether the package that a reference is to was read, and refers not back."""
        package = ReferenceKind.PACKAGE
        back = Reference(reference.target, package, reference.on)
        was_read = (reference.target, package) in self.lists
        return reference.kind is package and was_read and back not in self

    def covered(self, references: Iterable[Reference]) -> list[Reference]:
        """Those on lists that were read, or on packages that are gone."""
        return [
            each
            for each in references
            if (each.on, each.kind) in self.lists or each.on in self.gone
        ]
