"""`entra-sod plan`, `apply` and `drift`: preview, carry out, and see what has moved."""

from __future__ import annotations

import gc
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import Progress

from entra_sod.cli.operations.apply_evidence import seal_apply
from entra_sod.cli.operations.plan_document import (
    PlanDocument,
    TenantState,
    compile_references,
    half_seen,
    in_view,
    make_document,
    not_read,
)
from entra_sod.cli.operations.selections import read_reviewed
from entra_sod.cli.session import Session, require_storage
from entra_sod.cli.show import drift_table, gaps_lines, plan_markdown, plan_table
from entra_sod.cli.state import find_unfit_groups, read_state, until_error
from entra_sod.core.clock import timestamp
from entra_sod.core.errors import ConfigurationError, LimitExceeded, SodError
from entra_sod.domain.enforcement.drift import Drift, find_drift
from entra_sod.domain.enforcement.plan import Plan
from entra_sod.domain.enforcement.result import Enforcement
from entra_sod.domain.enforcement.uncertainty import is_certain
from entra_sod.domain.entra import Reference
from entra_sod.domain.results.coverage import Skipped
from entra_sod.services.doctor.results import error_of
from entra_sod.services.enforcement.orphans import DeletedGroups, find_deleted_groups
from entra_sod.services.enforcement.reference_writer import AppliedPlan, ReferenceWriter
from entra_sod.services.rules.alike import read_alike
from entra_sod.stores.evidence_chain import EvidenceChain
from entra_sod.stores.evidence_writes import EvidenceWrites
from entra_sod.stores.ledger import Ledger
from entra_sod.stores.write_controls import WriteControls

_COLLECT_AFTER = 100_000


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"
    MARKDOWN = "markdown"


class BudgetExhausted(SodError):
    """A plan that was reviewed would write more than the budget of 24 hours leaves."""


async def make(
    session: Session, folder: Path, console: Console, *, with_holders: bool = True
) -> tuple[PlanDocument, TenantState]:
    """Plan everything that the rules of a folder ask for; reads only."""
    # Hundreds of thousands of assignments pass, none of which is garbage that refers to itself:
    # looking for such garbage every 2,000 objects takes a quarter of the time.
    gc.set_threshold(_COLLECT_AFTER)
    rules, ours = await session.rules(folder), await session.ours()
    prunable = ours if session.settings.prune else []
    packages = in_view(rules, prunable)
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("reading the tenant", total=len(packages))
        state = await read_state(
            session.graph,
            packages,
            with_holders=with_holders,
            advance=lambda done: progress.advance(task, done),
        )
    reviewed = await read_reviewed(session.selections, rules.rules, state.packages)
    make_plan_of = partial(
        make_document,
        rules,
        ours=ours,
        prunable=prunable,
        made_at=timestamp(session.clock.now()),
        selections=reviewed,
    )
    made = make_plan_of(state)
    targets = (each.reference for each in made.additions)
    if unfit := await find_unfit_groups(session.graph, targets):
        state = state.without(unfit)
        made = make_plan_of(state)
    unread = state.unread_of(packages) | state.gone
    alike = await read_alike(session.graph, rules, state.granting, unread=unread)
    return msgspec.structs.replace(
        made, alike=tuple(alike.notes), rules_folder=folder.as_posix()
    ), state


def show(plan: PlanDocument, how: Format, console: Console) -> None:
    if how is Format.JSON:
        console.file.write(msgspec.json.format(msgspec.json.encode(plan)).decode() + "\n")
    elif how is Format.MARKDOWN:
        console.file.write(plan_markdown(plan))
    else:
        console.print(plan_table(plan))


def save(plan: PlanDocument, path: Path) -> None:
    path.write_bytes(msgspec.json.format(msgspec.json.encode(plan)) + b"\n")


