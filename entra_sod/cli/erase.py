"""`entra-sod erase`: forget a person, and leave the evidence provable."""

from __future__ import annotations

import asyncio
import os
from typing import Annotated

import typer

from entra_sod.cli.operations.erase import Eraser, Traces
from entra_sod.cli.storage import open_storage
from entra_sod.cli.terminal import err
from entra_sod.core.clock import SystemClock
from entra_sod.core.errors import SodError
from entra_sod.domain.subjects.names import is_principal_name
from entra_sod.domain.text import counted

ErasedSubject = Annotated[
    str,
    typer.Option(
        "--subject",
        help="Object id of the person, id in entitlement management, or user principal name.",
    ),
]
Really = Annotated[
    bool,
    typer.Option("--erase", help="Remove the data. Without it, the command only lists the data."),
]


def erase(subject: ErasedSubject, really: Really = False) -> None:  # noqa: FBT002 - a flag
    """Show where a person's data is stored, and with --erase remove it from the app's storage.

    If the person still holds conflicting packages, the next sweep finds that again. Exceptions in
    rules files stay: delete them there.

    Exit code 0: done. 2: some data could not be removed. 1: an error.
    """
    if len(subject.strip()) < 8:  # noqa: PLR2004 - no id is as short; it would be found everywhere
        raise typer.BadParameter(
            "must be an object id or a user principal name", param_hint="--subject"
        )
    try:
        traces = asyncio.run(_erase(subject.strip(), really=really))
    except SodError as error:
        err.print(f"entra-sod: {error}", style="red")
        raise typer.Exit(1) from error
    _print_traces(traces, "erased" if really else "to erase")
    raise typer.Exit(2 if traces.kept else 0)


async def _erase(subject: str, *, really: bool) -> Traces:
    async with open_storage(os.environ) as storage:
        eraser = Eraser(storage, SystemClock())
        if is_principal_name(subject):
            from entra_sod.cli.subjects import open_subjects  # slow, and ids need no Graph

            async with open_subjects(os.environ, storage) as resolver:
                found = await resolver.resolve_one(subject)
            traces = await eraser.find(found.id, names=[subject])
        else:
            traces = await eraser.find(subject)
        if really:
            await eraser.erase(traces)
    return traces


def _print_traces(traces: Traces, word: str) -> None:
    if traces.exceptions:
        names = counted(len(traces.exceptions), "name")
        typer.echo(f"{word}: {names} of exceptions that are remembered")
    parts = (
        counted(len(traces.findings), "finding"),
        counted(len(traces.checks), "check"),
        counted(len(traces.sweeps), "file of sweeps", "files of sweeps"),
        counted(len(traces.rules), "rules file in evidence", "rules files in evidence"),
        counted(len(traces.drafts), "draft"),
    )
    typer.echo(f"{word}: {', '.join(parts)}")
    for each in traces.kept:
        typer.echo(f"kept: {each}")
