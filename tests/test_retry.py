from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from functions.errors import (
    ConfigurationError,
    Forbidden,
    InvalidMessage,
    RulesError,
    SodError,
    Throttled,
    Unavailable,
    Unsettled,
)
from functions.retry import (
    LONGEST_DELAY_SECONDS,
    MOST_ATTEMPTS,
    MOST_THROTTLED_ATTEMPTS,
    Poison,
    Retry,
    decide,
)

transient = st.sampled_from(
    [Unavailable("503"), Unsettled("late"), Throttled("", retry_after=None)]
)


@given(transient, st.integers(0, MOST_ATTEMPTS - 1))
def test_waits_grow_and_stay_within_bounds(error: SodError, attempt: int) -> None:
    """Each wait without advice is at least as long as the one before, up to five minutes."""
    now, later = decide(error, attempt), decide(error, min(attempt + 1, MOST_ATTEMPTS - 1))
    assert isinstance(now, Retry)
    assert isinstance(later, Retry)
    assert 1 <= now.after_seconds <= later.after_seconds <= LONGEST_DELAY_SECONDS


@given(st.floats(0, 86_400), st.integers(0, MOST_THROTTLED_ATTEMPTS - 1))
def test_graphs_own_advice_is_followed(seconds: float, attempt: int) -> None:
    """A Retry-After is kept to the second, and is at least one."""
    assert decide(Throttled("", retry_after=seconds), attempt) == Retry(max(1.0, seconds))


@given(transient, st.integers(0, 10_000))
def test_every_wait_comes_to_an_end(error: SodError, attempt: int) -> None:
    """However often a message comes back, it is retried or poison, and poison in the end."""
    decision = decide(error, attempt)
    assert isinstance(decision, (Retry, Poison))
    assert isinstance(decide(error, attempt + MOST_THROTTLED_ATTEMPTS), Poison)


def test_what_cannot_get_better_is_poison_at_once() -> None:
    """Unreadable messages and broken rules are given up with their own words."""
    for error in (InvalidMessage("no JSON"), RulesError(["f:1:1: x"])):
        assert decide(error, 0) == Poison(str(error))


def test_what_only_a_person_can_mend_is_left_to_the_queue() -> None:
    """Wrong settings are not re-sent: the queue's own deliveries count."""
    assert decide(ConfigurationError(["x"]), 0) is None
    assert decide(Forbidden("403"), 0) is None
