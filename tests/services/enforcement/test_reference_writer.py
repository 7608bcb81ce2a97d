from __future__ import annotations

import asyncio

import pytest

from entra_sod.core.errors import (
    Forbidden,
    GraphError,
    NotYetConsistent,
    Rejected,
    Throttled,
    Unavailable,
)
from entra_sod.domain.enforcement.desired import DesiredReference
from entra_sod.domain.enforcement.plan import Plan, make_plan
from entra_sod.domain.enforcement.result import Enforcement, ReferenceSnapshot
from entra_sod.domain.enforcement.tenant_plan import TenantPlan
from entra_sod.domain.entra import Reference, ReferenceKind
from entra_sod.ports.graph import Graph
from entra_sod.services.enforcement.enforce import Enforcer
from entra_sod.services.enforcement.reference_writer import (
    AppliedPlan,
    ReferenceWriter,
    WritingRun,
)
from entra_sod.stores.ledger import (
    ADOPTED_WITHIN,
    LISTED_AFTER,
    WRITING_LEASE,
    Ledger,
    LedgerState,
    WriteOrigin,
)
from entra_sod.stores.write_controls import WriteControls
from local.memory.clock import ManualClock
from local.memory.graph import MemoryGraph
from local.memory.storage import MemoryStorage
from tests.builders import guid, package
from tests.services.enforcement.proven import AllProven

REFERENCE = Reference(guid("a"), ReferenceKind.PACKAGE, guid("b"))
PLAN = make_plan([DesiredReference(REFERENCE, ("r",))], [])
RUN = WritingRun(id="run", rules_hash="hash")


class LaggingGraph(MemoryGraph):
    """A graph that shows its references late, and answers writes with an error after taking them.

    Attributes:
        reads_until_shown: how often `references` is asked before it shows the truth.
        after_write: raised once after a write took effect.
        instead_of_write: raised once, and nothing is written.
    """

    def __init__(self) -> None:
        super().__init__([package("a"), package("b")], {})
        self.reads_until_shown = 0
        self.after_write: GraphError | None = None
        self.instead_of_write: GraphError | None = None
        self.adds = 0

    async def references(self, package_id: str, kind: ReferenceKind) -> frozenset[str]:
        if self.reads_until_shown > 0:
            self.reads_until_shown -= 1
            return frozenset()
        return await super().references(package_id, kind)

    async def add(self, reference: Reference) -> None:
        self.adds += 1
        if error := self.instead_of_write:
            self.instead_of_write = None
            raise error
        await super().add(reference)
        if error := self.after_write:
            self.after_write = None
            raise error


class World:
    def __init__(self) -> None:
        self.graph, self.clock = LaggingGraph(), ManualClock()
        storage = MemoryStorage()
        self.ledger = Ledger(storage, self.clock)
        self.controls = WriteControls(storage, self.clock)
        self.applier = self.writer_to(self.graph)

    def writer_to(self, graph: Graph) -> ReferenceWriter:
        return ReferenceWriter(graph, self.ledger, self.controls, self.clock, AllProven())

    async def apply(self, plan: Plan = PLAN) -> AppliedPlan:
        return await self.applier.apply(plan, RUN)

    async def state(self) -> LedgerState | None:
        entry = await self.ledger.get(REFERENCE)
        return entry.state if entry else None


async def test_a_write_is_in_graph_and_in_the_ledger() -> None:
    """A reference that was written stands in Graph once, and in the ledger with its origin."""
    world = World()
    assert (await world.apply()).written == [REFERENCE]
    entry = await world.ledger.get(REFERENCE)
    assert entry is not None
    assert (entry.state, entry.run_id, entry.rule_ids) == (LedgerState.WRITTEN, "run", ("r",))
    assert world.graph.writes == [REFERENCE]


async def test_a_lost_answer_is_settled_by_reading() -> None:
    """A 504 after the write took effect counts as written, without a second POST."""
    world = World()
    world.graph.after_write = Unavailable("504", status=504)
    assert (await world.apply()).written == [REFERENCE]
    assert world.graph.adds == 1


async def test_a_write_that_shows_late_is_waited_for() -> None:
    """Lists that lag by three reads are read again until they show the write."""
    world = World()
    world.graph.reads_until_shown = 3
    assert (await world.apply()).written == [REFERENCE]
    assert len(world.clock.slept) == 3


