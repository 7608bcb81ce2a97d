"""`make azure-check`: what a maintainer runs before a release, in a subscription of their own.

    .venv/bin/python scripts/azure_check.py ENVIRONMENT [--keep]

In azd's environment of that name (docs/how-to/deploy.md, section 1, makes one) it shows what
would change, provisions and deploys, with the smoke test and its check as azd's hook, runs a
sweep, and takes everything down again, also after a step failed. It was never run: no subscription
was at hand.
"""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import checkout
from evidence_policy import change, run, told


def main(arguments: Sequence[str]) -> int:
    if not arguments or arguments[0].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    if missing := [name for name in ("azd", "az") if shutil.which(name) is None]:
        print(f"azure-check needs {' and '.join(missing)} on PATH", file=sys.stderr)
        return 2
    environment = arguments[0]
    try:
        return try_out(environment)
    finally:
        if "--keep" not in arguments:
            take_down(environment)


def try_out(environment: str) -> int:
    """What-if, everything, a sweep; the first failure ends it, with its exit code."""
    named = ["--environment", environment]
    steps = (
        ["azd", "env", "set", "PURGE_PROTECTION", "false", *named],
        ["azd", "provision", "--preview", *named, "--no-prompt"],
        ["azd", "up", *named, "--no-prompt"],
    )
    for step in steps:
        if code := run(step):
            return code
    app = f"{value(environment, 'AZURE_FUNCTION_APP_URL')}/api"
    return run([sys.executable, "-m", "entra_sod.cli", "sweep", "--url", app])


def take_down(environment: str) -> None:
    """Evidence first: no account goes while a policy holds a blob of its."""
    change("delete", environment)
    run(["azd", "down", "--environment", environment, "--force", "--purge", "--no-prompt"])


def value(environment: str, name: str) -> str:
    """What azd keeps under a name, or nothing."""
    return told(["azd", "env", "get-value", name, "--environment", environment])


if __name__ == "__main__":
    checkout.enter()
    raise SystemExit(main(sys.argv[1:]))
