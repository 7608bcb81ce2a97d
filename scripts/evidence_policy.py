"""Locks or deletes the policy that keeps evidence from change, in either shell.

    uv run --no-project scripts/evidence_policy.py lock --yes
    uv run --no-project scripts/evidence_policy.py delete

It reads the account from azd's environment, or from the one that `--environment NAME` names, and
calls the Azure CLI. A lock cannot be undone, so it takes --yes. Exit code 0: done. 1: there is no
policy, or the Azure CLI failed. 2: the command is wrong, or a tool is missing.
"""

# /// script
# requires-python = ">=3.13"
# ///

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

_POLICY = ("storage", "container", "immutability-policy")
_OF_EVIDENCE = {
    "--account-name": "AZURE_STORAGE_ACCOUNT_NAME",
    "--resource-group": "AZURE_RESOURCE_GROUP",
    "--subscription": "AZURE_SUBSCRIPTION_ID",
}
_NONE = (
    "The container evidence has no policy that can be read. Run `azd provision` to make it, or "
    "`az login` to be allowed to read it."
)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="evidence_policy.py")
    parser.add_argument("action", choices=("lock", "delete"))
    parser.add_argument("--environment", default="")
    parser.add_argument("--yes", action="store_true", help="lock it; that cannot be undone")
    given = parser.parse_args(arguments)
    if given.action == "lock" and not given.yes:
        parser.error("a lock cannot be undone: repeat the command with --yes")
    if missing := [name for name in ("azd", "az") if shutil.which(name) is None]:
        parser.error(f"{' and '.join(missing)} must be on PATH")
    if code := change(given.action, given.environment):
        return code
    if given.action == "delete":
        return 0
    return run(["azd", "env", "set", "EVIDENCE_LOCKED", "true", *named(given.environment)])


def change(action: str, environment: str = "") -> int:
    """Change the policy in the version that was read."""
    evidence = ["--container-name", "evidence"]
    for option, name in _OF_EVIDENCE.items():
        evidence += [option, told(["azd", "env", "get-value", name, *named(environment)])]
    etag = told(["az", *_POLICY, "show", *evidence, "--query", "etag", "--output", "tsv"])
    if not etag:
        print(_NONE, file=sys.stderr)
        return 1
    return run(["az", *_POLICY, action, *evidence, "--if-match", etag])


def named(environment: str) -> Sequence[str]:
    return ["--environment", environment] if environment else []


def told(command: Sequence[str]) -> str:
    """What a command prints; nothing if it fails."""
    done = subprocess.run(program(command), capture_output=True, text=True, check=False)  # noqa: S603
    return "" if done.returncode else done.stdout.strip()


def run(command: Sequence[str]) -> int:
    print("$ " + " ".join(command), file=sys.stderr, flush=True)
    return subprocess.run(program(command), env=os.environ, check=False).returncode  # noqa: S603


def program(command: Sequence[str]) -> Sequence[str]:
    return [shutil.which(command[0]) or command[0], *command[1:]]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
