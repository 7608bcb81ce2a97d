from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import azure.functions as func
import msgspec
import pytest

from entra_sod.core.errors import Throttled
from entra_sod.core.request_meter import Meter, _current
from entra_sod.domain.messages import SweepMessage, decode
from entra_sod.domain.results.status import SweepStatus
from entra_sod.domain.sweeps.part_results import IndexedPackage, PartFindings
from entra_sod.domain.sweeps.parts import PART_SIZE, Part
from entra_sod.ports.graph import Graph
from entra_sod.ports.storage import Row
from entra_sod.services.sweeps import run
from entra_sod.services.sweeps.part_counts import part_counts, request_counts
from entra_sod.services.sweeps.progress import (
    MAX_WAITING_SHOWN,
    SweepProgress,
    add,
    progress_of,
    rate,
    sum_counts,
)
from entra_sod.services.sweeps.read_part import PartResult, read_part
from entra_sod.stores.sweeps import PartNote, PartRecord, Parts, SweepRecord, SweepStore
from functions.http.sweeps import get_sweep
from local.memory.clock import ManualClock
from local.memory.storage import MemoryStorage
from tests.app import App, body_of, call
from tests.builders import package, rule, side
from tests.services.sweeps.test_sweeps import star, start

START = datetime(2026, 1, 1, 2, 0, tzinfo=UTC)
URL = "https://app.example.com/api/sweeps/s"

type MakeApp = type[App]


def progress(
    total: int | None,
    *,
    done: int = 0,
    minutes: float = 10,
    tried: Sequence[dict[str, int]] = (),
    notes: Sequence[PartNote] = (),
    counts: Mapping[str, int] | None = None,
) -> SweepProgress:
    """Of a sweep whose parts that are done have each the same counts."""
    record = SweepRecord(
        id="s",
        status=SweepStatus.RUNNING,
        parts=total,
        started_at=START,
        row=Row(partition="s", key="sweep"),
    )
    parts = [PartRecord(number=number, blob="b", counts=counts or {}) for number in range(done)]
    now = START + timedelta(minutes=minutes)
    return progress_of(
        record, Parts(done=parts, attempt_costs=tried, notes=notes), now, location=URL
    )


def note(part: int, minutes: float, why: str = "throttled") -> PartNote:
    return PartNote(part=part, why=why, since=START + timedelta(minutes=minutes))


def test_counts_of_all_parts_are_added_up() -> None:
    """What is done and what was tried in vain are in the sums; milliseconds become seconds."""
    counts = {"requests": 100, "roundTrips": 10, "throttledMilliseconds": 1500, "pages": 3}
    seen = progress(4, done=2, tried=[{"requests": 7, "throttled": 1}], counts=counts)
    assert (seen.so_far.requests, seen.so_far.round_trips, seen.so_far.pages) == (207, 20, 6)
    assert (seen.so_far.throttled, seen.so_far.throttled_seconds) == (1, 3.0)


def test_the_rate_is_told_in_graphs_own_window() -> None:
    """Three thousand requests in ten minutes are fifty in ten seconds; in no time, none."""
    assert progress(2, done=1, counts={"requests": 3000}).rate == 50.0
    assert (rate(5, 0), rate(0, 60), rate(1, 7)) == (0.0, 0.0, 1.4)


@pytest.mark.parametrize(
    ("total", "done", "left"), [(None, 0, None), (4, 0, None), (4, 1, 1800), (4, 3, 200)]
)
def test_time_left_is_told_from_what_is_done(
    total: int | None, done: int, left: int | None
) -> None:
    """As long for each part to come as for each that is done; before the first it is not known."""
    assert progress(total, done=done).seconds_left == left


def test_time_left_of_closing_is_not_guessed() -> None:
    """With all parts done there is nothing to tell from."""
    assert progress(4, done=4).seconds_left is None


def test_a_sweep_without_a_plan_has_no_parts_yet() -> None:
    """While it is planned the total is 0, and why planning waits is said without a part."""
    seen = progress(None, notes=[note(-1, 1, "Graph throttles listing packages")])
    assert (seen.parts.done, seen.parts.total) == (0, 0)
    assert [(each.part, each.why) for each in seen.waiting] == [
        (None, "Graph throttles listing packages")
    ]


def test_the_newest_reasons_come_first() -> None:
    """At most ten are shown, and what planning once waited for is over."""
    notes = [note(-1, 99), *(note(number, number) for number in range(MAX_WAITING_SHOWN + 5))]
    waiting = progress(20, notes=notes).waiting
    assert [each.part for each in waiting] == list(range(14, 4, -1))
    assert waiting[0].since == "2026-01-01T02:14:00Z"


def test_what_a_part_keeps_comes_back_as_it_was() -> None:
    """Meter and findings go into a row of whole numbers, and add up to the same tally."""
    meter = Meter(requests=5, round_trips=2, throttled=1, throttled_seconds=2.3456)
    indexed = [IndexedPackage(id=each, assignments=10, pages=2) for each in "ab"]
    counts = add(request_counts(meter), part_counts(PartFindings(indexed=indexed)))
    assert all(isinstance(value, int) for value in counts.values())
    total = sum_counts([counts])
    assert (total.requests, total.round_trips, total.throttled) == (5, 2, 1)
    assert total.throttled_seconds == 2.346
    assert (total.packages, total.assignments, total.pages) == (2, 20, 4)


