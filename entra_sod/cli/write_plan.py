"""Writes a plan that was reviewed, eight writes at a time, and seals what became of it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from entra_sod.cli.operations.apply_evidence import seal_apply
from entra_sod.cli.operations.plan_document import PlanDocument
from entra_sod.cli.operations.tell import tell_applied
from entra_sod.cli.operations.tenant_state import TenantState
from entra_sod.cli.patience import Patience, WriteOutcome, stopped_by_interrupt, write_all
from entra_sod.cli.session import Session, require_storage
from entra_sod.core.errors import ConfigurationError, LimitExceeded, SodError
from entra_sod.domain.enforcement.plan import Plan
from entra_sod.domain.enforcement.result import Enforcement
from entra_sod.domain.entra import Reference
from entra_sod.ports.storage import Storage
from entra_sod.services.doctor.results import error_of
from entra_sod.services.enforcement.reference_writer import (
    AppliedPlan,
    ReferenceWriter,
    WritingRun,
)
from entra_sod.stores.evidence_chain import EvidenceChain
from entra_sod.stores.evidence_writes import EvidenceWrites
from entra_sod.stores.ledger import Ledger
from entra_sod.stores.write_controls import WriteControls


class BudgetExhausted(SodError):
    """A plan that was reviewed would write more than the budget of 24 hours leaves."""


class WritingFrozen(SodError):
    """Writing was frozen before the first write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyResult:
    """What became of a plan.

    Attributes:
        error: that ended it halfway: run it again, what is done stays done.
        unsealed: why there is no evidence of it: what it wrote is never removed by the app.
        untold: why subscribers are not told.
        was_stopped: whether a person stopped it before its end.
    """

    applied: AppliedPlan
    error: SodError | None
    unsealed: SodError | None
    untold: SodError | None
    was_stopped: bool


async def require_permission(session: Session) -> None:
    """Look whether anything may be written at all.

    Raises:
        ConfigurationError: ENFORCEMENT is not `apply`, or there is no ledger.
        WritingFrozen: writing is frozen.
    """
    if session.settings.enforcement is not Enforcement.APPLY:
        mode = session.settings.enforcement.word
        fix = "Fix: set ENFORCEMENT=apply, and run this again."
        raise ConfigurationError([f"ENFORCEMENT is {mode}, so nothing may be written. {fix}"])
    controls = WriteControls(require_storage(session), session.clock)
    if freeze := await controls.frozen():
        raise WritingFrozen(f"{freeze}. Nothing was written. entra-sod unfreeze ends it.")


async def write_plan(
    session: Session,
    plan: PlanDocument,
    state: TenantState,
    patience: Patience,
    advance: Callable[[], None] = lambda: None,
) -> ApplyResult:
    """Write a plan that was found fresh, within the guard rails, and wait while Graph is busy.

    What the ledger has and the lists that were read do not was removed outside of this app. Its row
    is deleted.

    Args:
        session: to write with.
        plan: made of `state`.
        state: of the tenant.
        patience: how long to wait, and what stops writing.
        advance: called once for each write that is done.

    Raises:
        LimitExceeded: more writes than MAX_REFERENCE_WRITES.
        BudgetExhausted: more than MAX_REFERENCE_WRITES_PER_DAY leaves; nothing is written.
    """
    require_within_limit(session, plan)
    whole = Plan(
        additions=plan.desired_additions,
        removals=plan.removals,
        vanished=_vanished(plan, state, (await session.ours()).written),
    )
    storage, clock, applied = require_storage(session), session.clock, AppliedPlan()
    writer = _writer(session, storage)
    controls = writer.controls
    # All tries of this command have one name, so each write counts once in the budget. Another
    # command has a name and evidence of its own: what is sealed takes nothing more.
    run_id, started_at = f"apply-{plan.state_hash[-12:]}-{secrets.token_hex(4)}", clock.now()
    await _reserve(controls, run_id, whole.writes, session.settings.max_writes_per_day)

    run = WritingRun(id=run_id, rules_hash=plan.rules_hash)

    async def write(step: Plan) -> None:
        if not applied.frozen:
            applied.add(await writer.apply(step, run))
            advance()

    with stopped_by_interrupt(patience.stop):
        outcome = await write_all(
            write, _steps(whole), patience, lambda: f"{applied.writes} of {whole.writes} written"
        )
        await controls.give_back(run_id, _unwritten(whole, applied, outcome))
        seal = seal_apply(EvidenceChain(storage), plan, applied, run_id, started_at)
        unsealed = await error_of(seal)
        untold = await tell_applied(storage, clock, run_id, applied)
    was_stopped = patience.stop.is_set() and bool(outcome.doubtful or outcome.left)
    return ApplyResult(
        applied=applied,
        error=outcome.error,
        unsealed=unsealed,
        untold=untold,
        was_stopped=was_stopped,
    )


def _writer(session: Session, storage: Storage) -> ReferenceWriter:
    clock = session.clock
    ledger, controls = Ledger(storage, clock), WriteControls(storage, clock)
    return ReferenceWriter(session.graph, ledger, controls, clock, EvidenceWrites(storage.blobs))


def require_within_limit(session: Session, plan: PlanDocument) -> None:
    """Raises LimitExceeded if a plan has more writes than MAX_REFERENCE_WRITES."""
    if plan.writes > session.settings.max_reference_writes:
        raise LimitExceeded(planned=plan.writes, limit=session.settings.max_reference_writes)


async def _reserve(controls: WriteControls, run_id: str, writes: int, limit: int) -> None:
    budget = await controls.reserve(run_id, writes, limit, may_be_part=False)
    if budget.granted < writes:
        raise BudgetExhausted(f"{writes} writes are planned, and {budget}. Nothing was written.")


def _unwritten(whole: Plan, applied: AppliedPlan, outcome: WriteOutcome[Plan]) -> int:
    """How many reserved writes did not happen. Those whose answer was lost may have happened."""
    return whole.writes - applied.writes - sum(each.writes for each in outcome.doubtful)


def _vanished(
    plan: PlanDocument, state: TenantState, ours: Iterable[Reference]
) -> tuple[Reference, ...]:
    """References of ours that are gone from packages that were read, and that no rule asks for."""
    wanted = {each.reference for each in plan.additions} | {each.reference for each in plan.held}
    known = state.present | wanted
    return tuple(sorted(each for each in ours if each.on in state.packages and each not in known))


def _steps(plan: Plan) -> Sequence[Plan]:
    """One plan for each write, so that progress can be told, and one for what is forgotten."""
    return [
        *(Plan(additions=(each,)) for each in plan.additions),
        *(Plan(removals=(each,)) for each in plan.removals),
        *([Plan(vanished=plan.vanished)] if plan.vanished else []),
    ]
