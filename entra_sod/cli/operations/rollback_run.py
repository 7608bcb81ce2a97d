"""Carries a rollback out, one reference after the other, and seals the evidence of it."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from entra_sod.cli.operations.rollback_lease import PlannedRemoval, RollbackLease, RollbackRun
from entra_sod.cli.operations.rollback_plan import LeftAlone, RollbackPlan, RollbackRefused
from entra_sod.cli.operations.tell import tell_applied
from entra_sod.cli.patience import Patience, stopped_by_interrupt
from entra_sod.core.clock import Clock, timestamp
from entra_sod.core.errors import GraphError, SodError, Throttled, Unavailable
from entra_sod.domain.enforcement.freeze import Freeze
from entra_sod.domain.enforcement.plan import Plan
from entra_sod.domain.enforcement.result import EnforcementResult, FailedWrite
from entra_sod.domain.entra import Reference
from entra_sod.domain.evidence.rows import CoverageFile
from entra_sod.domain.results.check import references_view
from entra_sod.domain.results.coverage import Checked, Coverage, Skipped
from entra_sod.ports.graph import Graph
from entra_sod.ports.storage import Storage
from entra_sod.services.doctor.results import error_of
from entra_sod.services.enforcement.reference_writer import (
    AppliedPlan,
    ReferenceWriter,
    WritingRun,
)
from entra_sod.services.evidence.writer import EvidenceInput, EvidenceWriter
from entra_sod.stores.evidence_chain import EvidenceChain
from entra_sod.stores.evidence_writes import EvidenceWrites
from entra_sod.stores.ledger import DamagedEntry, Ledger, LedgerEntry
from entra_sod.stores.write_controls import WriteControls

NO_LIMIT = sys.maxsize  # a rollback counts in the budget of 24 hours, and is not stopped by it
INTERRUPTED = "the rollback ended in the middle of it: whether it was removed is not known"
CHANGED = (
    "The ledger has changed since the table above was made, so nothing was removed. Fix: run this "
    "again, and look at the new table."
)
LOST = (
    "Another rollback has taken over, because this one did not renew its lease in time. What was "
    "removed stays removed. Fix: wait until the other one has ended, and run this again."
)


class WhileFrozen(WriteControls):
    """Controls of a rollback that goes on while writing is frozen."""

    async def frozen(self) -> Freeze | None:
        return None


@dataclass(slots=True)
class RollbackResult:
    """What became of a rollback.

    Attributes:
        error: that stopped it halfway; run it again.
        unsealed: why there is no evidence of it.
        untold: why subscribers are not told.
    """

    applied: AppliedPlan = field(default_factory=AppliedPlan)
    error: SodError | None = None
    unsealed: SodError | None = None
    untold: SodError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackRunner:
    """Removes references, and seals what was removed.

    Attributes:
        proofs: by which the references were found to be ours.
        patience: how long to wait, and what stops removing.
        advance: is called once for each reference that is done.
    """

    graph: Graph
    storage: Storage
    clock: Clock
    proofs: EvidenceWrites
    patience: Patience
    advance: Callable[[], object] = lambda: None

    async def carry_out(
        self, plan: RollbackPlan, scope: str, controls: WriteControls
    ) -> RollbackResult:
        """Remove what a plan says, and seal that, also after an error.

        Raises:
            RollbackRefused: another rollback is under way, or was, since the plan was made.
        """
        now = self.clock.now()
        name = f"rollback-{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
        run = RollbackRun(id=name, scope=scope, started_at=now)
        lease, result = RollbackLease(self.storage, self.clock), RollbackResult()
        await lease.take(run, plan.removals)
        try:
            async with lease.renewed():
                work = self._remove_all(run, plan, controls, lease, result.applied)
                with stopped_by_interrupt(self.patience.stop):
                    result.error = await error_of(work)
        finally:
            result.unsealed = await error_of(self._seal(run, result.applied, plan.left_alone))
            result.untold = await tell_applied(self.storage, self.clock, run.id, result.applied)
            unused = len(plan.removals) - result.applied.writes
            await error_of(self._end(lease, run, controls, unused))
        return result

    async def _end(
        self, lease: RollbackLease, run: RollbackRun, controls: WriteControls, unused: int
    ) -> None:
        """Let others in, and return what was reserved and not written.

        In this order: should this die in between, more is counted than was written, never less.
        """
        if await lease.end():
            await controls.give_back(run.id, unused)

    async def _remove_all(
        self,
        run: RollbackRun,
        plan: RollbackPlan,
        controls: WriteControls,
        lease: RollbackLease,
        applied: AppliedPlan,
    ) -> None:
        ledger = Ledger(self.storage, self.clock)
        for each in plan.removals:
            now = await ledger.get(each.reference)
            if now is None or (now.run_id, now.at) != (each.run_id, each.at):
                raise RollbackRefused(CHANGED)
        await controls.reserve(run.id, len(plan.removals), NO_LIMIT)
        writer = ReferenceWriter(self.graph, ledger, controls, self.clock, self.proofs)
        for each in plan.removals:
            if lease.is_lost:
                raise RollbackRefused(LOST)
            progress = f"{len(applied.removed)} of {len(plan.removals)} removed"
            applied.add(await self._remove(run, each.reference, writer, applied, progress))
            if applied.frozen or self.patience.stop.is_set():
                return
            self.patience.start_again()
            self.advance()

    async def _remove(
        self,
        run: RollbackRun,
        reference: Reference,
        writer: ReferenceWriter,
        applied: AppliedPlan,
        progress: str,
    ) -> AppliedPlan:
        step = Plan(removals=(reference,))
        try:
            return await self.patience.read(
                lambda: writer.apply(step, WritingRun(id=run.id, rules_hash="")), progress
            )
        except BaseException as error:  # cancelled, too: the evidence has to say so
            why = f"{INTERRUPTED} ({str(error) or type(error).__name__})"
            applied.failed.append(FailedWrite(reference, why))
            applied.uncertain += 1
            raise

    async def seal_interrupted(self, controls: WriteControls) -> None:
        """Seal the evidence of a rollback that was killed, if one was, and tell of it.

        Raises:
            RollbackRefused: another rollback is under way.
        """
        lease = RollbackLease(self.storage, self.clock)
        run = await lease.take_over()
        if run is None:
            return
        async with lease.renewed():
            planned = await lease.planned(run)
            removed = await self.patience.read(
                lambda: self._removed_of(planned), "reading what was removed"
            )
            await self.forget(removed, controls)
            unsealed = await error_of(self._seal(run, AppliedPlan(removed=list(removed)), ()))
        what = f"no evidence could be sealed ({unsealed})" if unsealed else "its evidence is sealed"
        self.patience.tell(f"{run.id} was interrupted after {len(removed)} removals: {what}")
        await self._end(lease, run, controls, len(planned) - len(removed))

    async def forget(self, vanished: Sequence[Reference], controls: WriteControls) -> None:
        """Have the ledger forget what is not in Entra any more."""
        ledger = Ledger(self.storage, self.clock)
        writer = ReferenceWriter(self.graph, ledger, controls, self.clock, self.proofs)
        # By list, as the writer reads each once.
        await writer.apply(Plan(vanished=tuple(sorted(vanished))), WritingRun(id="", rules_hash=""))

    async def _removed_of(self, planned: Sequence[PlannedRemoval]) -> Sequence[Reference]:
        """Those of a dead run's references that are not there any more, or were written anew."""
        ledger = Ledger(self.storage, self.clock)
        noted = {each.reference: await _noted(ledger, each.reference) for each in planned}
        lists = await self.graph.references_of({each.reference.on for each in planned})
        return [
            each.reference
            for each in planned
            if is_removed(
                each, noted[each.reference], lists[each.reference.on, each.reference.kind]
            )
        ]

    async def _seal(
        self, run: RollbackRun, applied: AppliedPlan, left_alone: Sequence[LeftAlone]
    ) -> None:
        chain = EvidenceChain(self.storage)
        if not applied.removed and not applied.failed:
            await chain.drafts.delete(run.id)
            return
        evidence = rollback_evidence(run, applied, left_alone)
        await (await EvidenceWriter.open(chain, evidence)).seal()


