"""The commands that look at a tenant, as typer sees them: options in, exit code out."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from entra_sod.cli import plan as plans
from entra_sod.cli.exit_code import ExitCode
from entra_sod.cli.lists import ListAs, ListFormat
from entra_sod.cli.made_by import made_by
from entra_sod.cli.operations.plan_file import save_plan
from entra_sod.cli.plan import Format
from entra_sod.cli.session import open_session
from entra_sod.cli.terminal import err, out
from entra_sod.core.errors import GraphError, SodError

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
PlanFormat = Annotated[
    Format,
    typer.Option("--format", help="Output format; markdown is for a comment on a pull request."),
]


def plan(
    rules: PlanRulesFolder = Path("rules"),
    how: PlanFormat = Format.TABLE,
    save_to: Annotated[
        Path | None, typer.Option("--out", help="Also save the plan to this file, for apply.")
    ] = None,
) -> None:
    """Preview every reference that the rules ask for; writes nothing.

    Exit code 0: nothing to do. 2: changes. 3: not everything could be read. 1: an error.
    """
    raise typer.Exit(run(_plan(rules, how, save_to), refused=ExitCode.UNKNOWN))


def drift(rules: PlanRulesFolder = Path("rules"), how: ListAs = ListFormat.TABLE) -> None:
    """Show where the tenant differs from the rules and from the ledger; writes nothing.

    Exit code 0: no drift. 2: drift. 3: not everything could be read. 1: an error.
    """
    raise typer.Exit(run(_drift(rules, how), refused=ExitCode.UNKNOWN))


def run(work: Coroutine[None, None, ExitCode], *, refused: ExitCode = ExitCode.ERROR) -> ExitCode:
    """Run a command; `refused` is its exit code if Graph does not show what it needs."""
    try:
        return asyncio.run(work)
    except SodError as error:
        err.print(f"entra-sod: {error}", style="red")
        return refused if isinstance(error, GraphError) else ExitCode.ERROR


async def _plan(rules: Path, how: Format, save_to: Path | None) -> ExitCode:
    err.print(f"rules: {rules}")
    async with open_session() as session:
        made, source = await plans.make(session, rules, err)
        made = msgspec.structs.replace(made, made_by=await made_by(session))
        if session.ledger is None:
            err.print(
                "AzureWebJobsStorage is not set, so there is no ledger: no reference counts as ours"
            )
    plans.show(made, how, out, saved_to=save_to)
    if save_to:
        save_plan(msgspec.structs.replace(made, holders_hash=source.state.holders_hash), save_to)
    return ExitCode.of(range(made.writes), made.not_read)


async def _drift(rules: Path, how: ListFormat) -> ExitCode:
    err.print(f"rules: {rules}")
    async with open_session() as session:
        compared = await plans.drift(session, rules)
        if session.ledger is None:
            err.print("no AzureWebJobsStorage, so no ledger: missing and extra are not known")
    if why := compared.groups.unread:
        err.print(f"deleted groups could not be looked for: {why}", style="yellow")
    plans.show_drift(compared, how)
    return ExitCode.of(compared.found, compared.not_read)
