"""How far a run of enforcement may go, and what it found, planned and did."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from enum import IntEnum

from entra_sod.domain.enforcement.drift import Drift
from entra_sod.domain.entra import Reference, ReferenceKind


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Enforced:
    """What one run found, planned and did.

    Attributes:
        planned: additions, those that an interrupted earlier try of this run wrote included.
        drift: where Graph differed from rules and ledger, before anything was written.
        stopped: why nothing was written though it was to be, where that is so.
    """

    present: tuple[Reference, ...] = ()
    planned: tuple[Reference, ...] = ()
    written: tuple[Reference, ...] = ()
    removed: tuple[Reference, ...] = ()
    failed: tuple[FailedWrite, ...] = ()
    stopped: str | None = None
    drift: tuple[Drift, ...] = ()


@dataclass(slots=True)
class Seen:
    """What lists of references showed.

    Attributes:
        present: every reference listed.
        lists: the lists that were read, by package and kind.
        gone: packages that Graph says do not exist.
    """

    present: set[Reference] = field(default_factory=set)
    lists: set[tuple[str, ReferenceKind]] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)

    @property
    def with_packages(self) -> set[str]:
        return {on for on, kind in self.lists if kind is ReferenceKind.PACKAGE}

    def covered(self, references: Collection[Reference]) -> list[Reference]:
        """Those on lists that were read, or on packages that are gone."""
        return [
            each
            for each in references
            if (each.on, each.kind) in self.lists or each.on in self.gone
        ]
