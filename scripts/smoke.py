"""The azd hook after deployment: lists the functions, and asks about packages that do not exist.

    .venv/bin/python scripts/smoke.py [https://APP/api]

It reads AZURE_FUNCTION_APP_URL from the environment, as azd gives it, and the master key from
ENTRA_SOD_KEY, or else from the Azure CLI by AZURE_FUNCTION_APP_NAME and AZURE_RESOURCE_GROUP.

Exit code 0: whole and honest. 1: not. Without the packages of this checkout it goes on in `.venv`.
"""

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent))

import checkout

if TYPE_CHECKING:
    from functions.doctor.finding import Finding

if __name__ == "__main__":
    checkout.enter()


def main() -> int:
    from cli.running_app import KEY, AppError
    from cli.show_findings import headline
    from functions.doctor.finding import is_healthy

    os.environ[KEY] = os.environ.get(KEY) or _master_key()
    try:
        findings = asyncio.run(_smoke(_address()))
    except AppError as error:
        print(f"smoke: {error}", file=sys.stderr)
        return 1
    for each in findings:
        print(f"{each.what}: {each.result}: {each.detail}. {each.advice}".rstrip())
    print(headline(findings))
    return 0 if is_healthy(findings) else 1


async def _smoke(address: str) -> "list[Finding]":
    from cli.expected import expected_functions
    from cli.running_app import open_app
    from cli.smoke import smoke
    from functions.clock import SystemClock

    def tell(words: str) -> None:
        print(words, file=sys.stderr, flush=True)

    async with open_app(address, tell) as app:
        return await smoke(app, expected_functions(), SystemClock(), tell)


def _address() -> str:
    if len(sys.argv) > 1:
        return sys.argv[1]
    return os.environ.get("AZURE_FUNCTION_APP_URL", "").rstrip("/").removesuffix("/api") + "/api"


def _master_key() -> str:
    """Ask the Azure CLI, where there is one and the app is named; empty otherwise."""
    name = os.environ.get("AZURE_FUNCTION_APP_NAME")
    group = os.environ.get("AZURE_RESOURCE_GROUP")
    az = shutil.which("az")
    if not (name and group and az):
        return ""
    command = [az, "functionapp", "keys", "list", "--name", name, "--resource-group", group]
    found = subprocess.run(  # noqa: S603 - names that azd gave, as arguments of their own
        [*command, "--query", "masterKey", "--output", "tsv"],
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.strip()


if __name__ == "__main__":
    raise SystemExit(main())
