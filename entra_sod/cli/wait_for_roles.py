"""`scripts/wait_for_roles.py`: waits until roles that were just given are effective.

A role takes minutes to reach storage. azd uploads the package right after it has provisioned, and
is refused where the identity's role is too new (403, InaccessibleStorageException).
"""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime, timedelta

from entra_sod.cli.azure_cli import has_azure_cli, newest_role_of
from entra_sod.cli.running_app import AppError

IDENTITIES = ("PACKAGE_IDENTITY_PRINCIPAL_ID", "APP_IDENTITY_PRINCIPAL_ID")
EFFECTIVE_AFTER = timedelta(minutes=3)


def seconds_to_wait(newest: datetime | None, now: datetime) -> float:
    """How long until a role that was given then is old enough; nothing where there is none."""
    if newest is None:
        return 0
    left = EFFECTIVE_AFTER - (now - newest)
    return min(max(left, timedelta()), EFFECTIVE_AFTER).total_seconds()


def main() -> int:
    """Wait, and never fail a deployment: what cannot be looked up is said."""
    if not has_azure_cli():
        _print(f"the Azure CLI is not installed, so the age of the roles is unknown. {_ADVICE}")
        return 0
    try:
        newest = asyncio.run(_newest())
    except (AppError, ValueError, KeyError) as error:
        _print(f"cannot find out how old the roles are: {error}. {_ADVICE}")
        return 0
    seconds = seconds_to_wait(newest, datetime.now(UTC))
    if seconds:
        _print(f"roles were given just now: waiting {seconds:.0f} s until storage knows them")
        asyncio.run(asyncio.sleep(seconds))
    return 0


_ADVICE = "Should azd deploy be refused with 403, run it again after a few minutes."


async def _newest() -> datetime | None:
    identities = [os.environ.get(name, "").strip() for name in IDENTITIES]
    found = [await newest_role_of(each) for each in identities if each]
    return max((each for each in found if each), default=None)


def _print(words: str) -> None:
    print(f"roles: {words}", file=sys.stderr, flush=True)
