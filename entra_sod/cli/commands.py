"""The commands that look at a tenant, as typer sees them: options in, exit code out."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from entra_sod.cli import plan as plans
from entra_sod.cli.exit_code import ExitCode
from entra_sod.cli.operations.plan_document import PlanDocument, why_stale
from entra_sod.cli.plan import Format
from entra_sod.cli.session import open_session
from entra_sod.cli.terminal import err, out
from entra_sod.core.errors import ConfigurationError, GraphError, SodError
from entra_sod.services.enforcement.reference_writer import AppliedPlan

# Not `type` statements: typer does not look behind them.
PlanRulesFolder = Annotated[
    Path,
    typer.Option(
        "--rules",
        envvar="RULES",
        help="Folder of the rules files.",
        exists=True,
        file_okay=False,
    ),
]
ApplyRulesFolder = Annotated[
    Path | None,
    typer.Option(
        "--rules",
        help="Folder of the rules files; without it the one that the plan was made of.",
        exists=True,
        file_okay=False,
    ),
]
PlanFormat = Annotated[
    Format, typer.Option("--format", help="For people, programs, pull requests.")
]


def plan(
    rules: PlanRulesFolder = Path("rules"),
    how: PlanFormat = Format.TABLE,
    save_to: Annotated[Path | None, typer.Option("--out", help="Keep the plan for apply.")] = None,
) -> None:
    """Preview every reference that the rules ask for; writes nothing.

    Exit code 0: nothing to do. 2: changes. 3: not everything could be read. 1: an error.
    """
    raise typer.Exit(_run(_plan(rules, how, save_to), refused=ExitCode.UNKNOWN))


def apply(
    plan_file: Annotated[Path, typer.Argument(help="What plan --out wrote.", exists=True)],
    rules: ApplyRulesFolder = None,
    replan: Annotated[bool, typer.Option("--replan", help="If stale, apply a new plan.")] = False,  # noqa: FBT002 - a flag
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check all, write nothing.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Write a plan that was reviewed; needs ENFORCEMENT=apply and the app's storage.

    Exit code 0: all written. 1: stale, refused, or some writes failed; nothing is lost by running
    it again. 3: all written, and not everything could be read.
    """
    raise typer.Exit(_run(_apply(plan_file, rules, replan=replan, dry_run=dry_run)))


def drift(rules: PlanRulesFolder = Path("rules"), how: PlanFormat = Format.TABLE) -> None:
    """Show where the tenant differs from the rules and from the ledger; writes nothing.

    Exit code 0: no drift. 2: drift. 3: not everything could be read. 1: an error.
    """
    raise typer.Exit(_run(_drift(rules, how), refused=ExitCode.UNKNOWN))


def _run(work: Coroutine[None, None, ExitCode], *, refused: ExitCode = ExitCode.ERROR) -> ExitCode:
    """Run a command; `refused` is its exit code if Graph does not show what it needs."""
    try:
        return asyncio.run(work)
    except SodError as error:
        err.print(f"entra-sod: {error}", style="red")
        return refused if isinstance(error, GraphError) else ExitCode.ERROR


async def _plan(rules: Path, how: Format, save_to: Path | None) -> ExitCode:
    err.print(f"rules: {rules}")
    async with open_session() as session:
        made, _ = await plans.make(session, rules, err)
        if session.ledger is None:
            err.print("no AzureWebJobsStorage, so no ledger: nothing is known to be ours")
    plans.show(made, how, out)
    if save_to:
        plans.save(made, save_to)
    return ExitCode.of(range(made.writes), made.not_read)


async def _apply(plan_file: Path, rules: Path | None, *, replan: bool, dry_run: bool) -> ExitCode:
    approved = plans.load(plan_file)
    folder = rules or _folder_of(approved)
    async with open_session() as session:
        fresh, state = await plans.make(session, folder, err, with_holders=False)
        stale = why_stale(approved, fresh, state)
        if stale and not replan:
            err.print(
                f"entra-sod: the plan of {approved.made_at} is stale: {stale}. Make and review a "
                "new one with entra-sod plan, or say --replan.",
                style="red",
            )
            return ExitCode.ERROR
        if dry_run:
            plans.show(fresh, Format.TABLE, out)
            return ExitCode.of((), fresh.not_read)
        with Progress(console=err, transient=True) as progress:
            task = progress.add_task("writing", total=fresh.writes)
            carried = await plans.apply(session, fresh, state, lambda: progress.advance(task))
    code = _report_applied(carried.applied)
    if carried.unsealed:
        err.print(
            f"no evidence of this could be sealed, so PRUNE will not remove it: {carried.unsealed}",
            style="yellow",
        )
    if carried.error:
        raise carried.error
    return code or ExitCode.of((), fresh.not_read)


def _folder_of(plan: PlanDocument) -> Path:
    """Return the folder that a plan was made of.

    Raises:
        ConfigurationError: it is not here.
    """
    folder = Path(plan.rules_folder)
    if not folder.is_dir():
        problem = f"The plan was made of {folder}, which is no folder here: name it by --rules."
        raise ConfigurationError([problem])
    return folder


def _report_applied(applied: AppliedPlan) -> ExitCode:
    out.print(
        f"{len(applied.written)} written, {len(applied.removed)} removed, "
        f"{len(applied.found_present)} made by others meanwhile, {len(applied.failed)} failed"
    )
    for each in applied.failed:
        err.print(f"failed: {each.reference.on}: {each.why}", style="red")
    if applied.stopped:
        err.print(f"stopped: {applied.stopped}", style="red")
    return ExitCode.ERROR if applied.failed or applied.stopped else ExitCode.NOTHING


async def _drift(rules: Path, how: Format) -> ExitCode:
    err.print(f"rules: {rules}")
    async with open_session() as session:
        compared = await plans.drift(session, rules)
        if session.ledger is None:
            err.print("no AzureWebJobsStorage, so no ledger: missing and extra are not known")
    if why := compared.groups.unread:
        err.print(f"deleted groups could not be looked for: {why}", style="yellow")
    plans.show_drift(compared, how, out)
    return ExitCode.of(compared.found, compared.not_read)
