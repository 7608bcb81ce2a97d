from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from entra_sod.core.errors import (
    ConcurrencyLimited,
    ConfigurationError,
    Forbidden,
    InvalidMessage,
    RulesError,
    SodError,
    Throttled,
    Unavailable,
    Unsettled,
)
from entra_sod.core.retry import (
    LONGEST_DELAY_SECONDS,
    MOST_ATTEMPTS,
    MOST_THROTTLED_ATTEMPTS,
    Poison,
    Retry,
    Tries,
    decide,
)

failures = st.sampled_from([Unavailable("503"), Unsettled("late")])
throttles = st.builds(Throttled, st.just("429"), retry_after=st.none() | st.floats(0, 86_400))
crowds = st.builds(ConcurrencyLimited, st.just("full"), retry_after=st.floats(5, 15))


def sent_again(error: SodError, tries: Tries) -> Retry:
    decision = decide(error, tries)
    assert isinstance(decision, Retry)
    return decision


@given(failures, st.integers(0, MOST_ATTEMPTS - 2))
def test_waits_grow_and_stay_within_bounds(error: SodError, failed: int) -> None:
    """Each wait without advice is at least as long as the one before, up to five minutes."""
    first = sent_again(error, Tries(failed=failed))
    second = sent_again(error, first.tries)
    assert 1 <= first.after_seconds <= second.after_seconds <= LONGEST_DELAY_SECONDS


@given(st.integers(0, MOST_THROTTLED_ATTEMPTS - 2))
def test_throttling_without_advice_waits_longer_each_time(throttled: int) -> None:
    """Up to five minutes, as after a failure."""
    error = Throttled("429", retry_after=None)
    first = sent_again(error, Tries(throttled=throttled))
    second = sent_again(error, first.tries)
    assert 1 <= first.after_seconds <= second.after_seconds <= LONGEST_DELAY_SECONDS


@given(st.floats(0, 86_400), st.integers(0, MOST_THROTTLED_ATTEMPTS - 1))
def test_graphs_own_advice_is_followed(seconds: float, throttled: int) -> None:
    """A Retry-After is kept to the second, and is at least one."""
    retry = sent_again(Throttled("", retry_after=seconds), Tries(throttled=throttled))
    assert retry.after_seconds == max(1.0, seconds)


@given(failures | throttles, st.integers(0, 10_000), st.integers(0, 10_000))
def test_every_wait_comes_to_an_end(error: SodError, failed: int, throttled: int) -> None:
    """However often a message comes back, it is retried or poison, and poison in the end."""
    assert isinstance(decide(error, Tries(failed, throttled)), (Retry, Poison))
    more = Tries(failed + MOST_ATTEMPTS, throttled + MOST_THROTTLED_ATTEMPTS)
    assert isinstance(decide(error, more), Poison)


@given(st.lists(failures | throttles | crowds, max_size=150))
def test_waits_and_failures_are_counted_apart(errors: list[SodError]) -> None:
    """In any order: poison comes with the 13th failure or the 101st 429, and with nothing else."""
    tries, failed, throttled = Tries(), 0, 0
    for error in errors:
        failed += isinstance(error, (Unavailable, Unsettled))
        throttled += isinstance(error, Throttled) and not isinstance(error, ConcurrencyLimited)
        decision = decide(error, tries)
        if failed > MOST_ATTEMPTS or throttled > MOST_THROTTLED_ATTEMPTS:
            assert isinstance(decision, Poison)
            return
        assert isinstance(decision, Retry)
        tries = decision.tries
        assert tries == Tries(failed, throttled)


@given(crowds, st.integers(0, 10_000), st.integers(0, 10_000))
def test_waiting_for_others_is_no_try(
    error: ConcurrencyLimited, failed: int, throttled: int
) -> None:
    """Who finds no place comes back as soon as the gate says, however often that happens."""
    tries = Tries(failed, throttled)
    assert decide(error, tries) == Retry(error.retry_after or 0, tries)


def test_what_cannot_get_better_is_poison_at_once() -> None:
    """Unreadable messages and broken rules are given up with their own words."""
    for error in (InvalidMessage("no JSON"), RulesError(["f:1:1: x"])):
        assert decide(error, Tries()) == Poison(str(error))


def test_what_only_a_person_can_mend_is_left_to_the_queue() -> None:
    """Wrong settings are not re-sent: the queue's own deliveries count."""
    assert decide(ConfigurationError(["x"]), Tries()) is None
    assert decide(Forbidden("403"), Tries()) is None
