"""What is told of a run's references, and of the freeze."""

from __future__ import annotations

import json

import msgspec

from entra_sod.domain.enforcement.budget import WritesStopped
from entra_sod.domain.enforcement.freeze import Freeze
from entra_sod.domain.notifications.event import MAX_BODY_BYTES
from entra_sod.domain.notifications.kept_event import (
    RunReferences,
    freeze_event,
    run_events,
    selection_event,
)
from entra_sod.domain.results.check import ReferencesView, ReferenceView
from entra_sod.domain.results.sweep import ReferenceCounts
from tests.builders import guid

FREEZE = Freeze(reason="an audit", by="ann", since="2026-11-29T02:00:00Z")


def view(number: int, why: str | None = None) -> ReferenceView:
    target = f"{number:08}{guid('b')[8:]}"
    return ReferenceView(access_package_id=guid("a"), kind="package", target_id=target, why=why)


def writes_of(references: ReferencesView, stopped: WritesStopped | None = None) -> RunReferences:
    counts = ReferenceCounts.of(references)
    return RunReferences(run="run", references=references, counts=counts, stopped=stopped)


def stopped_by(freeze: Freeze | None = None) -> WritesStopped:
    stopped = WritesStopped(by="day-limit", why="x", left=3, used=5, limit=5)
    return msgspec.structs.replace(stopped, by="freeze", frozen=freeze) if freeze else stopped


def test_a_run_that_only_read_is_told_to_no_subscriber() -> None:
    """Neither what is there, nor what is planned, nor what was held before."""
    references = ReferencesView(present=[view(1)], planned=[view(2)], held=[view(3, "why")])
    assert list(run_events(writes_of(references), ())) == []


def test_written_and_removed_references_are_one_event() -> None:
    """The counts are whole; the first hundred are named, the removed ones marked and last."""
    written, removed = [view(each) for each in range(98)], [view(each) for each in range(98, 105)]
    references = ReferencesView(written=written, removed=removed)
    [event] = run_events(writes_of(references), ())
    body = json.loads(event.body)
    assert (event.id, event.subject, event.status) == (
        "references-run-written",
        "references",
        "written",
    )
    assert (body["run"], body["written"], body["removed"], body["failed"]) == ("run", 98, 7, 0)
    assert len(body["references"]) == 100
    marked = [each for each in body["references"] if each.get("isRemoval")]
    assert marked == body["references"][98:]


def test_held_references_are_told_with_their_reasons_as_many_as_fit() -> None:
    """A body is never too large for a receiver, so nothing is left out behind its back."""
    held = [view(each, "because of this " * 40) for each in range(300)]
    [event] = run_events(writes_of(ReferencesView(held=held)), held)
    body = json.loads(event.body)
    assert len(event.body) <= MAX_BODY_BYTES
    assert body["held"] == 300
    assert 20 < len(body["references"]) < 100
    assert all(each["why"] for each in body["references"])


def test_a_limit_that_was_met_is_an_event_with_the_figures() -> None:
    """The same as in the result of the run."""
    [event] = run_events(writes_of(ReferencesView(), stopped_by()), ())
    body = json.loads(event.body)
    assert event.id == "budget-run-exhausted"
    assert body["stopped"]["used"] == body["stopped"]["limit"] == 5
    assert body["stopped"]["left"] == 3


def test_a_run_that_meets_the_freeze_tells_of_the_freeze() -> None:
    """Under an id of the run, not of the freeze: each run that left something tells it once."""
    [event] = run_events(writes_of(ReferencesView(), stopped_by(FREEZE)), ())
    assert event.id == "frozen-run"
    assert json.loads(event.body) == {
        "run": "run",
        "left": 3,
        "frozen": {"reason": "an audit", "by": "ann", "since": FREEZE.since},
    }


def test_a_freeze_and_its_end_have_ids_of_the_freeze() -> None:
    """Freezing twice is one event."""
    assert freeze_event(FREEZE).id == "frozen-20261129T020000Z"
    end = freeze_event(FREEZE, ended_by="bob")
    assert end.id == "unfrozen-20261129T020000Z"
    assert json.loads(end.body)["endedBy"] == "bob"


def test_left_is_what_was_planned_and_not_tried() -> None:
    """What was written or refused was tried."""
    references = ReferencesView(
        planned=[view(1), view(2), view(3)], written=[view(1)], failed=[view(2, "refused")]
    )
    assert writes_of(references).left == ()
    assert writes_of(references, stopped_by()).left == [view(3)]


def test_a_selection_that_changed_is_told_within_a_bodys_size() -> None:
    """All rules are counted; the first are named, each with its first ids."""
    ids = [guid("a")] * 50
    changes = {f"rule-{each:03}": (ids, ids) for each in range(200)}
    event = selection_event("run", changes)
    body = json.loads(event.body)
    assert len(event.body) <= MAX_BODY_BYTES
    assert (event.id, body["changed"]) == ("selection-run-changed", 200)
    assert body["rules"][0]["rule"] == "rule-000"
    assert len(body["rules"][0]["joined"]) == 10
