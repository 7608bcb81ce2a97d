"""What the lines of a pack say of a finding."""

from __future__ import annotations

from datetime import date

import pytest

from entra_sod.domain.enforcement.result import EnforcementResult
from entra_sod.domain.entra import Reference, ReferenceKind
from entra_sod.domain.evidence.rows import (
    csv_line,
    finding_line,
    json_line,
    ownership_lines,
    reference_lines,
)
from entra_sod.domain.findings.lifecycle import (
    Absent,
    Observation,
    Present,
    RunContext,
    Unknown,
    decide_next,
    mark_resolving,
)
from entra_sod.domain.findings.model import ActiveException, ChangeSource, Finding, ObservedConflict
from entra_sod.domain.findings.views import salted
from entra_sod.domain.results.check import references_view

SIGHTING = ObservedConflict(
    id="0" * 32, rule="r", severity="high", owner="o", packages=("a", "b"), subject_id="someone"
)
EXCUSE = ActiveException(id="EX-1", until=date(2026, 11, 1))


def look(before: Finding | None, look: Observation, night: int) -> Finding:
    moment = RunContext(
        by=ChangeSource.SWEEP, run=f"night-{night}", at=f"2026-11-0{night}T02:00:00Z", rules_hash=""
    )
    after = decide_next(before, look, moment, salt="00" * 16)
    assert after is not None
    return after


@pytest.mark.parametrize(("first", "then"), [(EXCUSE, None), (None, EXCUSE)])
def test_an_exception_that_begins_or_ends_is_no_sight(
    first: ActiveException | None, then: ActiveException | None
) -> None:
    """A night that could not look has seen nothing, though it changed the finding."""
    found = look(None, Present(SIGHTING, first), 1)
    changed = look(found, Unknown(then), 2)
    assert changed.state != found.state
    assert finding_line(found, "night-1").seen
    assert not finding_line(changed, "night-2").seen


def test_words_of_people_stay_in_the_findings_row() -> None:
    """Of a claim evidence has a salted hash of who made it, and no reason."""
    found = look(None, Present(SIGHTING, None), 1)
    claimed = mark_resolving(
        found, by="Ann Example", why="Bob Miller hands it over", at=found.since
    )
    assert claimed is not None
    again = look(claimed, Present(SIGHTING, None), 2)
    line = finding_line(again, "night-2")
    written = json_line(line) + csv_line(line)
    assert not [each for each in (b"Ann", b"Example", b"Bob", b"hands") if each in written]
    [change] = line.changes
    assert change.cause == salted(found, "Ann Example")
    assert change.cause.startswith("hmac-sha256:")
    assert b"open > resolving: claimed" in written
    assert [each.cause for each in again.history if each.by is ChangeSource.PERSON] == [
        "Ann Example"
    ]


def test_what_is_seen_is_seen_with_or_without_a_change() -> None:
    """And what is not there is not."""
    found = look(None, Present(SIGHTING, None), 1)
    again = look(found, Present(SIGHTING, None), 2)
    permitted = look(again, Present(SIGHTING, EXCUSE), 3)
    gone = look(permitted, Absent(), 4)
    assert finding_line(again, "night-2").seen
    assert finding_line(permitted, "night-3").seen
    assert not finding_line(permitted, "night-2").seen
    assert not finding_line(gone, "night-4").seen


def test_whose_a_reference_is_stands_in_lines_of_adoptions_alone() -> None:
    """Lines of other runs are as they were, so that their packs have the same bytes."""
    reference = Reference("a", ReferenceKind.PACKAGE, "b")
    [adopted] = ownership_lines([reference], "adopted")
    assert (adopted.before, adopted.planned, adopted.written) == (True, None, False)
    assert b'"ownership":"adopted"' in json_line(adopted)
    [present] = reference_lines(references_view(EnforcementResult(present=(reference,))))
    assert b"ownership" not in json_line(present)
