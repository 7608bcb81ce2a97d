"""`scripts/smoke.py`: the smoke test with what azd gives to its hooks."""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from collections.abc import Awaitable, Callable, Sequence

from entra_sod.cli.azure_cli import (
    has_azure_cli,
    listing_of,
    synchronize,
    token_for,
)
from entra_sod.cli.expected import EXPECTED
from entra_sod.cli.running_app import KEY, TOKEN, AppError, open_app
from entra_sod.cli.show_diagnoses import headline
from entra_sod.cli.smoke import Listing, smoke
from entra_sod.core.clock import SystemClock
from entra_sod.services.doctor.diagnosis import Diagnosis, is_healthy

type LookAgain = Callable[[], Awaitable[None]]


def main(arguments: Sequence[str]) -> int:
    """Run it, print a line for each diagnosis, and return the exit code."""
    try:
        diagnoses = asyncio.run(_smoke(_address(arguments)))
    except AppError as error:
        print(f"smoke: {error}", file=sys.stderr)
        return 1
    for each in diagnoses:
        print(f"{each.what}: {each.result}: {each.detail}. {each.advice}".rstrip())
    print(headline(diagnoses))
    return 0 if is_healthy(diagnoses) else 1


async def _smoke(address: str) -> Sequence[Diagnosis]:
    await _sign_in()
    async with open_app(address, _print) as app:
        return await smoke(app, synchronized(listing_of(app)), EXPECTED, SystemClock(), _print)


def synchronized(listing: Listing, synchronize: LookAgain = synchronize) -> Listing:
    """List again only after the platform was made to look again."""
    looks = itertools.count()

    async def listed() -> Sequence[str]:
        if next(looks):
            await synchronize()
        return await listing()

    return listed


async def _sign_in() -> None:
    """Take a token of the Azure CLI if no key or token was given."""
    client_id = _of_azd("API_CLIENT_ID")
    if _of_azd(KEY) or _of_azd(TOKEN) or not client_id or not has_azure_cli():
        return
    try:
        os.environ[TOKEN] = await token_for(client_id)
    except AppError as error:
        _print(f"{error}: the app is asked without a token")


def _address(arguments: Sequence[str]) -> str:
    if arguments:
        return arguments[0]
    return _of_azd("AZURE_FUNCTION_APP_URL").rstrip("/").removesuffix("/api") + "/api"


def _of_azd(name: str) -> str:
    return os.environ.get(name, "").strip()


def _print(words: str) -> None:
    print(words, file=sys.stderr, flush=True)
