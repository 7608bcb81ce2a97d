"""`entra-sod sweep`: start a sweep on a running app, follow it, and say what came of it."""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec
import typer

from entra_sod.cli.exit_code import ExitCode
from entra_sod.cli.findings_source import ServedFindings, read_packages
from entra_sod.cli.lists import TextAs, TextFormat
from entra_sod.cli.running_app import AppError, EndedWork, RunningApp, SweepStarted, open_app
from entra_sod.cli.show_sweep import Show, showing, summary
from entra_sod.cli.terminal import err, out
from entra_sod.core.clock import Clock, SystemClock
from entra_sod.domain.results.status import SweepStatus
from entra_sod.domain.results.sweep import SweepResult
from entra_sod.services.sweeps.progress import SweepProgress

POLL_SECONDS = 2.0

# Not `type` statements: typer does not look behind them.
SweepUrl = Annotated[
    str,
    typer.Option(
        "--url", envvar="ENTRA_SOD_URL", help="The app's address: https://app.example.com/api."
    ),
]
NoWait = Annotated[
    bool, typer.Option("--no-wait", help="Start the sweep, and do not wait for its end.")
]


def sweep(url: SweepUrl = "", no_wait: NoWait = False, how: TextAs = TextFormat.TABLE) -> None:  # noqa: FBT002 - a flag
    """Start a sweep on a running app and wait for it; if one is running, wait for that one.

    The key is read from ENTRA_SOD_KEY. Ctrl-C leaves the sweep running; the same command
    joins it again. --format json prints the app's response unchanged.

    Exit code 0: completed without conflicts. 2: completed with conflicts. 3: completed with gaps,
    with or without conflicts. 1: an error, or the sweep failed.
    """
    try:
        raise typer.Exit(asyncio.run(_sweep(url, how, wait=not no_wait)))
    except AppError as error:
        err.print(f"entra-sod: {error}", style="red")
        raise typer.Exit(ExitCode.ERROR) from error


async def _sweep(url: str, how: TextFormat, *, wait: bool) -> ExitCode:
    async with open_app(url, lambda why: err.print(why, style="yellow")) as app:
        started = await app.start_sweep()
        if not wait:
            _print_started(started, how)
            return ExitCode.NOTHING
        with showing(err) as show:
            ended = await follow(app, started.id, SystemClock(), show)
        packages = {} if how is TextFormat.JSON else await read_packages(ServedFindings(app))
    if how is TextFormat.JSON:
        out.file.write(msgspec.json.format(ended.data).decode() + "\n")
    else:
        out.print(summary(ended.result, packages))
    return verdict(ended.result)


async def follow(app: RunningApp, sweep_id: str, clock: Clock, show: Show) -> EndedWork:
    """Look every two seconds until it has ended.

    Raises:
        AppError: the app does not answer any more; the sweep may well go on.
    """
    while isinstance(seen := await app.sweep(sweep_id), SweepProgress):
        show(seen)
        await clock.sleep(POLL_SECONDS)
    return seen


def verdict(result: SweepResult) -> ExitCode:
    """What the exit code says of a sweep that has ended."""
    if result.status == SweepStatus.FAILED:
        return ExitCode.ERROR
    if result.status == SweepStatus.COMPLETED_WITH_GAPS:
        return ExitCode.UNKNOWN
    return ExitCode.CHANGES if result.findings or result.pairs.conflict else ExitCode.NOTHING


def _print_started(started: SweepStarted, how: TextFormat) -> None:
    if how is TextFormat.JSON:
        out.file.write(msgspec.json.encode(started).decode() + "\n")
    else:
        out.print(f"{started.id} {'joined' if started.joined else 'started'}")
