"""`entra-sod rollback`: take back what a run, a rule or a day has written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from entra_sod.cli.apply import DEFAULT_WAIT
from entra_sod.cli.commands import run as run_command
from entra_sod.cli.confirm import Yes, confirm
from entra_sod.cli.exit_code import ExitCode
from entra_sod.cli.operations.rollback_plan import RollbackRefused, parse_scope
from entra_sod.cli.operations.rollback_run import RollbackResult, RollbackRunner, WhileFrozen
from entra_sod.cli.patience import Patience
from entra_sod.cli.progress import counting
from entra_sod.cli.read_rollback import PreparedRollback, prepare
from entra_sod.cli.session import Session, open_session, require_storage
from entra_sod.cli.show_rollback import again, let_in_again, rollback_table
from entra_sod.cli.terminal import err, line, out
from entra_sod.stores.evidence_writes import EvidenceWrites
from entra_sod.stores.write_controls import WriteControls

# Not `type` statements: typer does not look behind them.
RolledBackRun = Annotated[
    str | None,
    typer.Option("--run", help="Remove what this check, sweep or apply (id) wrote."),
]
RolledBackRule = Annotated[
    str | None,
    typer.Option(
        "--rule", help="Remove what was written for this rule and no other rule asks for."
    ),
]
RolledBackSince = Annotated[
    str | None,
    typer.Option(
        "--since", help="Remove what was written since an age (2h, 1d), a date or a time (UTC)."
    ),
]
RollbackRules = Annotated[
    Path | None,
    typer.Option(
        "--rules",
        help="Folder of the rules in force. Default: the folder in RULES.",
        exists=True,
        file_okay=False,
    ),
]
RollbackLimit = Annotated[
    int | None,
    typer.Option(
        "--max", help="Maximum number of references to remove. Default: MAX_REFERENCE_WRITES."
    ),
]
RollbackDryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show what would be removed, and remove nothing.")
]
AlsoFrozen = Annotated[bool, typer.Option("--while-frozen", help="Run even if writing is frozen.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackOptions:
    rules: Path | None
    max_removals: int | None
    dry_run: bool
    yes: bool
    while_frozen: bool


def rollback(
    *,
    run: RolledBackRun = None,
    rule: RolledBackRule = None,
    since: RolledBackSince = None,
    rules: RollbackRules = None,
    max_removals: RollbackLimit = None,
    dry_run: RollbackDryRun = False,
    yes: Yes = False,
    while_frozen: AlsoFrozen = False,
) -> None:
    """Remove references that this app has written, each proved by sealed evidence.

    Shows what would be removed and who could get access again, and asks. References that people
    made stay. Needs the app's storage, and no ENFORCEMENT. It may be run again after an error.

    Exit code 0: all are removed. 1: an error, or something could not be removed, proved or read.
    With --dry-run 2: something would be removed. 3: not everything could be proved or read.
    """
    options = RollbackOptions(
        rules=rules, max_removals=max_removals, dry_run=dry_run, yes=yes, while_frozen=while_frozen
    )
    raise typer.Exit(run_command(_rollback(run, rule, since, options)))


async def _rollback(
    run: str | None, rule: str | None, since: str | None, options: RollbackOptions
) -> ExitCode:
    async with open_session() as session:
        scope = parse_scope(run, rule, since, session.clock.now())
        limit = _limit(session, options)
        storage = require_storage(session)
        controls = WriteControls(storage, session.clock)
        patience = Patience(session.clock, 60.0 * DEFAULT_WAIT, err.print)
        runner = RollbackRunner(
            graph=session.graph,
            storage=storage,
            clock=session.clock,
            proofs=EvidenceWrites(storage.blobs),
            patience=patience,
        )
        if not options.dry_run:
            await runner.seal_interrupted(controls)
        prepared = await prepare(session, scope, options.rules, patience)
        out.print(rollback_table(prepared))
        if options.dry_run:
            return _dry_run_code(prepared, limit)
        if not prepared.plan.removals:
            out.print("there is nothing to take back")
            await runner.forget(prepared.plan.vanished, controls)
            return _code(prepared)
        proved = replace(runner, proofs=prepared.proofs)
        return await _carry_out(prepared, proved, controls, limit, options)


def _limit(session: Session, options: RollbackOptions) -> int:
    """Return how many references may be removed.

    Raises:
        RollbackRefused: it is none.
    """
    limit = options.max_removals
    if limit is not None and limit < 1:
        raise RollbackRefused(
            f"--max {limit} allows nothing to be removed. Fix: say a number from 1 on, such as "
            "--max 50, or --dry-run to remove nothing."
        )
    return limit or session.settings.max_reference_writes


def _dry_run_code(prepared: PreparedRollback, limit: int) -> ExitCode:
    removals = prepared.plan.removals
    if len(removals) > limit:
        err.print(f"over the limit of {limit}: say --max {len(removals)} to remove them")
    return ExitCode.of(removals, () if prepared.is_whole else ("something",))


def _code(prepared: PreparedRollback) -> ExitCode:
    return ExitCode.NOTHING if prepared.is_whole else ExitCode.ERROR


async def _carry_out(
    prepared: PreparedRollback,
    runner: RollbackRunner,
    controls: WriteControls,
    limit: int,
    options: RollbackOptions,
) -> ExitCode:
    count = len(prepared.plan.removals)
    if count > limit:
        raise RollbackRefused(
            f"{count} references are to be removed, and the limit is {limit}, so nothing was "
            f"removed. Fix: look at the table above, and say --max {count}; or take back less."
        )
    if (freeze := await controls.frozen()) and not options.while_frozen:
        raise RollbackRefused(
            f"Nothing was removed, because {freeze}. Fix: say --while-frozen if the rollback is "
            "what the freeze is for; nothing else is written then."
        )
    if freeze:
        err.print(f"going on, although {freeze}", style="yellow")
        controls = WhileFrozen(runner.storage, runner.clock)
    question = f"Remove {count} references? {let_in_again(prepared.let_in)}."
    confirm(question, yes=options.yes)
    with counting("removing", count) as advance:
        counted = replace(runner, advance=lambda: advance(1))
        result = await counted.carry_out(prepared.plan, str(prepared.scope), controls)
    _report(result, prepared)
    await runner.forget(prepared.plan.vanished, controls)
    if result.error:
        raise result.error
    is_done = len(result.applied.removed) == count
    return _code(prepared) if is_done else ExitCode.ERROR


def _report(result: RollbackResult, prepared: PreparedRollback) -> None:
    applied = result.applied
    left = len(prepared.plan.removals) - len(applied.removed) - len(applied.failed)
    out.print(f"{len(applied.removed)} removed, {len(applied.failed)} failed, {left} not begun")
    for each in applied.failed:
        reference = each.reference
        err.print(f"failed: {reference.target} on {reference.on}: {each.why}", style="red")
    if left and not applied.frozen:
        err.print("not everything was begun: run the same command again to go on", style="red")
    if applied.frozen:
        err.print(f"stopped: {applied.frozen}. Say --while-frozen to go on.", style="red")
    if result.unsealed:
        err.print(f"no evidence of this could be sealed: {result.unsealed}", style="yellow")
    if result.untold:
        err.print(f"subscribers are not told: {result.untold}", style="yellow")
    out.print(line(again(prepared.asked, applied.removed)))