async def test_a_write_that_never_shows_is_left_for_later_and_then_adopted() -> None:
    """An unsettled write raises, keeps its intent, and the next run takes it for its own."""
    world = World()
    world.graph.reads_until_shown = 100
    with pytest.raises(NotYetConsistent):
        await world.apply()
    assert await world.state() is LedgerState.INTENDED
    world.graph.reads_until_shown = 0
    plan = make_plan([DesiredReference(REFERENCE, ("r",))], [REFERENCE])
    entries = await world.applier.entries_of(plan.unchanged)
    assert await world.applier.adopt(plan, entries) == [REFERENCE]
    assert await world.state() is LedgerState.WRITTEN


async def test_an_error_before_the_write_is_raised_for_another_try() -> None:
    """When nothing was written and Graph may be better later, the run comes again."""
    world = World()
    world.graph.instead_of_write = Unavailable("503", status=503)
    with pytest.raises(Unavailable):
        await world.apply()
    assert (await world.apply()).written == [REFERENCE]
    assert world.graph.writes == [REFERENCE]


async def test_a_refused_write_is_reported_and_leaves_no_entry() -> None:
    """A group that Graph does not take is a failed reference with its reason, not an error."""
    world = World()
    world.graph.instead_of_write = Rejected("not security-enabled", status=400)
    (failed,) = (await world.apply()).failed
    assert (failed.reference, "security" in failed.why) == (REFERENCE, True)
    assert await world.state() is None


async def test_what_another_writer_wrote_meanwhile_is_not_ours() -> None:
    """Refused as a duplicate at the first try: the reference is there, and not in the ledger."""
    world = World()
    world.graph.present.add(REFERENCE)
    assert (await world.apply()).found_present == [REFERENCE]
    assert await world.state() is None


async def test_a_duplicate_after_an_earlier_try_is_ours() -> None:
    """Refused as a duplicate at a later try: the earlier one wrote it, and it stays ours."""
    world = World()
    world.graph.after_write = Unavailable("504", status=504)
    world.graph.reads_until_shown = 100
    with pytest.raises(Unavailable):
        await world.apply()
    world.graph.reads_until_shown = 0
    assert (await world.apply()).written == [REFERENCE]
    assert await world.state() is LedgerState.WRITTEN
    assert world.graph.writes == [REFERENCE]


async def test_a_removal_leaves_graph_and_ledger() -> None:
    """A removed reference is in neither; one that only the ledger had is forgotten."""
    world = World()
    await world.apply()
    removal = make_plan([], [REFERENCE], [REFERENCE])
    assert (await world.apply(removal)).removed == [REFERENCE]
    assert (world.graph.present, await world.state()) == (set(), None)


async def test_an_entry_whose_reference_is_gone_is_forgotten() -> None:
    """A person removed the reference by hand: the ledger does not claim it any longer."""
    world = World()
    await world.apply()
    world.graph.present.clear()
    world.clock.advance(LISTED_AFTER.total_seconds())
    await world.apply(make_plan([], [], [REFERENCE]))
    assert await world.state() is None


async def test_an_entry_is_not_forgotten_because_a_list_was_old() -> None:
    """What was written just now, or is there at a second look, stays in the ledger."""
    world, vanished = World(), make_plan([], [], [REFERENCE])
    await world.apply()
    world.graph.reads_until_shown = 1
    await world.apply(vanished)
    assert await world.state() is LedgerState.WRITTEN
    world.graph.reads_until_shown = 0
    world.clock.advance(LISTED_AFTER.total_seconds())
    await world.apply(vanished)
    assert await world.state() is LedgerState.WRITTEN


async def test_two_workers_with_one_message_agree_with_the_ledger() -> None:
    """The slower one is refused as a duplicate; the reference stays ours all the same."""
    world = World()
    origin = WriteOrigin(run_id="run", rule_ids=("r",), rules_hash="hash")

    class OtherWorkerFirst(LaggingGraph):
        async def add(self, reference: Reference) -> None:
            # We were silent for so long that the other worker takes us for dead, and writes.
            world.clock.advance(WRITING_LEASE.total_seconds())
            await world.ledger.intend(reference, origin)
            self.present.add(reference)
            raise Rejected("the reference exists", status=400)

    writer = world.writer_to(OtherWorkerFirst())
    applied = await writer.apply(PLAN, RUN)
    assert (applied.written, applied.found_present) == ([REFERENCE], [])
    assert await world.state() is LedgerState.WRITTEN


async def test_a_reference_is_written_by_one_at_a_time() -> None:
    """A run is refused while another run is writing the reference, and changes nothing."""
    world = World()
    await world.ledger.intend(
        REFERENCE, WriteOrigin(run_id="o", rule_ids=("r",), rules_hash="hash")
    )
    with pytest.raises(NotYetConsistent, match="by another worker"):
        await world.apply()
    assert world.graph.writes == []


