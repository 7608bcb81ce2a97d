"""`entra-sod report`: the newest sweep as one file, for people or for programs."""

from __future__ import annotations

import asyncio
import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from entra_sod.cli.commands import PlanRulesFolder
from entra_sod.cli.exit_code import ExitCode
from entra_sod.cli.running_app import open_app
from entra_sod.cli.session import open_session
from entra_sod.cli.storage import open_storage
from entra_sod.cli.terminal import err, out
from entra_sod.core.errors import SodError
from entra_sod.domain.results.coverage import Reason
from entra_sod.domain.results.status import SweepStatus
from entra_sod.services.report.make import ReportMaker
from entra_sod.services.report.render import render
from entra_sod.services.report.view import ReportView
from entra_sod.stores.findings import FindingStore
from entra_sod.stores.sweeps import SweepStore
from entra_sod.stores.write_controls import WriteControls


class ReportFormat(StrEnum):
    HTML = "html"
    JSON = "json"


# Not `type` statements: typer does not look behind them.
Out = Annotated[Path, typer.Option("--out", help="The file to write.", dir_okay=False)]
ReportSource = Annotated[
    str,
    typer.Option(
        "--from",
        help="A running app (https://app.example.com/api), or a file that --format json wrote. "
        "Default: the app's storage, as the environment names it.",
    ),
]
ReportAs = Annotated[ReportFormat, typer.Option("--format", help="Output format.")]


def report(
    save_to: Out,
    source: ReportSource = "",
    rules: PlanRulesFolder = Path("rules"),
    how: ReportAs = ReportFormat.HTML,
) -> None:
    """Write what the newest sweep found, and what it did not check, as one self-contained file.

    Exit code 0: written. 1: an error; nothing was written. 3: written, and not everything could be
    looked at.
    """
    try:
        view = asyncio.run(_view(source, rules))
        save_to.write_bytes(render(view) if how is ReportFormat.HTML else msgspec.json.encode(view))
    except (SodError, OSError) as error:
        err.print(f"entra-sod: {error}", style="red", soft_wrap=True)
        raise typer.Exit(ExitCode.ERROR) from error
    gaps, shown = len(view.gaps) + len(view.left_out), f"{view.findings_standing:,} findings"
    out.print(f"{save_to}: {shown}, {gaps} gaps", soft_wrap=True)
    raise typer.Exit(exit_code(view))


def exit_code(view: ReportView) -> ExitCode:
    """Whether a report tells of everything that the rules in force name."""
    sweep = view.sweep
    is_whole = sweep and sweep.is_current and sweep.status == SweepStatus.COMPLETED
    unread = {each.reason for each in view.gaps} - {Reason.OUT_OF_SCOPE, Reason.NOT_LOOKED_AT}
    return ExitCode.of((), unread) if is_whole else ExitCode.UNKNOWN


async def _view(source: str, rules: Path) -> ReportView:
    if source.startswith(("http://", "https://")):
        async with open_app(source, lambda why: err.print(why, style="yellow")) as app:
            return await app.report()
    return _from_file(Path(source)) if source else await _from_storage(rules)


def _from_file(path: Path) -> ReportView:
    try:
        return msgspec.json.decode(path.read_bytes(), type=ReportView)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SodError(
            f"--from: {path} is not a report's JSON: {error}. Fix: write one: "
            "entra-sod report --format json --out report.json"
        ) from error


async def _from_storage(folder: Path) -> ReportView:
    async with open_session() as session, open_storage(os.environ) as storage:
        maker = ReportMaker(
            graph=session.graph,
            sweeps=SweepStore(storage, session.clock),
            findings=FindingStore(storage),
            controls=WriteControls(storage, session.clock),
            max_writes_per_day=session.settings.max_writes_per_day,
            clock=session.clock,
            graph_root=session.settings.graph.root,
        )
        return await maker.make(await session.rules(folder))
