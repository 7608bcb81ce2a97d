"""From desired references to written ones, as far as the settings and the caller allow."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from entra_sod.core.errors import LimitExceeded
from entra_sod.domain.enforcement.budget import WritesStopped
from entra_sod.domain.enforcement.desired import DesiredReference
from entra_sod.domain.enforcement.drift import Drift
from entra_sod.domain.enforcement.freeze import Freeze
from entra_sod.domain.enforcement.guard import WriteGuard
from entra_sod.domain.enforcement.impact import Population, WeighedAdditions, weigh
from entra_sod.domain.enforcement.plan import Plan, make_plan
from entra_sod.domain.enforcement.result import (
    Enforcement,
    EnforcementResult,
    LazyCollection,
    ReferenceList,
    ReferenceSnapshot,
)
from entra_sod.domain.enforcement.tenant_plan import PlanSummary, TenantPlan
from entra_sod.domain.entra import Reference
from entra_sod.ports.graph import Graph
from entra_sod.services.enforcement.count_subjects import count_subjects
from entra_sod.services.enforcement.reference_writer import (
    AppliedPlan,
    ReferenceWriter,
    WritingRun,
)
from entra_sod.stores.ledger import LedgerEntry

NOTHING_KNOWN = Population()


@dataclass(frozen=True, slots=True, kw_only=True)
class Enforcer:
    graph: Graph
    writer: ReferenceWriter
    max_reference_writes: int
    max_writes_per_day: int
    max_subjects: int

    async def enforce(
        self,
        desired: Collection[DesiredReference],
        reach: Enforcement,
        run: WritingRun,
        *,
        known: Population = NOTHING_KNOWN,
        guards: Collection[WriteGuard] = (),
    ) -> EnforcementResult:
        """Plan the whole of it first; then write it, if that is allowed.

        Args:
            desired: what the rules in view ask for.
            reach: OFF does nothing, PLAN writes nothing.
            run: the check or sweep.
            known: of how many subjects there are; what is not is asked for if it is to write.
            guards: of every change.

        Raises:
            GraphError, NotYetConsistent: a permanent error comes before any write. After another
                error the same run should be repeated; it continues from the ledger.
        """
        if reach is Enforcement.OFF or not desired:
            return EnforcementResult()
        # Before the lists: what another worker has written by now they show.
        noted = await self.writer.entries_on({each.reference.on for each in desired})
        if reach is Enforcement.APPLY:
            self.writer.ledger.require_none_begun(run.id, noted.values())
        seen = await self._read_references(
            {(each.reference.on, each.reference.kind) for each in desired}
        )
        present = seen.present({on for on, _ in seen.lists})
        plan = make_plan(desired, present).guarded(guards)
        entries = {each: noted[each] for each in plan.unchanged if each in noted}
        earlier, asks = _written_by(run.id, entries), reach is Enforcement.APPLY
        weighed = await self._weigh(plan, present, known, earlier, asks=asks)
        plan, done = plan.guarded([weighed]), _DoneWrites()
        if reach is Enforcement.APPLY:
            done = await self._apply(plan, plan.writes, entries, run)
        return EnforcementResult(
            present=tuple(done.present(plan.unchanged)),
            planned=tuple(done.planned(each.reference for each in plan.additions)),
            written=(*done.earlier, *done.applied.written),
            removed=tuple(done.applied.removed),
            failed=tuple(done.applied.failed),
            stopped=done.stopped,
            held=plan.held,
            weighed=weighed,
        )

    async def enforce_all(
        self,
        tenant: TenantPlan,
        reach: Enforcement,
        run: WritingRun,
        *,
        entries: Mapping[Reference, LedgerEntry],
        known: Population = NOTHING_KNOWN,
    ) -> EnforcementResult:
        """Compare the whole tenant with the rules, and write what they ask for.

        Args:
            tenant: what is compared. Lists that the plan would change are read once more before the
                first write, for this run may have been here already.
            reach: OFF does nothing, PLAN writes nothing.
            run: the sweep.
            entries: the whole ledger, read after the lease was taken; drift from it is found.
            known: of how many subjects there are; what is not is asked for.

        Raises:
            GraphError, NotYetConsistent: as `enforce`.
        """
        writes_now, done = reach is Enforcement.APPLY, _DoneWrites()
        if writes_now:
            self.writer.ledger.require_none_begun(run.id, entries.values())
        look = await self._look(tenant, entries, again=writes_now)
        there = look.tenant.seen.present({each.on for each in look.plan.changes})
        earlier = _written_by(run.id, look.entries)
        weighed = await self._weigh(look.plan, there, known, earlier, asks=True)
        look = look.guarded(weighed)
        if writes_now:
            writes = look.survey.writes - len(weighed.held)
            done = await self._apply(look.plan, writes, look.entries, run)
        return look.result(weighed, done)

    async def _look(
        self, tenant: TenantPlan, entries: Mapping[Reference, LedgerEntry], *, again: bool
    ) -> _TenantLook:
        """Go through the tenant; what is about to be written is looked at a second time."""
        # In a thread: millions of references take seconds, and others wait for the loop.
        survey = await asyncio.to_thread(tenant.survey, self.max_reference_writes)
        look = _TenantLook(tenant, entries, survey, survey.plan, survey.drift)
        if not again or survey.writes > self.max_reference_writes:
            return look
        tenant, came = await self._look_again(tenant, look.plan)
        entries = {**entries, **await self.writer.entries_of(came)}
        survey = await asyncio.to_thread(tenant.survey, self.max_reference_writes)
        unchanged = tuple(dict.fromkeys((*survey.plan.unchanged, *came)))
        plan = replace(survey.plan, unchanged=unchanged)
        return _TenantLook(tenant, entries, survey, plan, look.drift)

    async def _look_again(
        self, tenant: TenantPlan, plan: Plan
    ) -> tuple[TenantPlan, Sequence[Reference]]:
        """Read the lists that a plan would change again; return also the references written since.

        Another try of this run may have written since the ledger was read.
        """
        newer = await self._read_references({(each.on, each.kind) for each in plan.changes})
        came = [each.reference for each in plan.additions if each.reference in newer]
        return replace(tenant, seen=tenant.seen.replaced(newer)), came

    async def _weigh(
        self,
        plan: Plan,
        present: Iterable[Reference],
        known: Population,
        earlier: Sequence[Reference],
        *,
        asks: bool,
    ) -> WeighedAdditions:
        """Count the subjects that the additions exclude, if the plan is within its limit."""
        additions = [each.reference for each in plan.additions]
        if not additions or plan.writes > self.max_reference_writes:
            return WeighedAdditions()
        if asks:
            known = await count_subjects(self.graph, (*earlier, *additions), known)
        return weigh(additions, present, known, limit=self.max_subjects, earlier=earlier)

    async def _apply(
        self,
        plan: Plan,
        writes: int,
        entries: Mapping[Reference, LedgerEntry],
        run: WritingRun,
    ) -> _DoneWrites:
        adopted = await self.writer.adopt(plan, entries)
        earlier = [each for each in adopted if entries[each].run_id == run.id]
        if writes + len(earlier) > self.max_reference_writes:
            limit, used = self.max_reference_writes, len(earlier)
            why = str(LimitExceeded(planned=writes + used, limit=limit))
            stop = WritesStopped(by="run-limit", why=why, left=writes, used=used, limit=limit)
            return _DoneWrites(earlier=earlier, stopped=stop)
        if not writes and not plan.vanished:
            return _DoneWrites(earlier=earlier)
        budget = await self.writer.controls.reserve(
            run.id, writes + len(earlier), self.max_writes_per_day
        )
        allowed = plan.first(max(0, budget.granted - len(earlier)))
        applied = await self.writer.apply(allowed, run)
        await self.writer.controls.give_back(run.id, allowed.writes - applied.writes)
        left = writes - applied.tried
        stopped = await self._stopped(left, applied.frozen) if left else None
        return _DoneWrites(earlier=earlier, applied=applied, stopped=stopped)

    async def _stopped(self, left: int, freeze: Freeze | None) -> WritesStopped:
        use = await self.writer.controls.budget(self.max_writes_per_day)
        return WritesStopped(
            by="freeze" if freeze else "day-limit",
            why=str(freeze or f"{left} writes are left planned: {use}"),
            left=left,
            used=use.used,
            limit=use.limit,
            room_from=use.room_from,
            frozen=freeze,
        )

    async def _read_references(self, lists: Collection[ReferenceList]) -> ReferenceSnapshot:
        seen = ReferenceSnapshot()
        for on, kind in sorted(lists):
            seen.add(on, kind, await self.graph.references(on, kind))
        return seen


def _written_by(run_id: str, entries: Mapping[Reference, LedgerEntry]) -> Sequence[Reference]:
    """What an earlier try of a run has written, or begun to."""
    return sorted(key for key, each in entries.items() if each.run_id == run_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class _DoneWrites:
    """What was written: by this try, and by earlier ones of the same run."""

    earlier: Sequence[Reference] = ()
    applied: AppliedPlan = field(default_factory=AppliedPlan)
    stopped: WritesStopped | None = None

    @property
    def found(self) -> Sequence[Reference]:
        """What others made between our look and our write."""
        return self.applied.found_present

    def present(self, unchanged: Iterable[Reference]) -> Iterator[Reference]:
        earlier = frozenset(self.earlier)
        return chain((each for each in unchanged if each not in earlier), self.found)

    def planned(self, additions: Iterable[Reference]) -> Iterator[Reference]:
        found = frozenset(self.found)
        return chain(self.earlier, (each for each in additions if each not in found))


@dataclass(frozen=True, slots=True)
class _TenantLook:
    """A whole tenant beside what the rules ask for.

    Attributes:
        tenant: what was looked at, and the guards of what may be written.
        entries: of the ledger.
        survey: what it comes to.
        plan: what is to be carried out.
        drift: as the first look found it, for the second finds what this run wrote.
    """

    tenant: TenantPlan
    entries: Mapping[Reference, LedgerEntry]
    survey: PlanSummary
    plan: Plan
    drift: Sequence[Drift]

    def guarded(self, weighed: WeighedAdditions) -> _TenantLook:
        tenant = self.tenant
        if weighed.held:
            tenant = replace(tenant, guards=(*tenant.guards, weighed))
        return replace(self, tenant=tenant, plan=self.plan.guarded([weighed]))

    def result(self, weighed: WeighedAdditions, done: _DoneWrites) -> EnforcementResult:
        """Say what was found, what was written, and what of it is left."""
        survey, tenant, applied = self.survey, self.tenant, done.applied
        held, earlier, found = len(weighed.held), len(done.earlier), len(done.found)
        survey.tally.settle(
            survey.additions, there={*applied.written, *done.found}, held=weighed.held
        )
        return EnforcementResult(
            present=LazyCollection(
                survey.present - earlier + found, lambda: done.present(tenant.unchanged())
            ),
            planned=LazyCollection(
                survey.planned - held + earlier - found, lambda: done.planned(tenant.additions())
            ),
            held=LazyCollection(survey.held + held, tenant.held),
            weighed=weighed,
            drift=self.drift,
            written=(*done.earlier, *applied.written),
            removed=tuple(applied.removed),
            failed=tuple(applied.failed),
            stopped=done.stopped,
            tally=survey.tally,
        )