class TestTheStore:
    @pytest.fixture
    def store(self) -> SweepStore:
        return SweepStore(MemoryStorage(), ManualClock())

    async def test_notes_and_tries_of_parts_that_are_done_are_no_longer_told(
        self, store: SweepStore
    ) -> None:
        """A part that was given up keeps its note for its poison, and is not said to wait."""
        for part in (1, 2):
            await store.record_part_note("s", part, "slow down")
            await store.store_attempt_costs("s", part, {"requests": part})
        await store.end_part("s", 1, b"", {"requests": 10})
        parts = await store.parts("s")
        assert [(each.number, each.counts) for each in parts.done] == [(1, {"requests": 10})]
        assert [(each.part, each.why) for each in parts.notes] == [(2, "slow down")]
        assert parts.attempt_costs == [{"requests": 2}]

    async def test_a_newer_note_takes_the_place_of_the_older(self, store: SweepStore) -> None:
        """One note for each part, the last one; so with what its tries have cost."""
        for why in ("first", "last"):
            await store.record_part_note("s", 0, why)
        for requests in (1, 4):
            await store.store_attempt_costs("s", 0, {"requests": requests})
        assert [each.why for each in (await store.parts("s")).notes] == ["last"]
        assert await store.attempt_costs("s", 0) == {"requests": 4}


async def followed(sweep_id: str) -> dict[str, Any]:
    route = {"id": sweep_id}
    answer = await call(
        get_sweep, func.HttpRequest("GET", URL, route_params=route, headers={}, body=b"")
    )
    assert answer.status_code == 202
    return body_of(answer)


def large(make_app: MakeApp) -> App:
    """A tenant whose sweep has three parts."""
    names, rules = star(2 * PART_SIZE + 1)
    return make_app([package("a"), *(package(name) for name in names)], {}, rules)


async def test_a_sweep_can_be_followed_from_part_to_part(make_app: MakeApp) -> None:
    """GET tells what is done, the time left, and keeps the fields that pollers know."""
    app = large(make_app)
    sweep_id = await start(app)
    assert (await followed(sweep_id))["parts"] == {"done": 0, "total": 0}
    await app.work_one()
    app.clock.advance(60)
    await app.work_one()
    seen = await followed(sweep_id)
    assert (seen["id"], seen["status"]) == (sweep_id, "running")
    assert seen["self"].endswith(f"/api/sweeps/{sweep_id}")
    assert seen["parts"] == {"done": 1, "total": 3}
    assert seen["secondsLeft"] == 120
    assert seen["soFar"]["pairs"] == PART_SIZE
    assert msgspec.convert(seen, SweepProgress).so_far.pairs == PART_SIZE


async def test_why_a_part_waits_is_told_until_it_is_worked(make_app: MakeApp) -> None:
    """A throttled part says so, with the moment; once worked on again it does not wait."""
    app = large(make_app)
    sweep_id = await start(app)
    await app.work_one()
    app.graph.errors.append(Throttled("Graph throttles all", retry_after=30.0))
    await app.work_one()
    (waiting,) = (await followed(sweep_id))["waiting"]
    assert waiting["part"] == 0
    assert "Graph throttles all" in waiting["why"]
    app.storage.sent.insert(0, app.storage.sent.pop())
    await app.work_one()
    seen = await followed(sweep_id)
    assert (seen["parts"]["done"], seen["waiting"]) == (1, [])


async def test_requests_of_a_try_that_failed_are_not_forgotten(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What each throttled try cost is told while the part waits, and counts in its end."""
    tries = 0

    async def costly(graph: Graph, part: Part, **options: bool) -> PartResult:
        nonlocal tries
        tries += 1
        meter = _current.get()
        assert meter is not None
        meter.requests += 7
        if tries <= 2:
            raise Throttled("slow down", retry_after=30.0)
        return await read_part(graph, part, **options)

    monkeypatch.setattr(run, "read_part", costly)
    app = make_app([package("a"), package("b")], {}, [rule("r", side("a"), side("b"))])
    sweep_id = await start(app)
    for _ in range(3):
        await app.work_one()
    assert (await followed(sweep_id))["soFar"]["requests"] == 14
    await app.work_off()
    (part,) = await app.records.sweeps.parts_done(sweep_id)
    assert part.counts["requests"] == 21


async def test_what_a_part_cost_before_it_was_given_up_is_kept(make_app: MakeApp) -> None:
    """A part that came to nothing counts the requests of its tries."""
    app = large(make_app)
    sweep_id = await start(app)
    await app.work_one()
    message = decode(app.storage.sent[0].body)
    assert isinstance(message, SweepMessage)
    await app.records.sweeps.store_attempt_costs(sweep_id, message.part, {"requests": 7})
    await app.engine.sweep_runner.end_poisoned(message, "given up")
    assert (await followed(sweep_id))["soFar"]["requests"] == 7
    (part,) = await app.records.sweeps.parts_done(sweep_id)
    assert part.counts == {"requests": 7}
