"""All benchmarks by name, in the order in which they run."""

from __future__ import annotations

from typing import Protocol

from benchmarks import (
    cold_start,
    compiling,
    deciding,
    decoding,
    findings,
    granting,
    http_memory,
    importing,
    opening_console,
    paging_memory,
    planning,
    reporting,
    sweeping,
    validating,
)
from benchmarks.report import Report


class Benchmark(Protocol):
    def __call__(self, *, quick: bool = False) -> Report:
        """Measure; `quick` only shows that it works, its figures mean nothing."""
        ...


BENCHMARKS: dict[str, Benchmark] = {
    "decoding": decoding.run,
    "importing": importing.run,
    "cold-start": cold_start.run,
    "http-memory": http_memory.run,
    "paging-memory": paging_memory.run,
    "decide": deciding.run,
    "compile": compiling.run,
    "grants": granting.run,
    "plan": planning.run,
    "validate": validating.run,
    "sweep": sweeping.run,
    "findings": findings.run,
    "report": reporting.run,
    "console": opening_console.run,
}
IN_A_BROWSER = frozenset({"report", "console"})
