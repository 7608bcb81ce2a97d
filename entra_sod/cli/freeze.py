"""`entra-sod freeze` and `unfreeze`: stop every write of a reference, and allow them again."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from entra_sod.bootstrap.make_records import Records, make_records
from entra_sod.cli.exit_code import ExitCode
from entra_sod.cli.made_by import user_and_host
from entra_sod.cli.operations.tell import tell
from entra_sod.cli.storage import open_storage
from entra_sod.cli.terminal import err, out, shown
from entra_sod.core.clock import SystemClock
from entra_sod.core.errors import SodError
from entra_sod.domain.enforcement.freeze import MAX_REASON_LENGTH
from entra_sod.domain.notifications.kept_event import KeptEvent, freeze_event
from entra_sod.services.doctor.results import error_of

FreezeReason = Annotated[
    str,
    typer.Option(
        "--reason",
        help="Reason for the freeze. Commands that are refused show it.",
        show_default=False,
    ),
]


def freeze(reason: FreezeReason) -> None:
    """Stop sweeps, checks and apply from writing references, until unfreeze.

    A sweep that is writing stops before its next reference. Needs the app's storage.

    Exit code 0: writing is frozen, also if it was before. 1: an error.
    """
    text = reason.strip()
    if not 0 < len(text) <= MAX_REASON_LENGTH:
        raise typer.BadParameter(f"give a reason of 1 to {MAX_REASON_LENGTH} characters")

    async def work(records: Records) -> None:
        stands = await records.controls.freeze(text, _caller())
        out.print(shown(str(stands), 2 * MAX_REASON_LENGTH))
        await _tell(records, freeze_event(stands))

    raise typer.Exit(_run(work))


def unfreeze() -> None:
    """Allow writing again; the next sweep writes what was planned in the meantime.

    Exit code 0: nothing is frozen. 1: an error.
    """

    async def work(records: Records) -> None:
        stands = await records.controls.frozen()
        await records.controls.unfreeze()
        out.print("writing is allowed again" if stands else "writing was not frozen")
        if stands:
            await _tell(records, freeze_event(stands, ended_by=_caller()))

    raise typer.Exit(_run(work))


def _caller() -> str:
    return f"{user_and_host()} on the command line"


async def _tell(records: Records, event: KeptEvent) -> None:
    """Announce it; the freeze holds whether subscribers are told or not."""
    if why := await error_of(tell(records, [event])):
        err.print(f"subscribers are not told: {why}", style="yellow")


def _run(work: Callable[[Records], Awaitable[None]]) -> ExitCode:
    async def on_storage() -> None:
        async with open_storage(os.environ) as storage:
            await work(make_records(storage, SystemClock()))

    try:
        asyncio.run(on_storage())
    except SodError as error:
        err.print(f"entra-sod: {error}", style="red")
        return ExitCode.ERROR
    return ExitCode.NOTHING