async def _noted(ledger: Ledger, reference: Reference) -> LedgerEntry | DamagedEntry | None:
    try:
        return await ledger.get(reference)
    except DamagedEntry as damaged:
        return damaged


def is_removed(
    planned: PlannedRemoval,
    noted: LedgerEntry | DamagedEntry | None,
    listed: frozenset[str] | GraphError,
) -> bool:
    """Whether a run that died had removed a reference, by what ledger and lists say now.

    Raises:
        Throttled, Unavailable: the list could not be read just now.
    """
    # A damaged row does not say whether the reference was written anew: what is listed decides.
    if not isinstance(noted, DamagedEntry):
        origin = (noted.run_id, noted.at) if noted else None
        if origin != (planned.run_id, planned.at):
            return True
    if isinstance(listed, Throttled | Unavailable):
        raise listed
    return not isinstance(listed, GraphError) and planned.reference.target not in listed


def rollback_evidence(
    run: RollbackRun, applied: AppliedPlan, left_alone: Sequence[LeftAlone]
) -> EvidenceInput:
    """Make the evidence of a rollback of what it removed, and of what it left alone and why."""
    done = EnforcementResult(removed=tuple(applied.removed), failed=tuple(applied.failed))
    coverage = Coverage(
        checked=[Checked(what=f"rollback {run.scope}", how="the ledger and the chain of evidence")],
        skipped=[
            Skipped(what=f"{on.kind} {on.target} on {on.on}", why=each.why)
            for each in left_alone
            for on in (each.reference,)
        ],
    )
    return EvidenceInput(
        run=run.id,
        kind="rollback",
        started_at=run.started_at,
        at=timestamp(run.started_at),
        rules=None,
        references=references_view(done),
        coverage=CoverageFile(outcome="rolled-back", pairs={}, coverage=coverage),
    )
