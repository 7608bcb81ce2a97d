"""`entra-sod hook`: make Entra ask before it grants, and take that back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from entra_sod.cli.exit_code import ExitCode
from entra_sod.cli.lists import TextAs, TextFormat
from entra_sod.cli.operations.extensions.apply import ExtensionOutcome, apply
from entra_sod.cli.operations.extensions.client import ExtensionsClient
from entra_sod.cli.operations.extensions.model import LogicApp
from entra_sod.cli.operations.extensions.plan import ExtensionPlan, plan_install, plan_remove
from entra_sod.cli.operations.extensions.read import find_catalog, read_catalog
from entra_sod.cli.session import Session, open_session
from entra_sod.cli.show_hook import hook_json, hook_table
from entra_sod.cli.terminal import err, out
from entra_sod.core.errors import SodError

MAX_WAIT_HOURS = 14 * 24  # what Entra allows

app = typer.Typer(
    help="Let every request for a package of a rule ask the app first (launch and wait).",
    no_args_is_help=True,
)

# Not `type` statements: typer does not look behind them.
CatalogName = Annotated[str, typer.Option("--catalog", help="Name or id of the catalog.")]
LogicAppId = Annotated[
    str | None,
    typer.Option(
        "--logic-app",
        help="Resource id of the Logic App's workflow. Required for the first install.",
    ),
]
HookRulesFolder = Annotated[
    Path, typer.Option("--rules", help="Folder of the rules files.", exists=True, file_okay=False)
]
HookName = Annotated[
    str,
    typer.Option(
        "--name", help="Name of the extension. The command finds its own extension by this name."
    ),
]
WaitHours = Annotated[
    int,
    typer.Option(
        "--wait-hours",
        min=1,
        max=MAX_WAIT_HOURS,
        help="How long a request waits for an answer before it fails.",
    ),
]

DEFAULT_NAME = "entra-sod"
DEFAULT_WAIT_HOURS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class HookOptions:
    """What was said on the command line."""

    catalog: str
    name: str
    logic_app: str | None = None
    wait_hours: int = DEFAULT_WAIT_HOURS
    rules: Path = Path("rules")


@app.command("plan")
def plan_command(
    *,
    catalog: CatalogName,
    logic_app: LogicAppId = None,
    rules: HookRulesFolder = Path("rules"),
    name: HookName = DEFAULT_NAME,
    wait_hours: WaitHours = DEFAULT_WAIT_HOURS,
    how: TextAs = TextFormat.TABLE,
) -> None:
    """Show what install would change; writes nothing.

    Exit code 0: nothing to do. 2: changes. 1: an error.
    """
    wanted = HookOptions(
        catalog=catalog, name=name, logic_app=logic_app, wait_hours=wait_hours, rules=rules
    )
    raise typer.Exit(_run(_plan(wanted, how=how)))


@app.command("install")
def install_command(
    *,
    catalog: CatalogName,
    logic_app: LogicAppId = None,
    rules: HookRulesFolder = Path("rules"),
    name: HookName = DEFAULT_NAME,
    wait_hours: WaitHours = DEFAULT_WAIT_HOURS,
    how: TextAs = TextFormat.TABLE,
) -> None:
    """Create the extension, and attach it to the policies of the packages that rules name.

    Exit code 0: all changes were made. 1: some were not; it is safe to run it again.
    """
    wanted = HookOptions(
        catalog=catalog, name=name, logic_app=logic_app, wait_hours=wait_hours, rules=rules
    )
    raise typer.Exit(_run(_install(wanted, how=how)))


@app.command("remove")
def remove_command(
    *,
    catalog: CatalogName,
    name: HookName = DEFAULT_NAME,
    how: TextAs = TextFormat.TABLE,
) -> None:
    """Detach the extension from every policy of the catalog, and delete it.

    Exit code 0: all changes were made. 1: some were not; it is safe to run it again.
    """
    raise typer.Exit(_run(_remove(HookOptions(catalog=catalog, name=name), how=how)))


def _run(work: Coroutine[None, None, ExitCode]) -> ExitCode:
    try:
        return asyncio.run(work)
    except SodError as error:
        err.print(f"entra-sod: {error}", style="red")
        return ExitCode.ERROR


async def _plan(wanted: HookOptions, *, how: TextFormat) -> ExitCode:
    async with _open() as (session, graph):
        made = await _to_install(session, graph, wanted)
    _show(made, how=how)
    return ExitCode.NOTHING if made.is_empty else ExitCode.CHANGES


async def _install(wanted: HookOptions, *, how: TextFormat) -> ExitCode:
    async with _open() as (session, graph):
        made = await _to_install(session, graph, wanted)
        _show(made, how=how)
        return _print_outcome(await apply(graph, made))


async def _remove(wanted: HookOptions, *, how: TextFormat) -> ExitCode:
    async with _open() as (_, graph):
        seen = await read_catalog(graph, await find_catalog(graph, wanted.catalog))
        made = plan_remove(seen, name=wanted.name)
        _show(made, how=how)
        return _print_outcome(await apply(graph, made))


async def _to_install(
    session: Session, graph: ExtensionsClient, wanted: HookOptions
) -> ExtensionPlan:
    logic_app = LogicApp.parse(wanted.logic_app) if wanted.logic_app else None
    named = (await session.rules(wanted.rules)).named_packages
    seen = await read_catalog(graph, await find_catalog(graph, wanted.catalog), only=named)
    return plan_install(
        seen,
        named=named,
        name=wanted.name,
        logic_app=logic_app,
        wait_hours=wanted.wait_hours,
    )


@asynccontextmanager
async def _open() -> AsyncIterator[tuple[Session, ExtensionsClient]]:
    async with open_session() as session:
        graph = ExtensionsClient(session.settings.graph)
        try:
            yield session, graph
        finally:
            await graph.close()


def _show(made: ExtensionPlan, *, how: TextFormat) -> None:
    if how is TextFormat.JSON:
        out.file.write(hook_json(made))
    else:
        out.print(hook_table(made))


def _print_outcome(outcome: ExtensionOutcome) -> ExitCode:
    err.print(f"{len(outcome.written)} policies written, {len(outcome.failed)} failed")
    for each in outcome.failed:
        err.print(f"failed: {each.what}: {each.why}", style="red")
    return ExitCode.ERROR if outcome.failed else ExitCode.NOTHING
