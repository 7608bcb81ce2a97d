"""`entra-sod doctor`: what is missing, and what to do about it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Annotated

import typer

from entra_sod.adapters.graph.client import GraphClient
from entra_sod.adapters.graph.roles import RolesClient
from entra_sod.bootstrap.make_doctor import read_diagnostic_context
from entra_sod.cli.azure_cli import listing_of
from entra_sod.cli.exit_code import ExitCode
from entra_sod.cli.expected import EXPECTED, compare_functions
from entra_sod.cli.lists import ListAs, ListFormat, print_json, print_list
from entra_sod.cli.running_app import AppError, RunningApp, open_app
from entra_sod.cli.session import person_asking
from entra_sod.cli.show_diagnoses import diagnoses_list, headline
from entra_sod.cli.storage import open_storage
from entra_sod.cli.terminal import err
from entra_sod.core.errors import ConfigurationError
from entra_sod.ports.storage import Storage
from entra_sod.services.doctor.diagnosis import (
    Diagnosis,
    DiagnosisResult,
    is_healthy,
    note,
    summed_up,
    wrong,
)
from entra_sod.services.doctor.run import DiagnosticContext, run_diagnostics

# Not `type` statements: typer does not look behind them.
DoctorUrl = Annotated[
    str,
    typer.Option(
        "--url",
        envvar="ENTRA_SOD_URL",
        help="Let the running app at this address check itself: https://app.example.com/api.",
    ),
]


def doctor(url: DoctorUrl = "", how: ListAs = ListFormat.TABLE) -> None:
    """Check settings, storage, Graph, rules, queues, sweeps and functions; say what to do.

    With --url the running app checks itself, with its own identity and network. The command needs
    ENTRA_SOD_KEY or ENTRA_SOD_TOKEN for it. To list the app's functions it uses the Azure CLI if
    azd's environment names the app, or else the host with ENTRA_SOD_MASTER_KEY. Without --url the
    command checks from this machine, with the settings of the environment.

    Exit code 0: nothing is wrong. 1: something is. 3: not everything could be checked.
    """
    try:
        diagnoses = asyncio.run(_of_app(url) if url else _of_environment())
    except AppError as error:
        advice = "Check that the app runs, then --url and the key in ENTRA_SOD_KEY."
        diagnoses = [wrong("the app", str(error), advice)]
    if how is ListFormat.JSON:
        print_json(summed_up(diagnoses))
    else:
        print_list(diagnoses_list(diagnoses), how, ())
        err.print(headline(diagnoses))
    unknown = [each for each in diagnoses if each.result is DiagnosisResult.UNKNOWN]
    raise typer.Exit(ExitCode.of((), unknown) if is_healthy(diagnoses) else ExitCode.ERROR)


async def _of_app(url: str) -> Sequence[Diagnosis]:
    async with open_app(url, lambda why: err.print(why, style="yellow")) as app:
        return [*await app.diagnoses(), await functions_of(app)]


async def functions_of(app: RunningApp) -> Diagnosis:
    """Compare the functions that a host lists with those of this checkout."""
    try:
        listed = await listing_of(app)()
    except AppError as error:
        return note("functions", f"could not be listed: {error}")
    return compare_functions(listed, EXPECTED)


async def _of_environment() -> Sequence[Diagnosis]:
    async with _diagnostic_context() as context:
        return await run_diagnostics(context)


@asynccontextmanager
async def _diagnostic_context() -> AsyncIterator[DiagnosticContext]:
    async with AsyncExitStack() as ending:
        problems: list[str] = []
        storage: Storage | None = None
        try:
            storage = await ending.enter_async_context(open_storage(os.environ))
        except ConfigurationError as error:
            problems += error.problems

        def opened() -> Storage:
            if storage is None:
                raise ConfigurationError(problems)
            return storage

        context = read_diagnostic_context(os.environ, opened, partial(person_asking, os.environ))
        for each in (context.graph, context.roles):
            if isinstance(each, GraphClient | RolesClient):
                ending.push_async_callback(each.close)
        yield context
