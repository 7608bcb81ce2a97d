"""What a part counts of itself, as its row keeps it: numbers by name. Pure.

Apart from `progress.py`, which adds them up: HTTP functions load that, and nothing of Graph.
"""

from __future__ import annotations

from collections.abc import Mapping

from entra_sod.core.request_meter import Meter
from entra_sod.domain.sweeps.part_results import PartFindings


def request_counts(meter: Meter) -> Mapping[str, int]:
    """What a piece of work took."""
    return {
        "requests": meter.requests,
        "roundTrips": meter.round_trips,
        "throttled": meter.throttled,
        "throttledMilliseconds": round(meter.throttled_seconds * 1000),
    }


def part_counts(findings: PartFindings) -> Mapping[str, int]:
    """What a part has read."""
    return {
        "pairs": len(findings.pairs),
        "packages": len(findings.indexed),
        "assignments": sum(each.assignments for each in findings.indexed),
        "pages": sum(each.pages for each in findings.indexed),
    }
