"""`entra-sod plan`, `apply` and `drift`: preview, carry out, and see what has moved."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Sequence, Sized
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import Progress

from entra_sod.cli.operations.plan_document import (
    PlanDocument,
    PlanGap,
    TenantState,
    compile_references,
    half_seen,
    in_view,
    make_document,
    not_read,
)
from entra_sod.cli.session import Session, require_ledger
from entra_sod.cli.show import drift_table, gaps_lines, plan_markdown, plan_table
from entra_sod.cli.state import read_state, until_error
from entra_sod.core.clock import timestamp
from entra_sod.core.errors import ConfigurationError, LimitExceeded, SodError
from entra_sod.domain.enforcement.drift import Drift, find_drift
from entra_sod.domain.enforcement.plan import Plan
from entra_sod.domain.enforcement.result import Enforcement
from entra_sod.domain.enforcement.uncertainty import is_certain
from entra_sod.domain.entra import Reference
from entra_sod.services.enforcement.orphans import DeletedGroups, find_deleted_groups
from entra_sod.services.enforcement.reference_writer import AppliedPlan, ReferenceWriter
from entra_sod.services.rules.alike import read_alike

_COLLECT_AFTER = 100_000


class ExitCode(IntEnum):
    """For CI: nothing to do, an error, something to do, not everything could be looked at."""

    NOTHING = 0
    ERROR = 1
    CHANGES = 2
    UNKNOWN = 3

    @classmethod
    def of(cls, found: Sized, not_read: Sized) -> ExitCode:
        """What was not read wins over what was found."""
        if not_read:
            return cls.UNKNOWN
        return cls.CHANGES if found else cls.NOTHING


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"
    MARKDOWN = "markdown"


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
    made_at = timestamp(session.clock.now())
    made = make_document(rules, state, ours=ours, prunable=prunable, made_at=made_at)
    alike = await read_alike(session.graph, rules)
    gaps = [PlanGap(what=each.what, why=each.why) for each in alike.notes]
    return msgspec.structs.replace(made, alike=tuple(gaps)), state


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
    """

    applied: AppliedPlan
    error: SodError | None


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
    """
    _require_enforcement(session)
    whole = Plan(
        additions=plan.desired_additions,
        removals=plan.removals,
        vanished=_vanished(plan, state, await session.ours()),
    )
    if plan.writes > session.settings.max_reference_writes:
        raise LimitExceeded(planned=plan.writes, limit=session.settings.max_reference_writes)
    writer = ReferenceWriter(session.graph, require_ledger(session), session.clock)
    run_id, applied = f"apply-{plan.state_hash[-12:]}", AppliedPlan()

    async def write(step: Plan) -> None:
        done = await writer.apply(step, run_id=run_id, rules_hash=plan.rules_hash)
        applied.written += done.written
        applied.removed += done.removed
        applied.found_present += done.found_present
        applied.failed += done.failed
        advance()

    error = await until_error(write, _steps(whole))
    return ApplyResult(applied=applied, error=error)


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
    not_read: Sequence[PlanGap]


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
