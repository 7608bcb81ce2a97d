"""The budget of writes over 24 hours, as a value."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from entra_sod.domain.enforcement.budget import (
    MAX_RUNS,
    PERIOD,
    WriteBudget,
    current,
    give_back,
    reserve,
    use_of,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LIMIT = 10


def test_what_there_is_no_room_for_is_not_granted() -> None:
    """A run gets what is left, and the next one nothing, until the first is a day old."""
    budget, first = reserve(WriteBudget(), "one", 7, NOW, LIMIT)
    later = NOW + timedelta(hours=1)
    budget, second = reserve(budget, "two", 7, later, LIMIT)
    budget, third = reserve(budget, "three", 1, later, LIMIT)
    assert (first.granted, second.granted, third.granted) == (7, 3, 0)
    assert (third.used, third.room_from) == (10, NOW + PERIOD)
    assert "10 of 10" in str(third)
    assert "2026-01-02 00:00 UTC" in str(third)
    _, fourth = reserve(budget, "four", 9, NOW + PERIOD, LIMIT)
    assert fourth.granted == 7


def test_a_reviewed_plan_gets_all_of_its_writes_or_none() -> None:
    """What is not granted takes nothing from others, not even for a moment."""
    budget, _ = reserve(WriteBudget(), "one", 7, NOW, LIMIT)
    budget, refused = reserve(budget, "plan", 4, NOW, LIMIT, may_be_part=False)
    assert (refused.granted, refused.used) == (0, 7)
    assert str(refused).startswith("7 of 10 ")
    _, granted = reserve(budget, "plan", 3, NOW, LIMIT, may_be_part=False)
    assert (granted.granted, granted.used) == (3, 10)


def test_a_run_that_comes_again_is_counted_once() -> None:
    """It died after its writes were reserved: the same writes take no more of the budget."""
    budget, _ = reserve(WriteBudget(), "one", 4, NOW, LIMIT)
    budget, again = reserve(budget, "one", 4, NOW + timedelta(hours=23), LIMIT)
    assert (again.granted, again.used) == (4, 4)
    _, fewer = reserve(budget, "one", 1, NOW + timedelta(hours=23), LIMIT)
    assert fewer.granted == 4


def test_what_was_not_written_is_given_back() -> None:
    """A run that wrote less than it reserved leaves the rest to others."""
    budget, _ = reserve(WriteBudget(), "one", 8, NOW, LIMIT)
    budget = give_back(budget, "one", 6)
    _, use = reserve(budget, "two", 9, NOW, LIMIT)
    assert use.granted == 8
    assert give_back(budget, "one", 2).runs == ()


def test_a_limit_of_nothing_grants_nothing() -> None:
    """Zero is a limit like any other: everything stays planned."""
    budget, use = reserve(WriteBudget(), "one", 1, NOW, 0)
    assert (use.granted, budget.runs) == (0, ())


def test_many_runs_stay_a_small_row() -> None:
    """Of more runs than are counted one by one the oldest count together, and none is lost."""
    budget = WriteBudget()
    for number in range(MAX_RUNS + 500):
        moment = NOW + timedelta(seconds=number)
        budget, _ = reserve(budget, str(number), 1, moment, 100_000)
    assert len(budget.runs) <= MAX_RUNS + 2
    assert use_of(budget, 100_000).used == MAX_RUNS + 500


@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from("abcdef"),
            st.integers(0, 15),
            st.integers(0, 15),
            st.floats(0, 30_000),
        ),
        max_size=60,
    )
)
def test_no_24_hours_have_more_writes_than_the_limit(
    steps: list[tuple[str, int, int, float]],
) -> None:
    """However runs reserve, write a part, die or give back: what was written keeps to the limit."""
    budget, now = WriteBudget(), NOW
    written, of_run = list[tuple[datetime, int]](), dict[str, int]()
    for run, wanted, made, pause in steps:
        now += timedelta(seconds=pause)
        if not any(each.run == run for each in current(budget, now).runs):
            of_run[run] = 0
        budget, use = reserve(budget, run, of_run[run] + wanted, now, LIMIT)
        done = min(made, wanted, max(0, use.granted - of_run[run]))
        written.append((now, done))
        of_run[run] += done
        if made % 2:  # otherwise it died, and what it has reserved stays so
            budget = give_back(budget, run, use.granted - of_run[run])
        within = sum(count for moment, count in written if moment > now - PERIOD)
        assert within <= LIMIT
