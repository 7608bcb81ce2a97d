"""What the Azure CLI of a person knows of a deployment. Thin: it cannot be tried without Azure."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from entra_sod.cli.running_app import AppError, RunningApp

NAME, GROUP = "AZURE_FUNCTION_APP_NAME", "AZURE_RESOURCE_GROUP"  # as azd gives them


def has_azure_cli() -> bool:
    return shutil.which("az") is not None


def listing_of(app: RunningApp) -> Callable[[], Awaitable[Sequence[str]]]:
    """Who is asked for the functions: Azure, where azd named the app, or else its own host."""
    name, group = os.environ.get(NAME, "").strip(), os.environ.get(GROUP, "").strip()
    return (
        partial(functions_of, name, group) if name and group and has_azure_cli() else app.functions
    )


async def functions_of(name: str, group: str) -> Sequence[str]:
    """The functions that Azure lists of an app, which needs no key and passes no Easy Auth.

    Raises:
        AppError: the Azure CLI does not say.
    """
    asked = ("functionapp", "function", "list", "--name", name, "--resource-group", group)
    lines = (await _az(*asked, "--query", "[].name", "--output", "tsv")).splitlines()
    return [line.rpartition("/")[2] for line in lines if line]


async def token_for(client_id: str) -> str:
    """A token for the app's own API, by its client id.

    Raises:
        AppError: the Azure CLI gives none.
    """
    asked = ("account", "get-access-token", "--scope", f"api://{client_id}/.default")
    return (await _az(*asked, "--query", "accessToken", "--output", "tsv")).strip()


async def _az(*arguments: str) -> str:
    command = [shutil.which("az") or "az", *arguments]
    try:
        done = await asyncio.to_thread(
            subprocess.run, command, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        stderr = getattr(error, "stderr", "") or str(error)
        raise AppError(f"az {arguments[0]} failed: {stderr.strip().splitlines()[-1:]}") from error
    return str(done.stdout)
