"""Which functions an app has, as the worker's own indexing says.

A process can index one app: the worker keeps it in module globals. `index_apart` asks a process
of its own, so a test may ask about any number of apps.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from local.host import bindings
from local.host.bindings import Function
from local.host.errors import IndexingError
from local.host.worker import RawFunction, Worker

CHECKOUT = Path(__file__).resolve().parents[2]


class Listed(msgspec.Struct, frozen=True):
    """A function as `--list` prints it, its bindings as the worker's indexing gives them."""

    name: str
    bindings: tuple[dict[str, object], ...]


async def index(worker: Worker) -> tuple[Function, ...]:
    """The app's functions; none at all is an error, as a deployment of it would be."""
    return bindings.parse_all(await _indexed(worker))


def index_here(app: Path = CHECKOUT) -> tuple[Listed, ...]:
    """What `--list` prints, from this process."""
    functions = asyncio.run(_indexed(Worker(app)))
    return tuple(_listed(each) for each in sorted(functions, key=lambda each: each.name))


def index_apart(
    app: Path = CHECKOUT, environment: Mapping[str, str] | None = None
) -> tuple[Listed, ...]:
    """The same from a process of its own; raises IndexingError in the worker's own words."""
    done = subprocess.run(  # noqa: S603 - this interpreter, with arguments of our own
        [sys.executable, "-m", "local.host", "--list", "--app", str(app)],
        cwd=CHECKOUT,
        env=os.environ if environment is None else environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise IndexingError(done.stderr)
    return msgspec.json.decode(done.stdout, type=tuple[Listed, ...])


def as_json(functions: Sequence[Listed]) -> str:
    return msgspec.json.format(msgspec.json.encode(functions), indent=2).decode()


async def _indexed(worker: Worker) -> Sequence[RawFunction]:
    functions = await worker.index()
    if not functions:
        raise IndexingError("the app has zero functions: is every blueprint registered?")
    return functions


def _listed(function: RawFunction) -> Listed:
    return Listed(function.name, tuple(json.loads(each) for each in function.raw_bindings))
