"""The plan of a whole tenant, made package by package: no more is held than one package has. Pure.

Twenty thousand packages may ask for millions of references. All that can be said of a reference,
but whether the other package refers back, is known from the lists, the ledger and the rules of the
one package that it is on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from entra_sod.domain.enforcement.desired import DesiredReference
from entra_sod.domain.enforcement.drift import Drift, DriftKind, find_drift
from entra_sod.domain.enforcement.guard import HeldReference, WriteGuard
from entra_sod.domain.enforcement.plan import Plan, make_plan
from entra_sod.domain.enforcement.result import ReferenceSnapshot
from entra_sod.domain.enforcement.tally import ReferenceTally
from entra_sod.domain.entra import Reference

MAX_DRIFT_OF_KIND = 1000
_NONE = frozenset[Reference]()


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantPlan:
    """What a tenant's plan is made of.

    Attributes:
        desired: what the rules ask for on a package, in order.
        packages: that rules ask for something on.
        seen: every list of references that was read.
        noted: all that the ledger has, by package.
        written: those of them that it calls ours.
        may_prune: whether a reference of ours may go that nothing desires.
        guards: of every change.
        is_certain: whether drift may be told: what was not read may ask for a reference.
    """

    desired: Callable[[str], Sequence[DesiredReference]]
    packages: Collection[str]
    seen: ReferenceSnapshot
    noted: Mapping[str, AbstractSet[Reference]]
    written: AbstractSet[Reference]
    may_prune: Callable[[Reference], bool]
    is_certain: Callable[[Drift], bool]
    guards: Collection[WriteGuard] = ()

    def plans(self) -> Iterator[Plan]:
        """The plan of each package, in the order of their ids."""
        for on in self._in_order():
            yield self._plan(on, self.desired(on))

    def additions(self) -> Iterator[Reference]:
        return (each.reference for plan in self.plans() for each in plan.additions)

    def unchanged(self) -> Iterator[Reference]:
        return (each for plan in self.plans() for each in plan.unchanged)

    def held(self) -> Iterator[HeldReference]:
        return (each for plan in self.plans() for each in plan.held)

    def survey(self, max_writes: int) -> PlanSummary:
        """Go through all of it once.

        Args:
            max_writes: of changes no more than so many are kept; all are counted.
        """
        survey = PlanSummary()
        for on in self._in_order():
            desired = self.desired(on)
            plan = self._plan(on, desired)
            survey.add_plan(plan, self.noted.get(on, _NONE), max_writes)
            survey.tally.add(desired, plan)
            survey.add_drift(each for each in self._drift(on, desired) if self.is_certain(each))
        return survey

    def _in_order(self) -> Collection[str]:
        return sorted({*self.packages, *(on for on, _ in self.seen.lists), *self.noted})

    def _plan(self, on: str, desired: Collection[DesiredReference]) -> Plan:
        noted = self.seen.covered(self.noted.get(on, _NONE))
        prunable = [each for each in noted if each in self.written and self.may_prune(each)]
        plan = make_plan(desired, self.seen.present([on]), prunable, noted)
        return plan.guarded(self.guards)

    def _drift(self, on: str, desired: Collection[DesiredReference]) -> Collection[Drift]:
        return find_drift(
            desired,
            self.seen.present([on]),
            self.written & self.noted.get(on, _NONE),
            is_one_way=self.seen.is_one_way,
            gone=self.seen.gone,
        )


@dataclass(slots=True)
class PlanSummary:
    """What a tenant's plan comes to.

    Attributes:
        present: how many references are desired and there.
        planned: how many are to be added.
        held: how many changes are held back.
        writes: additions and removals.
        additions, removals: none where there are more than may be written.
        noted: references that are desired, there, and in the ledger.
        vanished: those that only the ledger still has.
        tally: how many references each rule asks for, and how many are missing.
    """

    present: int = 0
    planned: int = 0
    held: int = 0
    writes: int = 0
    additions: list[DesiredReference] = field(default_factory=list)
    removals: list[Reference] = field(default_factory=list)
    noted: list[Reference] = field(default_factory=list)
    vanished: list[Reference] = field(default_factory=list)
    tally: ReferenceTally = field(default_factory=ReferenceTally)
    _drift: dict[DriftKind, list[Drift]] = field(
        default_factory=lambda: {kind: [] for kind in DriftKind}
    )

    @property
    def drift(self) -> list[Drift]:
        """The first of each kind, in order."""
        return [each for kind in sorted(self._drift) for each in self._drift[kind]]

    @property
    def plan(self) -> Plan:
        """What is to be carried out."""
        return Plan(
            additions=tuple(self.additions),
            removals=tuple(self.removals),
            unchanged=tuple(self.noted),
            vanished=tuple(self.vanished),
        )

    def add_plan(self, plan: Plan, noted: AbstractSet[Reference], max_writes: int) -> None:
        """Count a package's plan; keep what has to be written, or stands in the ledger."""
        self.present += len(plan.unchanged)
        self.planned += len(plan.additions)
        self.held += len(plan.held)
        self.writes += plan.writes
        self.noted += (each for each in plan.unchanged if each in noted) if noted else ()
        self.vanished += plan.vanished
        if self.writes <= max_writes:
            self.additions += plan.additions
            self.removals += plan.removals
        else:
            self.additions, self.removals = [], []

    def add_drift(self, drift: Iterable[Drift]) -> None:
        for each in drift:
            if len(self._drift[each.kind]) < MAX_DRIFT_OF_KIND:
                self._drift[each.kind].append(each)
