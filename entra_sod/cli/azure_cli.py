"""What the Azure CLI of a person knows of a deployment. Thin: tests have a stand-in for `az`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial

from entra_sod.cli.running_app import AppError, RunningApp

# As azd gives them to its hooks.
NAME, GROUP = "AZURE_FUNCTION_APP_NAME", "AZURE_RESOURCE_GROUP"
SUBSCRIPTION = "AZURE_SUBSCRIPTION_ID"
_WARM_UP = "WarmUp"  # Flex Consumption's own, which stands for the app until it was synchronized


def has_azure_cli() -> bool:
    return shutil.which("az") is not None


def listing_of(app: RunningApp) -> Callable[[], Awaitable[Sequence[str]]]:
    """Who is asked for the functions: Azure, where azd named the app, or else its own host."""
    name, group = _of_azd(NAME), _of_azd(GROUP)
    return (
        partial(functions_of, name, group) if name and group and has_azure_cli() else app.functions
    )


async def synchronize() -> None:
    """Have Azure look again which functions the app has, as the portal's *Refresh* does.

    Without it Flex Consumption may list `WarmUp` alone for as long as one waits. Where azd named no
    app there is nothing to do, and a refusal is left to what is listed then.
    """
    name, group = _of_azd(NAME), _of_azd(GROUP)
    if name and group and has_azure_cli():
        site = f"{_subscription()}/resourceGroups/{group}/providers/Microsoft.Web/sites/{name}"
        with contextlib.suppress(AppError):
            await _rest("post", f"{site}/host/default/sync", "api-version=2024-04-01")


async def newest_role_of(principal_id: str) -> datetime | None:
    """When an identity was last given a role in the subscription.

    Raises:
        AppError: the Azure CLI does not say.
    """
    path = f"{_subscription()}/providers/Microsoft.Authorization/roleAssignments"
    of_it = f"$filter=principalId eq '{principal_id}'"
    answer = json.loads(await _rest("get", path, "api-version=2022-04-01", of_it))
    given = [datetime.fromisoformat(each["properties"]["createdOn"]) for each in answer["value"]]
    return max(given, default=None)


async def functions_of(name: str, group: str) -> Sequence[str]:
    """The functions that Azure lists of an app, which needs no key and passes no Easy Auth.

    Raises:
        AppError: the Azure CLI does not say.
    """
    asked = ("functionapp", "function", "list", "--name", name, "--resource-group", group)
    lines = (await _az(*asked, "--query", "[].name", "--output", "tsv")).splitlines()
    names = [line.rpartition("/")[2] for line in lines if line]
    return [name for name in names if name != _WARM_UP]


async def token_for(client_id: str) -> str:
    """A token for the app's own API, by its client id.

    Raises:
        AppError: the Azure CLI gives none.
    """
    asked = ("account", "get-access-token", "--scope", f"api://{client_id}/.default")
    return (await _az(*asked, "--query", "accessToken", "--output", "tsv")).strip()


async def _rest(method: str, path: str, *parameters: str) -> str:
    # Not in the address itself: on Windows az is a batch file, where & ends the command.
    return await _az("rest", "--method", method, "--url", path, "--url-parameters", *parameters)


def _subscription() -> str:
    """The subscription of azd, or the one that the Azure CLI puts in itself."""
    return f"/subscriptions/{_of_azd(SUBSCRIPTION) or '{subscriptionId}'}"


def _of_azd(name: str) -> str:
    return os.environ.get(name, "").strip()


async def _az(*arguments: str) -> str:
    """Run the Azure CLI in azd's subscription, which need not be the CLI's own."""
    given = _of_azd(SUBSCRIPTION)
    where = ("--subscription", given) if given else ()
    command = [shutil.which("az") or "az", *arguments, *where]
    try:
        done = await asyncio.to_thread(
            subprocess.run, command, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        stderr = getattr(error, "stderr", "") or str(error)
        raise AppError(f"az {arguments[0]} failed: {stderr.strip().splitlines()[-1:]}") from error
    return str(done.stdout)