async def test_a_write_that_a_dead_run_may_have_sent_is_looked_for_first() -> None:
    """Lists that lag do not show it at once; it is found, and not sent a second time."""
    world = World()
    await world.ledger.intend(
        REFERENCE, WriteOrigin(run_id="o", rule_ids=("r",), rules_hash="hash")
    )
    await world.graph.add(REFERENCE)
    world.graph.reads_until_shown = 3
    world.clock.advance(WRITING_LEASE.total_seconds())
    assert (await world.apply()).written == [REFERENCE]
    assert world.graph.writes == [REFERENCE]


async def test_what_was_written_just_now_is_looked_for_first() -> None:
    """Another run wrote and confirmed it while ours still saw an old list."""
    world = World()
    await world.apply()
    world.graph.reads_until_shown = 3
    assert (await world.apply()).written == [REFERENCE]
    assert world.graph.writes == [REFERENCE]


async def test_what_a_person_removed_is_written_again() -> None:
    """An entry that is older than any lag says nothing against writing."""
    world = World()
    await world.apply()
    world.graph.present.clear()
    world.clock.advance(LISTED_AFTER.total_seconds())
    assert (await world.apply()).written == [REFERENCE]
    assert world.graph.writes == [REFERENCE, REFERENCE]


async def test_a_failed_try_lets_the_next_one_in_at_once() -> None:
    """An error between intent and end gives the right to write back."""
    world = World()
    world.graph.instead_of_write = Throttled("wait", retry_after=30.0)
    with pytest.raises(Throttled):
        await world.apply()
    world.graph.instead_of_write = None
    assert (await world.apply()).written == [REFERENCE]


async def test_a_lease_from_a_wrong_clock_binds_no_run() -> None:
    """An entry that claims to be held for days was written by a clock that is wrong."""
    world = World()
    world.clock.advance(86_400)
    await world.ledger.intend(
        REFERENCE, WriteOrigin(run_id="o", rule_ids=("r",), rules_hash="hash")
    )
    world.clock.advance(-86_400)
    assert (await world.apply()).written == [REFERENCE]


async def test_what_another_writer_wrote_meanwhile_is_reported_as_present() -> None:
    """Every planned reference has its place in the result: this one was there, and is not ours."""
    world = World()

    class AnotherWriterFirst(LaggingGraph):
        async def add(self, reference: Reference) -> None:
            self.present.add(reference)
            raise Rejected("the reference exists", status=400)

    graph = AnotherWriterFirst()
    writer = world.writer_to(graph)
    enforcer = Enforcer(
        graph=graph, writer=writer, max_reference_writes=1, max_writes_per_day=99, max_subjects=99
    )
    desired = [DesiredReference(REFERENCE, ("r",))]
    enforced = await enforcer.enforce(desired, Enforcement.APPLY, RUN)
    assert (enforced.present, enforced.written, enforced.failed) == ((REFERENCE,), (), ())


async def test_what_another_try_of_the_run_wrote_meanwhile_is_told_as_written() -> None:
    """Two close one sweep: the second read ledger and lists before the first had written."""
    world = World()
    seen = ReferenceSnapshot(lists={(REFERENCE.on, REFERENCE.kind): ()})
    await world.apply()
    enforcer = Enforcer(
        graph=world.graph,
        writer=world.applier,
        max_reference_writes=1,
        max_writes_per_day=99,
        max_subjects=99,
    )
    tenant = TenantPlan(
        desired=lambda _: [DesiredReference(REFERENCE, ("r",))],
        packages=[REFERENCE.on],
        seen=seen,
        noted={},
        written=frozenset(),
        may_prune=lambda _: False,
        is_certain=lambda _: True,
    )
    enforced = await enforcer.enforce_all(tenant, Enforcement.APPLY, RUN, entries={})
    assert (*enforced.planned,) == (REFERENCE,)
    assert (enforced.written, (*enforced.present,)) == ((REFERENCE,), ())
    assert world.graph.writes == [REFERENCE]