def load(path: Path) -> PlanDocument:
    """Read a plan that `save` wrote.

    Raises:
        ConfigurationError: it is not one.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=PlanDocument)
    except (OSError, msgspec.DecodeError) as error:
        raise ConfigurationError([f"{path} is no plan of this version: {error}."]) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyResult:
    """What became of a plan.

    Attributes:
        error: that stopped it halfway: run it again, what is done stays done.
        unsealed: why there is no evidence of it: what it wrote is never removed by the app.
    """

    applied: AppliedPlan
    error: SodError | None
    unsealed: SodError | None


async def apply(
    session: Session,
    plan: PlanDocument,
    state: TenantState,
    advance: Callable[[], None] = lambda: None,
) -> ApplyResult:
    """Write a plan that was found fresh, within the guard rails, eight writes at a time.

    What the ledger has and the lists that were read do not is forgotten: somebody removed it.

    Args:
        session: to write with.
        plan: made of `state`.
        state: of the tenant.
        advance: called once for each write that is done.

    Raises:
        ConfigurationError: ENFORCEMENT is not `apply`, or there is no ledger.
        LimitExceeded: more writes than MAX_REFERENCE_WRITES.
        BudgetExhausted: more than MAX_REFERENCE_WRITES_PER_DAY leaves; nothing is written.
    """
    _require_enforcement(session)
    if plan.writes > session.settings.max_reference_writes:
        raise LimitExceeded(planned=plan.writes, limit=session.settings.max_reference_writes)
    whole = Plan(
        additions=plan.desired_additions,
        removals=plan.removals,
        vanished=_vanished(plan, state, await session.ours()),
    )
    storage, clock, applied = require_storage(session), session.clock, AppliedPlan()
    controls, evidence = WriteControls(storage, clock), EvidenceWrites(storage.blobs)
    writer = ReferenceWriter(session.graph, Ledger(storage, clock), controls, clock, evidence)
    # Each try has a name and evidence of its own: what is sealed takes nothing more.
    run_id, started_at = f"apply-{plan.state_hash[-12:]}-{secrets.token_hex(4)}", clock.now()
    await _reserve(controls, run_id, whole.writes, session.settings.max_writes_per_day)

    async def write(step: Plan) -> None:
        applied.add(await writer.apply(step, run_id=run_id, rules_hash=plan.rules_hash))
        advance()

    error = await until_error(write, _steps(whole))
    if error is None:  # otherwise a write may have been taken whose answer was lost
        await controls.give_back(run_id, whole.writes - applied.writes)
    seal = seal_apply(EvidenceChain(storage), plan, applied, run_id, started_at)
    return ApplyResult(applied=applied, error=error, unsealed=await error_of(seal))


async def _reserve(controls: WriteControls, run_id: str, writes: int, limit: int) -> None:
    budget = await controls.reserve(run_id, writes, limit, may_be_part=False)
    if budget.granted < writes:
        raise BudgetExhausted(f"{writes} writes are planned, and {budget}. Nothing was written.")


def _vanished(
    plan: PlanDocument, state: TenantState, ours: Iterable[Reference]
) -> tuple[Reference, ...]:
    """References of ours, on packages that were read, that are not there and nobody asks for."""
    known = state.present | {each.reference for each in plan.additions}
    return tuple(sorted(each for each in ours if each.on in state.packages and each not in known))


def _steps(plan: Plan) -> Sequence[Plan]:
    """One plan for each write, so that progress can be told, and one for what is forgotten."""
    return [
        *(Plan(additions=(each,)) for each in plan.additions),
        *(Plan(removals=(each,)) for each in plan.removals),
        *([Plan(vanished=plan.vanished)] if plan.vanished else []),
    ]


def _require_enforcement(session: Session) -> None:
    if session.settings.enforcement is not Enforcement.APPLY:
        raise ConfigurationError(
            [f"ENFORCEMENT is {session.settings.enforcement.word}: set it to apply to write."]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftResult:
    """Drift, and what it was found in.

    Attributes:
        groups: that references of ours name, as far as they could be looked up.
        not_read: what could not be looked at, and why: what it would show is not in `found`.
    """

    found: Sequence[Drift]
    state: TenantState
    groups: DeletedGroups
    not_read: Sequence[Skipped]


async def drift(session: Session, folder: Path) -> DriftResult:
    """Compare rules, tenant and ledger; reads only."""
    rules, ours = await session.rules(folder), await session.ours()
    packages = in_view(rules, ours)
    state = await read_state(session.graph, packages, with_holders=False)
    groups = await find_deleted_groups(session.graph, ours)
    found = find_drift(
        compile_references(rules, state.packages),
        state.present,
        ours,
        is_one_way=state.is_one_way,
        gone=state.gone | groups.gone,
    )
    unread = state.unread_of(packages)
    halves = half_seen(rules, unread)
    sure = [each for each in found if is_certain(each, halves, unread)]
    gaps = not_read(rules, packages, state)
    return DriftResult(found=sure, state=state, groups=groups, not_read=gaps)


def show_drift(compared: DriftResult, how: Format, console: Console) -> None:
    found, packages = compared.found, compared.state.packages
    names = {key: package.display_name for key, package in packages.items()}
    if how is Format.JSON:
        view = {"drift": found, "notRead": compared.not_read}
        console.file.write(msgspec.json.format(msgspec.json.encode(view)).decode() + "\n")
        return
    if found:
        console.print(drift_table(found, names))
    elif not compared.not_read:
        console.print("no drift")
    console.print(gaps_lines(compared.not_read))
