"""What a sweep that has ended tells the metrics."""

from __future__ import annotations

from datetime import datetime

from entra_sod.core.telemetry import record_sweep
from entra_sod.domain.results.coverage import Outcome
from entra_sod.domain.results.status import SweepStatus
from entra_sod.domain.results.sweep import SweepResult


def measure(result: SweepResult) -> None:
    """Record a sweep's duration, findings and gaps; call it once for each sweep that ends."""
    start, end = map(datetime.fromisoformat, (result.started_at, result.ended_at))
    record_sweep(
        status=result.status,
        seconds=(end - start).total_seconds(),
        conflicts=result.findings,
        gaps=count_gaps(result),
    )


def count_gaps(result: SweepResult) -> int:
    """Pairs and sets that are unknown, and references that Graph refused; a failed sweep is one."""
    if result.status == SweepStatus.FAILED:
        return 1
    unknown_sets = sum(each.outcome is Outcome.UNKNOWN for each in result.sets)
    return result.pairs.unknown + unknown_sets + result.reference_counts.failed