async def test_a_refusal_in_the_middle_hides_nothing_that_was_written() -> None:
    """When looking is no longer allowed, what was written is told, and the rest fails by name."""
    world = World()
    mirror = Reference(guid("b"), ReferenceKind.PACKAGE, guid("a"))

    class RoleTakenAway(LaggingGraph):
        async def references(self, package_id: str, kind: ReferenceKind) -> frozenset[str]:
            if package_id == mirror.on:
                raise Forbidden("the role is gone", status=403)
            return await super().references(package_id, kind)

    writer = world.writer_to(RoleTakenAway())
    plan = make_plan([DesiredReference(each, ("r",)) for each in (REFERENCE, mirror)], [])
    applied = await writer.apply(plan, RUN)
    assert applied.written == [REFERENCE]
    assert [each.reference for each in applied.failed] == [mirror]
    assert applied.writes == 2  # the lists could not be read, so it counts as written
    entry = await world.ledger.get(mirror)
    assert entry is not None
    assert entry.state is LedgerState.INTENDED


async def lost_then_refused(world: World, seconds: float) -> AppliedPlan:
    """A first try without an answer, and after so long another that Graph refuses."""
    world.graph.instead_of_write = Unavailable("503", status=503)
    with pytest.raises(Unavailable):
        await world.apply()
    world.clock.advance(seconds)
    world.graph.instead_of_write = Rejected("not now", status=400)
    return await world.apply()


async def test_an_intent_that_came_to_nothing_is_taken_back_at_a_later_try() -> None:
    """Lists would show a write by now: a refused write leaves no entry of any earlier run."""
    world = World()
    applied = await lost_then_refused(world, LISTED_AFTER.total_seconds())
    assert [each.reference for each in applied.failed] == [REFERENCE]
    assert await world.state() is None


async def test_a_refusal_soon_after_a_lost_try_is_not_the_last_word() -> None:
    """The first try may have written what lists do not show yet: the run comes again."""
    world = World()
    with pytest.raises(NotYetConsistent, match="not now"):
        await lost_then_refused(world, 10)
    assert await world.state() is LedgerState.INTENDED


async def test_a_write_that_lists_show_after_many_seconds_is_ours() -> None:
    """Refused as a duplicate while lists still lag: the run comes again until they show it."""
    world = World()
    world.graph.reads_until_shown = 20
    for _ in range(2):
        with pytest.raises(NotYetConsistent):
            await world.apply()
        world.clock.advance(5)
    assert (await world.apply()).written == [REFERENCE]
    assert await world.state() is LedgerState.WRITTEN
    assert world.graph.writes == [REFERENCE]


@pytest.mark.parametrize("is_planned", [True, False])
async def test_an_intent_of_long_ago_claims_nothing(*, is_planned: bool) -> None:
    """The run gave up, and a person made the reference since: it is theirs."""
    world = World()
    await world.ledger.intend(
        REFERENCE, WriteOrigin(run_id="o", rule_ids=("r",), rules_hash="hash")
    )
    world.clock.advance(ADOPTED_WITHIN.total_seconds())
    world.graph.present.add(REFERENCE)
    if is_planned:
        assert (await world.apply()).found_present == [REFERENCE]
    else:
        plan = make_plan([DesiredReference(REFERENCE, ("r",))], [REFERENCE])
        entries = await world.applier.entries_of(plan.unchanged)
        assert await world.applier.adopt(plan, entries) == []
    assert await world.state() is None


@pytest.mark.parametrize("refusal", [Forbidden("no role", status=403), Rejected("no", status=400)])
@pytest.mark.parametrize("was_ours", [True, False])
async def test_what_was_refused_and_is_there_is_another_writers(
    refusal: GraphError, *, was_ours: bool
) -> None:
    """Whatever the refusal is, and though we had written the same long before."""
    world = World()
    if was_ours:
        await world.apply()
        world.graph.present.clear()
        world.clock.advance(LISTED_AFTER.total_seconds())

    class AnotherWriterFirst(LaggingGraph):
        async def add(self, reference: Reference) -> None:
            self.present.add(reference)
            raise refusal

    writer = world.writer_to(AnotherWriterFirst())
    applied = await writer.apply(PLAN, RUN)
    assert (applied.written, applied.found_present) == ([], [REFERENCE])
    assert await world.state() is None


REMOVAL = Plan(removals=(REFERENCE,))


async def test_a_reference_is_not_removed_and_written_at_once() -> None:
    """A writer is refused during the removal. It tries again, and then has its entry."""
    world = World()
    await world.apply()
    sent_away: list[NotYetConsistent] = []

    class Checked(LaggingGraph):
        async def remove(self, reference: Reference) -> None:
            await super().remove(reference)
            with pytest.raises(NotYetConsistent) as caught:
                await world.apply()
            sent_away.append(caught.value)

    graph = Checked()
    graph.present.add(REFERENCE)
    await world.writer_to(graph).apply(REMOVAL, WritingRun(id="s", rules_hash="old"))
    assert (len(sent_away), await world.state()) == (1, None)


