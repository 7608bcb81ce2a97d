"""What the app counts for its operators: OpenTelemetry metrics.

Only the API is used: without a provider every call is next to nothing. On Azure the Python worker
sets the provider up by itself, before it loads the app, where
`PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY` is true; done here as well, everything would be sent
twice. Attributes are statuses and queues: never an id, never anything of a person.
"""

from __future__ import annotations

from datetime import datetime

from opentelemetry.metrics import get_meter

_meter = get_meter("entra_sod")

_requests = _meter.create_counter(
    "entra_sod.graph.requests",
    unit="{request}",
    description="Answers of Graph, those in a $batch counted one by one, by status; 0 if none came",
)
_throttled = _meter.create_counter(
    "entra_sod.graph.throttled_seconds",
    unit="s",
    description="Waited because Graph asked for it, in place and on the queue",
)
_pages = _meter.create_counter(
    "entra_sod.pages",
    unit="{page}",
    description="Pages of assignments that sweeps read into their indexes",
)
_assignments = _meter.create_counter(
    "entra_sod.assignments",
    unit="{assignment}",
    description="Assignments on these pages that count as held",
)
_queue_age = _meter.create_histogram(
    "entra_sod.queue.age",
    unit="s",
    description="From a request for work to its start, by queue; again after each wait",
    explicit_bucket_boundaries_advisory=[1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 21600],
)
_conflicts = _meter.create_histogram(
    "entra_sod.conflicts", unit="{finding}", description="Findings of one sweep, by status"
)
_gaps = _meter.create_histogram(
    "entra_sod.gaps",
    unit="{gap}",
    description="Unknown pairs and sets of one sweep, and references that Graph refused, by status",
)
_duration = _meter.create_histogram(
    "entra_sod.sweep.duration",
    unit="s",
    description="From the request for a sweep to its end, by status; one value for each sweep",
    explicit_bucket_boundaries_advisory=[10, 30, 60, 300, 600, 1800, 3600, 7200, 14400, 43200],
)


def count_response(status: int, requests: int = 1) -> None:
    """Count answers of Graph, inside a `$batch` as well; status 0 where none came."""
    _requests.add(requests, {"status": status})


def count_throttled(seconds: float) -> None:
    """Count time that a request waited because Graph had asked for silence."""
    _throttled.add(seconds)


def count_read(*, pages: int, assignments: int) -> None:
    """Count what a part of a sweep has read."""
    _pages.add(pages)
    _assignments.add(assignments)


def record_queue_age(queue: str, enqueued_at: str, now: datetime) -> None:
    """Record how old a message's work is; again each time that it comes back after a wait.

    Args:
        queue: that it lay on.
        enqueued_at: RFC 3339, as the message says; anything else is passed over.
        now: the moment at which work on it starts.
    """
    try:
        age = (now - datetime.fromisoformat(enqueued_at)).total_seconds()
    except (ValueError, TypeError):
        return
    _queue_age.record(max(0.0, age), {"queue": queue})


def record_sweep(*, status: str, seconds: float, conflicts: int, gaps: int) -> None:
    """Record the end of a sweep: one value of each, so that nights can be compared."""
    attributes = {"status": status}
    _duration.record(seconds, attributes)
    _conflicts.record(conflicts, attributes)
    _gaps.record(gaps, attributes)
