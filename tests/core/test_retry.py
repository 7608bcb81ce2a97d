from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from entra_sod.core.errors import (
    ConcurrencyLimited,
    ConfigurationError,
    Forbidden,
    InvalidMessage,
    NotYetConsistent,
    RulesError,
    SodError,
    Throttled,
    Unavailable,
)
from entra_sod.core.retry import (
    MAX_ATTEMPTS,
    MAX_DELAY_SECONDS,
    MAX_THROTTLED_ATTEMPTS,
    AttemptCounts,
    Poison,
    Retry,
    decide_retry,
)

failures = st.sampled_from([Unavailable("503"), NotYetConsistent("late")])
throttles = st.builds(Throttled, st.just("429"), retry_after=st.none() | st.floats(0, 86_400))
crowds = st.builds(ConcurrencyLimited, st.just("full"), retry_after=st.floats(5, 15))


def sent_again(error: SodError, tries: AttemptCounts) -> Retry:
    decision = decide_retry(error, tries)
    assert isinstance(decision, Retry)
    return decision


@given(failures, st.integers(0, MAX_ATTEMPTS - 2))
def test_waits_grow_and_stay_within_bounds(error: SodError, failed: int) -> None:
    """Each wait without advice is at least as long as the one before, up to five minutes."""
    first = sent_again(error, AttemptCounts(failed=failed))
    second = sent_again(error, first.attempts)
    assert 1 <= first.after_seconds <= second.after_seconds <= MAX_DELAY_SECONDS


@given(st.integers(0, MAX_THROTTLED_ATTEMPTS - 2))
def test_throttling_without_advice_waits_longer_each_time(throttled: int) -> None:
    """Up to five minutes, as after a failure."""
    error = Throttled("429", retry_after=None)
    first = sent_again(error, AttemptCounts(throttled=throttled))
    second = sent_again(error, first.attempts)
    assert 1 <= first.after_seconds <= second.after_seconds <= MAX_DELAY_SECONDS


@given(st.floats(0, 86_400), st.integers(0, MAX_THROTTLED_ATTEMPTS - 1))
def test_graphs_own_advice_is_followed(seconds: float, throttled: int) -> None:
    """A Retry-After is kept to the second, and is at least one."""
    retry = sent_again(Throttled("", retry_after=seconds), AttemptCounts(throttled=throttled))
    assert retry.after_seconds == max(1.0, seconds)


@given(failures | throttles, st.integers(0, 10_000), st.integers(0, 10_000))
def test_every_wait_comes_to_an_end(error: SodError, failed: int, throttled: int) -> None:
    """However often a message comes back, it is retried or poison, and poison in the end."""
    assert isinstance(decide_retry(error, AttemptCounts(failed, throttled)), (Retry, Poison))
    more = AttemptCounts(failed + MAX_ATTEMPTS, throttled + MAX_THROTTLED_ATTEMPTS)
    assert isinstance(decide_retry(error, more), Poison)


@given(st.lists(failures | throttles | crowds, max_size=150))
def test_waits_and_failures_are_counted_apart(errors: list[SodError]) -> None:
    """In any order: poison comes with the 13th failure or the 101st 429, and with nothing else."""
    tries, failed, throttled = AttemptCounts(), 0, 0
    for error in errors:
        failed += isinstance(error, (Unavailable, NotYetConsistent))
        throttled += isinstance(error, Throttled) and not isinstance(error, ConcurrencyLimited)
        decision = decide_retry(error, tries)
        if failed > MAX_ATTEMPTS or throttled > MAX_THROTTLED_ATTEMPTS:
            assert isinstance(decision, Poison)
            return
        assert isinstance(decision, Retry)
        tries = decision.attempts
        assert tries == AttemptCounts(failed, throttled)


@given(crowds, st.integers(0, 10_000), st.integers(0, 10_000))
def test_waiting_for_others_is_no_try(
    error: ConcurrencyLimited, failed: int, throttled: int
) -> None:
    """Who finds no place comes back as soon as the gate says, however often that happens."""
    tries = AttemptCounts(failed, throttled)
    assert decide_retry(error, tries) == Retry(error.retry_after or 0, tries)


def test_what_cannot_get_better_is_poison_at_once() -> None:
    """Unreadable messages and broken rules are given up with their own words."""
    for error in (InvalidMessage("no JSON"), RulesError(["f:1:1: x"])):
        assert decide_retry(error, AttemptCounts()) == Poison(str(error))


def test_what_only_a_person_can_mend_is_left_to_the_queue() -> None:
    """Wrong settings are not re-sent: the queue's own deliveries count."""
    assert decide_retry(ConfigurationError(["x"]), AttemptCounts()) is None
    assert decide_retry(Forbidden("403"), AttemptCounts()) is None