async def test_an_entry_that_changed_meanwhile_outlives_the_removal() -> None:
    """Another run wrote the reference anew after the remover fell silent and owns the entry."""
    world = World()
    await world.apply()
    graph = world.graph

    class FallsSilent(LaggingGraph):
        async def remove(self, reference: Reference) -> None:
            graph.present.remove(reference)
            world.clock.advance(LISTED_AFTER.total_seconds())
            await world.apply()

    writer = world.writer_to(FallsSilent())
    await writer.apply(REMOVAL, WritingRun(id="s", rules_hash="old"))
    assert graph.present == {REFERENCE}
    assert await world.state() is LedgerState.WRITTEN


async def test_what_the_ledger_does_not_call_ours_is_not_removed() -> None:
    """A removal that was planned before the entry went is left out, and said."""
    world = World()
    world.graph.present.add(REFERENCE)
    applied = await world.apply(REMOVAL)
    assert world.graph.present == {REFERENCE}
    assert ([each.reference for each in applied.failed], applied.removed) == ([REFERENCE], [])


async def test_a_write_is_noted_though_its_intent_is_gone() -> None:
    """The entry was deleted while the app was writing: what was written is the app's."""
    world = World()

    class Forgotten(LaggingGraph):
        async def add(self, reference: Reference) -> None:
            await super().add(reference)
            entry = await world.ledger.get(reference)
            assert entry is not None
            assert await world.ledger.delete(reference, entry.version)

    writer = world.writer_to(Forgotten())
    assert (await writer.apply(PLAN, RUN)).written == [REFERENCE]
    entry = await world.ledger.get(REFERENCE)
    assert entry is not None
    assert (entry.state, entry.run_id) == (LedgerState.WRITTEN, "run")


async def test_a_write_that_is_cancelled_lets_the_next_one_in_at_once() -> None:
    """No run waits for the lease of a cancelled run."""
    world = World()

    class Endless(LaggingGraph):
        async def add(self, reference: Reference) -> None:
            await super().add(reference)
            await asyncio.Event().wait()

    writer = world.writer_to(Endless())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(writer.apply(PLAN, RUN), 0.05)
    assert (await world.apply()).written == [REFERENCE]


class LostLease:
    """Another worker has taken the run over, as soon as so many writes were looked at."""

    def __init__(self, left: int) -> None:
        self.left = left

    async def require_held(self) -> None:
        if self.left == 0:
            raise NotYetConsistent("another worker is closing sweep s now")
        self.left -= 1


async def test_a_worker_whose_run_another_has_taken_over_writes_no_more() -> None:
    """What it has begun stands in the ledger; what it has not leaves nothing there."""
    world, other = World(), Reference(guid("a"), ReferenceKind.PACKAGE, guid("c"))
    plan = make_plan([DesiredReference(each, ("r",)) for each in (REFERENCE, other)], [])
    run = WritingRun(id="run", rules_hash="hash", lease=LostLease(left=1))
    with pytest.raises(NotYetConsistent, match="another worker"):
        await world.applier.apply(plan, run)
    assert world.graph.writes == [REFERENCE]
    assert [each.reference async for each in world.ledger.entries()] == [REFERENCE]


async def test_a_worker_that_lost_its_run_keeps_the_intent_of_an_earlier_try() -> None:
    """That one may have written: only who looks at Graph may forget it."""
    world = World()
    origin = WriteOrigin(run_id="run", rule_ids=("r",), rules_hash="hash")
    await world.ledger.release(REFERENCE, await world.ledger.intend(REFERENCE, origin))
    run = WritingRun(id="run", rules_hash="hash", lease=LostLease(left=0))
    with pytest.raises(NotYetConsistent, match="another worker"):
        await world.applier.apply(PLAN, run)
    assert (world.graph.writes, await world.state()) == ([], LedgerState.INTENDED)
    assert (await world.apply()).written == [REFERENCE]


async def test_a_worker_that_lost_its_run_removes_nothing_more() -> None:
    world = World()
    await world.apply()
    run = WritingRun(id="run", rules_hash="hash", lease=LostLease(left=0))
    with pytest.raises(NotYetConsistent, match="another worker"):
        await world.applier.apply(REMOVAL, run)
    assert await world.state() is LedgerState.WRITTEN
    assert (await world.apply(REMOVAL)).removed == [REFERENCE]
