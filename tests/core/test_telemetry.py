from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from opentelemetry.metrics import set_meter_provider
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader

from entra_sod.core import telemetry
from entra_sod.core.errors import Throttled
from entra_sod.domain.results.coverage import Coverage, Outcome, Skipped
from entra_sod.domain.results.sets import SetSummary
from entra_sod.domain.results.sweep import PairCounts, ReferenceCounts
from entra_sod.services.sweeps.result import count_gaps, record_metrics
from tests.app import App, pair_body
from tests.builders import package, rule, side
from tests.cli.remote import BOTH, FAILED, PACKAGES, RULES, swept

type MakeApp = type[App]


class Measured:
    """What was measured since the test began or asked last."""

    def __init__(self, reader: InMemoryMetricReader) -> None:
        self._reader = reader

    def take(self) -> dict[str, list[Any]]:
        """The data points of each instrument."""
        data = self._reader.get_metrics_data()
        return {
            metric.name: [each for each in metric.data.data_points if _has_something(each)]
            for resource in (data.resource_metrics if data else [])
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }


def _has_something(point: Any) -> bool:
    """A histogram that got nothing since it was read last is still there."""
    return getattr(point, "count", 1) > 0


@pytest.fixture(scope="session")
def reader() -> InMemoryMetricReader:
    """OpenTelemetry takes one provider in the life of a process."""
    delta = AggregationTemporality.DELTA
    reader = InMemoryMetricReader(preferred_temporality={Counter: delta, Histogram: delta})
    set_meter_provider(MeterProvider([reader]))
    return reader


@pytest.fixture
def measured(reader: InMemoryMetricReader) -> Iterator[Measured]:
    measured = Measured(reader)
    measured.take()
    yield measured
    measured.take()


def test_answers_are_counted_by_their_status(measured: Measured) -> None:
    """One series for each status, with all that a batch carried."""
    telemetry.count_response(200, 20)
    telemetry.count_response(429)
    telemetry.count_response(200)
    points = measured.take()["entra_sod.graph.requests"]
    found = {point.attributes["status"]: point.value for point in points}
    assert found == {200: 21, 429: 1}


def test_time_that_graph_asked_for_is_counted(measured: Measured) -> None:
    """Seconds, with their parts."""
    telemetry.count_throttled(1.5)
    telemetry.count_throttled(2)
    (point,) = measured.take()["entra_sod.graph.throttled_seconds"]
    assert point.value == 3.5


NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("enqueued_at", "age"),
    [("2026-01-01T11:59:00Z", 60), ("2026-01-01T12:00:05Z", 0)],
)
def test_the_age_of_work_is_recorded(measured: Measured, enqueued_at: str, age: float) -> None:
    """From asking to working, by queue; clocks that disagree make no negative age."""
    telemetry.record_queue_age("sweep-pairs", enqueued_at, NOW)
    (point,) = measured.take()["entra_sod.queue.age"]
    assert (point.sum, point.count, point.attributes) == (age, 1, {"queue": "sweep-pairs"})


@pytest.mark.parametrize("enqueued_at", ["", "yesterday", "2026-01-01T12:00:00"])
def test_a_moment_that_is_none_is_passed_over(measured: Measured, enqueued_at: str) -> None:
    """A message with a strange date is worked on all the same."""
    telemetry.record_queue_age("sweep-pairs", enqueued_at, NOW)
    assert "entra_sod.queue.age" not in measured.take()


async def test_work_records_its_age_each_time(make_app: MakeApp, measured: Measured) -> None:
    """A check that was throttled comes back older: both times are in the histogram."""
    app = make_app(PACKAGES, BOTH, RULES)
    await app.post(pair_body("a", "b"))
    app.clock.advance(timedelta(minutes=1).total_seconds())
    app.graph.errors.append(Throttled("slow down", retry_after=30.0))
    await app.work_off()
    (point,) = measured.take()["entra_sod.queue.age"]
    assert (point.count, point.min, point.attributes["queue"]) == (2, 60, "conflict-checks")
    assert point.max >= 90


async def test_a_part_counts_what_it_read(make_app: MakeApp, measured: Measured) -> None:
    """Pages and assignments of an index are in the metrics as they are in the parts' rows."""
    packages = [package(name) for name in "abcdef"]
    app = make_app(packages, BOTH, [rule("r", *(side(name) for name in "abcdef"))])
    result = await swept(app)
    assert (result.strategy.chosen, result.assignments) == ("index", 5)
    pages = sum(part.counts["pages"] for part in await app.records.sweeps.parts_done(result.id))
    points = measured.take()
    assert [each.value for each in points["entra_sod.assignments"]] == [5]
    assert [each.value for each in points["entra_sod.pages"]] == [pages]
    assert pages >= 2


async def test_the_end_of_a_sweep_is_recorded(make_app: MakeApp, measured: Measured) -> None:
    """Duration, findings and gaps, by the status it ended with and nothing else."""
    await swept(make_app(PACKAGES, BOTH, RULES))
    points = measured.take()
    for name, total in (("conflicts", 2), ("gaps", 0), ("sweep.duration", 0)):
        (point,) = points[f"entra_sod.{name}"]
        assert (point.sum, point.attributes) == (total, {"status": "completed"})


def test_a_sweep_that_failed_is_recorded_as_such(measured: Measured) -> None:
    """No findings of nothing, under its own status, and a gap: nothing is known of any pair."""
    record_metrics(FAILED)
    taken = measured.take()
    (point,) = taken["entra_sod.conflicts"]
    assert (point.sum, point.attributes) == (0, {"status": "failed"})
    (gaps,) = taken["entra_sod.gaps"]
    assert gaps.sum == 1


async def test_gaps_are_what_is_unknown_or_not_written(make_app: MakeApp) -> None:
    """Pairs, sets and references are counted; what coverage only remarks on is not."""
    result = await swept(make_app(PACKAGES, BOTH, RULES))
    assert count_gaps(result) == 0
    unknown_set = SetSummary(
        rule="s", form="atMost", at_most=2, size=3, outcome=Outcome.UNKNOWN, holder_count=0
    )
    with_gaps = msgspec.structs.replace(
        result,
        pairs=PairCounts(total=5, conflict=2, clear=1, unknown=2),
        sets=[unknown_set],
        reference_counts=ReferenceCounts(failed=1),
        coverage=Coverage(skipped=[Skipped(what="members of group 9", why="not read")]),
    )
    assert count_gaps(with_gaps) == 4
