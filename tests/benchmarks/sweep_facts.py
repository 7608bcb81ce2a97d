"""Invented sweeps, for tests of what is made of measurements."""

from __future__ import annotations

from typing import Any

from benchmarks.sweep.cases import TINY, Case
from benchmarks.sweep.closing import Check, Closing
from benchmarks.sweep.tenants import conflicts
from benchmarks.sweep.traffic import Traffic
from benchmarks.sweep.world import Measured

MIB = 2**20


def some_traffic(**changes: Any) -> Traffic:
    """Ten requests a second for a hundred seconds, all served."""
    facts: dict[str, Any] = {
        "counted": 1_000,
        "round_trips": 50,
        "refused": 0,
        "busy_seconds": 100.0,
        "best_minute": 600,
    }
    return Traffic(**facts | changes)


def a_case(name: str = "made-up", **changes: Any) -> Case:
    facts: dict[str, Any] = {"scale": TINY, "limit": 100, "has_budget": True}
    return Case(name=name, **facts | changes)


def measured(case: Case | None = None, **changes: Any) -> Measured:
    """A sweep that kept every budget but that of requests, which its tenant is too small for."""
    result = {
        "status": "completed",
        "strategy": {"chosen": "index", "why": "24 pages", "ways": {}},
        "findings": sum(conflicts(case.scale if case else TINY)),
    }
    facts: dict[str, Any] = {
        "result": result,
        "seconds": 101.0,
        "traffic": some_traffic(),
        "idle": 50 * MIB,
        "peak": 100 * MIB,
        "cpu_seconds": 3.0,
        "messages": 5,
        "check": Check(seconds=2.5, outcome="conflict", ended_at=1.0),
        "closing": Closing(cpu_seconds=2.0, slowest_answer=0.1),
    }
    return Measured(case=case or a_case(), **facts | changes)
