"""Runs `entra-sod rollback` in a process of its own, as an operator does when all has ended."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime

from local.processes import CHECKOUT
from local.world import World

# Far more than it takes: other processes may keep the machine busy.
ENDED_WITHIN_SECONDS = 180
MAX_REMOVALS = "10000"


@dataclass(frozen=True, slots=True)
class Ended:
    """How the command ended.

    Attributes:
        code: None where it did not end in time, and was killed.
        said: the last line that it printed.
    """

    code: int | None
    said: str


def roll_back(world: World, *, since: datetime, while_frozen: bool, rate: int | None) -> Ended:
    """Take back all that was written since then.

    Args:
        world: whose references.
        since: which moment.
        while_frozen: whether writing is frozen, and this goes on all the same.
        rate: requests per 10 s that Graph allows; None for as many as come.
    """
    limit = {} if rate is None else {"GRAPH_REQUESTS_PER_10S": str(rate)}
    options = ["--since", since.isoformat(), "--max", MAX_REMOVALS, "--yes"]
    options += ["--while-frozen"] if while_frozen else []
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and command
            [sys.executable, "-m", "entra_sod.cli", "rollback", *options],
            cwd=CHECKOUT,
            env={**os.environ, **world.environment, **limit},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=ENDED_WITHIN_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        last = _last_line((error.stdout or b"").decode(errors="replace"))
        return Ended(None, f"it did not end in {ENDED_WITHIN_SECONDS} s, and said last: {last}")
    return Ended(done.returncode, _last_line(done.stdout.decode(errors="replace")))


def _last_line(output: str) -> str:
    return output.strip().rpartition("\n")[2]
