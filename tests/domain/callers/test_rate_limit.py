from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from entra_sod.domain.callers.rate_limit import WINDOW_SECONDS, CallerRateLimiter, apply_rate_limit

GAPS = st.lists(st.floats(min_value=0, max_value=30, allow_nan=False), max_size=150)
RATES = st.integers(min_value=1, max_value=60)
SLACK = 0.002


def taken(gaps: list[float], per_minute: int) -> list[float]:
    """The moments of the requests that were taken, of requests with these gaps."""
    due = now = 1_700_000_000.0
    moments = []
    for gap in gaps:
        now += gap
        turn = apply_rate_limit(due, now, per_minute=per_minute)
        due = turn.due
        if not turn.wait:
            moments.append(now)
    return moments


@given(GAPS, RATES)
def test_no_window_gets_more_than_its_share(gaps: list[float], per_minute: int) -> None:
    """In any time there are at most a minute's requests, and those of the time itself."""
    moments = taken(gaps, per_minute)
    for first, start in enumerate(moments):
        for last, end in enumerate(moments[first:], first):
            share = per_minute * (1 + (end - start) / WINDOW_SECONDS)
            assert last - first + 1 <= share + SLACK


@given(GAPS, RATES)
def test_a_caller_that_waits_as_told_is_admitted(gaps: list[float], per_minute: int) -> None:
    """After the wait that a refusal names the same request is taken, and not much earlier."""
    due = now = 1_700_000_000.0
    for gap in gaps:
        now += gap
        turn = apply_rate_limit(due, now, per_minute=per_minute)
        due = turn.due
        if turn.wait:
            again = now + turn.wait
            assert apply_rate_limit(due, again + SLACK, per_minute=per_minute).wait == 0
            earlier = apply_rate_limit(due, again - 0.01, per_minute=per_minute)
            assert turn.wait < 0.02 or earlier.wait > 0
            assert turn.wait <= WINDOW_SECONDS / per_minute + SLACK


@given(RATES)
def test_an_even_pace_is_never_refused(per_minute: int) -> None:
    """Who keeps to the rate is taken every time."""
    gaps = [WINDOW_SECONDS / per_minute] * 100
    assert len(taken(gaps, per_minute)) == len(gaps)


@given(RATES, st.floats(min_value=1, max_value=1e8))
def test_a_clock_that_is_set_back_locks_no_caller_out(per_minute: int, jump: float) -> None:
    """However far it went back, the next request is taken within one turn."""
    now = 1_700_000_000.0
    due = apply_rate_limit(now, now, per_minute=per_minute).due
    wait = apply_rate_limit(due, now - jump, per_minute=per_minute).wait
    assert wait <= WINDOW_SECONDS / per_minute + SLACK


def test_a_minutes_requests_come_at_once_and_no_more() -> None:
    """The first sixty are taken, the next one waits a second, and only it."""
    limiter = CallerRateLimiter(60)
    assert [limiter.take("a", 0.0)[0] for _ in range(61)] == [0.0] * 60 + [1.0]
    assert limiter.take("a", 1.0)[0] == 0
    assert limiter.take("b", 1.0)[0] == 0


def test_a_flood_is_new_once() -> None:
    """Only the first refusal in a row is told as new, so that a log line can be one a flood."""
    limiter = CallerRateLimiter(1)
    assert [limiter.take("a", float(now))[1] for now in (0, 1, 2, 61, 62)] == [
        False,
        True,
        False,
        False,
        True,
    ]


def test_memory_is_bounded() -> None:
    """However many callers there are, the one not seen for longest is forgotten."""
    limiter = CallerRateLimiter(1, most_callers=3)
    for number in range(1000):
        limiter.take(f"caller-{number}", 0.0)
    assert len(limiter) == 3
    assert limiter.take("caller-999", 0.0)[0] > 0
    assert limiter.take("caller-0", 0.0)[0] == 0
