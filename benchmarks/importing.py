"""What importing the app costs a fresh interpreter, and which packages come along."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.processes import answer, child_environment
from benchmarks.report import Report, Row, milliseconds
from local.processes import CHECKOUT

APP = "function_app"
BUDGET_SECONDS = 0.4
HEAVY = ("msgraph", "azure.identity")
WATCHED = (*HEAVY, "azure.storage", "aiohttp", "cryptography")
FULL, QUICK = 11, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Seconds that one interpreter took: by the clock, and of the processor."""

    clock: float
    processor: float

    def beyond(self, other: Cost) -> Cost:
        return Cost(clock=self.clock - other.clock, processor=self.processor - other.processor)


def run(*, quick: bool = False) -> Report:
    rounds = QUICK if quick else FULL
    start, with_app = _interpreters(rounds)
    cost = with_app.beyond(start)
    modules = answer(list[str], "list_modules", APP)
    found = [name for name in WATCHED if name in modules]
    return Report(
        title=f"Importing {APP} in a fresh interpreter",
        rows=[
            Row(
                what=f"import of `{APP}`, median of {rounds}",
                measured=milliseconds(cost.clock),
                beside=f"of the processor: {milliseconds(cost.processor)}; "
                f"the interpreter's own start, taken off: {milliseconds(start.clock)}",
                budget="≤ 400 ms",
                is_met=cost.clock <= BUDGET_SECONDS,
            ),
            Row(
                what=f"of {', '.join(WATCHED)}, loaded by it",
                measured=", ".join(found) or "none",
                beside=f"among {len(modules)} modules",
                budget="neither msgraph nor azure.identity",
                is_met=not set(HEAVY) & set(found),
            ),
        ],
    )


def _interpreters(rounds: int) -> tuple[Cost, Cost]:
    """Median costs of an interpreter that does nothing, and of one that imports the app."""
    _cost(f"import {APP}")  # writes the .pyc files and fills the system's cache
    pairs = [(_cost("pass"), _cost(f"import {APP}")) for _ in range(rounds)]
    idle, busy = zip(*pairs, strict=True)
    return _median(idle), _median(busy)


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(
        clock=statistics.median(each.clock for each in costs),
        processor=statistics.median(each.processor for each in costs),
    )


def _cost(code: str) -> Cost:
    clock, processor = time.perf_counter(), _processor_of_children()
    subprocess.run(  # noqa: S603 - this interpreter, code of our own
        [sys.executable, "-c", code], cwd=CHECKOUT, env=child_environment(), check=True
    )
    return Cost(clock=time.perf_counter() - clock, processor=_processor_of_children() - processor)


def _processor_of_children() -> float:
    times = os.times()
    return times.children_user + times.children_system
