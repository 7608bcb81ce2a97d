"""What becomes of a finding, look after look."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from entra_sod.domain.entra import Pair
from entra_sod.domain.findings.lifecycle import (
    MAX_HISTORY_LENGTH,
    Absent,
    Observation,
    OutOfScope,
    Present,
    RunContext,
    Unknown,
    decide_next,
    mark_resolving,
)
from entra_sod.domain.findings.model import (
    ActiveException,
    ChangeSource,
    Finding,
    FindingState,
    ObservedConflict,
    finding_id,
    pair_prefix,
)
from tests.builders import guid

START = date(2026, 1, 1)
PAIR = Pair.of(guid("a"), guid("b"))
SIGHTING = ObservedConflict(
    id=finding_id("pay", PAIR, "subject-x"),
    rule="pay",
    severity="high",
    owner="owner@example.com",
    packages=tuple(PAIR),
    subject_id="subject-x",
)
SEEN = Present(SIGHTING, None)
GAP = Unknown(None)
OFF = OutOfScope("the rule is off")


def moment(number: int, by: ChangeSource = ChangeSource.SWEEP) -> RunContext:
    day = START + timedelta(days=number)
    return RunContext(by=by, run=f"run-{number}", at=f"{day}T02:00:00Z", rules_hash="sha256:0")


def lived(*looks: Observation, finding: Finding | None = None, start: int = 0) -> Finding | None:
    """A finding after one look each night."""
    for number, look in enumerate(looks, start):
        finding = decide_next(finding, look, moment(number), salt="0" * 32) or finding
    return finding


def state(*looks: Observation) -> FindingState | None:
    finding = lived(*looks)
    return finding.state if finding else None


def excused(until: int, name: str = "EX-1") -> ActiveException:
    return ActiveException(id=name, until=START + timedelta(days=until))


def steps(finding: Finding | None) -> list[tuple[str | None, str, str]]:
    assert finding is not None
    return [(each.was, each.now, each.by) for each in finding.history]


def test_a_finding_opens_when_it_is_seen() -> None:
    """The first look that sees it makes it; one that does not makes nothing."""
    assert state(Absent(), GAP, OFF) is None
    finding = lived(SEEN)
    assert finding is not None
    assert (finding.state, finding.first_seen) == (FindingState.OPEN, "2026-01-01T02:00:00Z")
    assert steps(finding) == [(None, "open", "sweep")]


def test_two_looks_resolve_it() -> None:
    """One that does not see it is a doubt; the second ends it."""
    assert state(SEEN, Absent()) is FindingState.RESOLVING
    assert state(SEEN, Absent(), SEEN) is FindingState.OPEN
    assert state(SEEN, Absent(), Absent()) is FindingState.RESOLVED


def test_what_returns_is_the_same_finding() -> None:
    """Its id, its first day and its whole history are still there."""
    finding = lived(SEEN, Absent(), Absent(), Absent(), SEEN)
    assert finding is not None
    assert (finding.id, finding.first_seen[:10]) == (SIGHTING.id, "2026-01-01")
    assert steps(finding)[-1] == ("resolved", "open", "sweep")
    assert len(finding.history) == 4


def test_a_gap_changes_nothing() -> None:
    """After a failed reading, neither the state nor the day it was last seen changes."""
    assert lived(SEEN, *[GAP] * 5) == lived(SEEN)
    assert state(SEEN, Absent(), GAP, GAP) is FindingState.RESOLVING


def test_a_rule_that_is_off_puts_it_on_hold() -> None:
    """And on again: what is seen opens, what is not seen is looked for twice."""
    assert state(SEEN, OFF, OFF) is FindingState.ON_HOLD
    assert state(SEEN, OFF, SEEN) is FindingState.OPEN
    assert state(SEEN, OFF, Absent(), Absent()) is FindingState.RESOLVED
    assert state(SEEN, Absent(), Absent(), OFF) is FindingState.RESOLVED


def test_an_exception_permits_it_until_its_last_day() -> None:
    """Then it stands again, and says that it was permitted once."""
    permitted = Present(SIGHTING, excused(3))
    finding = lived(SEEN, permitted, permitted, permitted, SEEN, SEEN)
    assert steps(finding) == [
        (None, "open", "sweep"),
        ("open", "excepted", "exception"),
        ("excepted", "excepted", "exception"),  # a day is left
        ("excepted", "exception-expired", "exception"),
    ]
    assert finding is not None
    assert finding.history[-1].why == "its exception ended on 2026-01-04"


def test_an_exception_ends_by_the_calendar() -> None:
    """Though the sweep could not read it, the exception has ended."""
    finding = lived(Present(SIGHTING, excused(60)), GAP)
    assert finding is not None
    assert (finding.state, finding.last_seen[:10]) == (FindingState.EXCEPTION_EXPIRED, "2026-01-01")
    assert finding.history[-1].why == "its exception was taken back"


def test_resolving_it_forgets_the_exception() -> None:
    """What returns after its end is open, though it was permitted in its earlier life."""
    excuse = Present(SIGHTING, excused(0))
    assert state(excuse, SEEN, Absent(), SEEN) is FindingState.EXCEPTION_EXPIRED
    assert state(excuse, SEEN, Absent(), Absent(), SEEN) is FindingState.OPEN


def test_warnings_come_at_thirty_seven_and_one_days() -> None:
    """Each once, the next night where one was missed; another exception begins anew."""
    finding: Finding | None = None
    warned = []
    for number in [*range(12), *range(14, 40)]:
        look = Present(SIGHTING, excused(40))
        finding = decide_next(finding, look, moment(number), salt="0" * 32) or finding
        assert finding is not None
        warned += [
            (number, each.why)
            for each in finding.changes_of(f"run-{number}")
            if each.was is each.now
        ]
    assert warned == [
        (10, "its exception ends in 30 days"),
        (33, "its exception ends in 7 days"),
        (39, "its exception ends in 1 day"),
    ]


def test_a_longer_exception_is_noted() -> None:
    """A new last day of the same exception is a change with its cause."""
    finding = lived(Present(SIGHTING, excused(50)), Present(SIGHTING, excused(90)))
    assert finding is not None
    assert finding.history[-1].why == "permitted until 2026-04-01"
    assert finding.history[-1].cause == "EX-1"


def test_a_finding_is_marked_as_being_remediated() -> None:
    """It stays so while it is seen; one look that does not see it ends it."""
    opened = lived(SEEN)
    assert opened is not None
    claimed = mark_resolving(opened, by="ana", why="CHG-7", at="2026-01-01T09:00:00Z")
    assert claimed is not None
    assert (claimed.state, steps(claimed)[-1]) == (
        FindingState.RESOLVING,
        ("open", "resolving", "person"),
    )
    seen = lived(SEEN, finding=claimed, start=1)
    assert seen is not None
    assert seen.state is FindingState.RESOLVING
    ended = lived(Absent(), finding=seen, start=2)
    assert ended is not None
    assert (ended.state, ended.claimed_by) == (FindingState.RESOLVED, "")
    assert mark_resolving(ended, by="ana", why="", at="2026-01-09T09:00:00Z") is None


def test_an_older_look_says_nothing_new() -> None:
    """A sweep that began before a check does not undo what the check saw."""
    checked = decide_next(None, SEEN, moment(5, ChangeSource.CHECK), salt="0" * 32)
    assert decide_next(checked, Absent(), moment(4), salt="") is None


def test_findings_of_a_pair_lie_side_by_side() -> None:
    """Ids of one pair have one beginning; each rule and subject has its own."""
    ids = {finding_id(rule, PAIR, who) for rule in ("r", "s") for who in ("x", "y")}
    assert len(ids) == 4
    assert {each[:8] for each in ids} == {pair_prefix(PAIR)}
    assert {len(each) for each in ids} == {32}


LOOKS = st.one_of(
    st.just(SEEN),
    st.just(Absent()),
    st.just(OFF),
    st.integers(-1, 40).map(lambda until: Present(SIGHTING, excused(max(until, 0)))),
    st.integers(0, 40).map(lambda until: Unknown(excused(until))),
    st.just(GAP),
)


@given(st.lists(LOOKS, max_size=30))
def test_every_history_is_a_chain(looks: list[Observation]) -> None:
    """Each change begins where the last ended, and the last ends in the state."""
    finding = lived(*looks)
    if finding is not None:
        assert finding.history[0].was is None
        for before, after in zip(finding.history, finding.history[1:], strict=False):
            assert before.now is after.was
            assert before.at <= after.at
        assert finding.history[-1].now is finding.state
        assert finding.first_seen <= finding.last_seen <= finding.looked_at


@given(st.lists(LOOKS, max_size=30), LOOKS, LOOKS)
def test_a_run_decides_once(
    looks: list[Observation], first: Observation, again: Observation
) -> None:
    """Whatever a run that died sees when it comes again, what it has written stays."""
    before = lived(*looks)
    when = moment(len(looks))
    once = decide_next(before, first, when, salt="0" * 32)
    if once is not None:
        assert decide_next(once, again, when, salt="0" * 32) is None


QUIET: st.SearchStrategy[Observation] = st.one_of(st.just(GAP), st.just(OFF), st.just(SEEN))


@given(st.lists(LOOKS, max_size=20), st.lists(QUIET, max_size=10))
def test_only_looks_that_do_not_see_it_resolve_it(
    before: list[Observation], after: list[Observation]
) -> None:
    """Neither gaps nor rules that are off bring a finding to its end."""
    standing = lived(*before, SEEN)
    finding = lived(*after, finding=standing, start=len(before) + 1)
    assert finding is not None
    assert finding.state is not FindingState.RESOLVED


def test_a_very_long_history_keeps_its_ends() -> None:
    """It fits into its row: the first and the newest are kept; how many are not is said."""
    turns: list[Observation] = [SEEN, OFF]
    finding = lived(*turns * 300)
    assert finding is not None
    assert len(msgspec.json.encode(finding.history)) <= MAX_HISTORY_LENGTH
    assert finding.history[0].was is None
    assert finding.history[-1].run == "run-599"
    assert finding.left_out + len(finding.history) == 600
