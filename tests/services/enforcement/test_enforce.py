"""What a run may do to the ledger and how much it may write, whatever happened before it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product

import pytest

from entra_sod.core.errors import Throttled
from entra_sod.domain.enforcement.desired import DesiredReference
from entra_sod.domain.enforcement.result import Enforcement, EnforcementResult, ReferenceSnapshot
from entra_sod.domain.enforcement.tenant_plan import TenantPlan
from entra_sod.domain.entra import Reference, ReferenceKind
from entra_sod.services.enforcement.enforce import Enforcer
from entra_sod.services.enforcement.reference_writer import ReferenceWriter, WritingRun
from entra_sod.stores.ledger import Ledger, LedgerEntry, LedgerState, WriteOrigin
from entra_sod.stores.write_controls import WriteControls
from local.memory.clock import ManualClock
from local.memory.graph import MemoryGraph
from local.memory.storage import MemoryStorage
from tests.builders import guid, package
from tests.services.enforcement.proven import AllProven

NAMES = "abcdef"
A_TO_B = Reference(guid("a"), ReferenceKind.PACKAGE, guid("b"))
DAY = 86_400


def to(names: Iterable[str]) -> list[DesiredReference]:
    """References on package "a" to the others."""
    found = (Reference(guid("a"), ReferenceKind.PACKAGE, guid(name)) for name in names)
    return [DesiredReference(each, ("r",)) for each in found]


class ThrottlingGraph(MemoryGraph):
    """Takes so many writes, and then asks once for silence."""

    taken_before_throttling = -1

    async def add(self, reference: Reference) -> None:
        self.taken_before_throttling -= 1
        if self.taken_before_throttling == -1:
            raise Throttled("slow down", retry_after=1.0)
        await super().add(reference)


class World:
    def __init__(self, limit: int = 10) -> None:
        self.graph, self.clock = (
            ThrottlingGraph([package(name) for name in NAMES], {}),
            ManualClock(),
        )
        storage = MemoryStorage()
        self.ledger = Ledger(storage, self.clock)
        self.controls = WriteControls(storage, self.clock)
        writer = ReferenceWriter(self.graph, self.ledger, self.controls, self.clock, AllProven())
        self.enforcer = Enforcer(
            graph=self.graph,
            writer=writer,
            max_reference_writes=limit,
            max_writes_per_day=99,
            max_subjects=99,
        )

    async def check(
        self, desired: Sequence[DesiredReference], reach: Enforcement = Enforcement.APPLY
    ) -> EnforcementResult:
        return await self.enforcer.enforce(desired, reach, WritingRun(id="run", rules_hash="hash"))

    async def sweep(
        self,
        desired: Sequence[DesiredReference],
        reach: Enforcement = Enforcement.APPLY,
        *,
        prune: bool = False,
    ) -> EnforcementResult:
        """A night's sweep, and the day after it."""
        enforced = await self.enforcer.enforce_all(
            self.tenant(desired, {each.reference for each in await self.entries()}, prune=prune),
            reach,
            WritingRun(id="run", rules_hash="hash"),
            entries={each.reference: each for each in await self.entries()},
        )
        self.clock.advance(DAY)
        return enforced

    def tenant(
        self, desired: Sequence[DesiredReference], ours: set[Reference], *, prune: bool
    ) -> TenantPlan:
        seen = ReferenceSnapshot()
        for on, kind in product(map(guid, NAMES), ReferenceKind):
            listed = (each for each in self.graph.present if (each.on, each.kind) == (on, kind))
            seen.add(on, kind, (each.target for each in listed))
        return TenantPlan(
            desired=lambda on: [each for each in desired if each.reference.on == on],
            packages={each.reference.on for each in desired},
            seen=seen,
            noted={on: {each for each in ours if each.on == on} for on in map(guid, NAMES)},
            written=ours,
            may_prune=lambda _: prune,
            is_certain=lambda _: True,
        )

    async def entries(self) -> list[LedgerEntry]:
        return [entry async for entry in self.ledger.entries()]


async def test_what_a_person_removed_is_not_ours_when_a_person_makes_it_again() -> None:
    """Also without PRUNE an entry goes with its reference, so a later prune takes nothing away."""
    world = World()
    await world.sweep(to("b"))
    await world.sweep([])
    assert len(await world.entries()) == 1
    world.graph.present.clear()
    await world.sweep([])
    assert await world.entries() == []
    world.graph.present.add(A_TO_B)
    assert (await world.sweep([], prune=True)).removed == ()
    assert world.graph.present == {A_TO_B}


async def test_a_plan_alone_forgets_nothing() -> None:
    """Under PLAN the ledger stays as it is."""
    world = World()
    await world.sweep(to("b"))
    before = await world.entries()
    world.graph.present.clear()
    await world.sweep([], Enforcement.PLAN, prune=True)
    assert await world.entries() == before


async def test_a_plan_alone_confirms_nothing() -> None:
    """Under PLAN an intent whose reference is there stays an intent."""
    world = World()
    await world.ledger.intend(A_TO_B, WriteOrigin(run_id="run", rule_ids=("r",), rules_hash="hash"))
    world.graph.present.add(A_TO_B)
    before = await world.entries()
    await world.check(to("b"), Enforcement.PLAN)
    await world.sweep(to("b"), Enforcement.PLAN)
    assert await world.entries() == before
    assert (await world.check(to("b"))).present == (A_TO_B,)


async def test_all_tries_of_a_run_together_stay_within_the_limit() -> None:
    """Rules that grew between two tries do not make a run write more than it may."""
    world = World(limit=3)
    world.graph.taken_before_throttling = 2
    with pytest.raises(Throttled):
        await world.check(to("bcd"))
    again = await world.check(to("bcdef"))
    assert again.stopped is not None
    assert "5 writes" in again.stopped.why
    assert (again.stopped.by, again.stopped.left, again.stopped.limit) == ("run-limit", 3, 3)
    assert (len(world.graph.writes), len(again.written)) == (2, 2)
    assert (await world.check(to("bcd"))).stopped is None
    assert len(world.graph.writes) == 3
    assert {each.state for each in await world.entries()} == {LedgerState.WRITTEN}
