"""From a fresh worker process to its first 202, beside the least that could take a check."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from azure.storage.queue import QueueClient

from benchmarks.http_memory import storage
from benchmarks.processes import measure
from benchmarks.report import Report, Row, milliseconds
from local.processes import CHECKOUT

FULL, QUICK = 11, 1
BARE = Path(__file__).parent / "children" / "bare_app"


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """Seconds from starting a process to its first 202: of the clock, and of its processor."""

    clock: float
    processor: float


def run(*, quick: bool = False) -> Report:
    with storage() as connection:
        QueueClient.from_connection_string(connection, "bare").create_queue()
        settings = {
            "AzureWebJobsStorage": connection,
            "CALLER_KEYS": "anyone",
            "GRAPH_ROOT": "http://127.0.0.1:1",
        }
        _started(CHECKOUT, settings)  # makes tables and queues, as a deployment has them
        # In turn, so that whatever else the machine does meets both.
        both = [
            (_started(CHECKOUT, settings), _started(BARE, settings))
            for _ in range(QUICK if quick else FULL)
        ]
    ours, bare = zip(*both, strict=True)
    return Report(title="From a fresh worker process to its first 202", rows=_rows(ours, bare))


def _started(app: Path, settings: Mapping[str, str]) -> Started:
    started = time.monotonic()
    [accepted] = measure("cold_start", app, environment=settings)
    facts = accepted.facts
    return Started(clock=facts["at"] - started, processor=facts["processor"])


def _rows(ours: Sequence[Started], bare: Sequence[Started]) -> Sequence[Row]:
    ways = {"by the clock": lambda each: each.clock, "of the processor": lambda e: e.processor}
    found = [(how, median(map(of, ours)), median(map(of, bare))) for how, of in ways.items()]
    return [
        Row(
            what=f"the app's first 202 of POST /api/checks, {how}, median of {len(ours)}",
            measured=f"{seconds / beside:.2f} times",
            beside=f"{milliseconds(seconds)}; a bare app that only enqueues: "
            f"{milliseconds(beside)}",
        )
        for how, seconds, beside in found
    ]
