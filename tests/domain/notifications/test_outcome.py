from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entra_sod.core.retry import Poison
from entra_sod.domain.notifications.outcome import (
    DAY_SECONDS,
    MAX_DELAY_SECONDS,
    MAX_REFUSALS,
    Delivered,
    DeliveryDecision,
    NoResponse,
    NotSent,
    ReceiverGone,
    ResponseReceived,
    RetryDelivery,
    SendOutcome,
    decide_delivery,
)

NOT_NOW = [
    *(ResponseReceived(status) for status in (400, 401, 403, 404, 408, 409, 422, 425, 429)),
    *(ResponseReceived(status) for status in (500, 502, 503, 504, 599)),
]
REFUSALS: list[SendOutcome] = [
    *(ResponseReceived(status) for status in (300, 301, 302, 303, 307, 308)),
    NotSent("not public"),
]
waits = st.sampled_from([*NOT_NOW, NoResponse("timeout")])
refusal_counts = st.integers(0, MAX_REFUSALS - 1)
chances = st.floats(0, 1)


@given(st.integers(200, 299), st.integers(0, 100), st.floats(0, 10 * DAY_SECONDS))
def test_a_success_is_delivered_at_any_time(status: int, tries: int, age: float) -> None:
    """A 2xx ends a delivery, also at the last moment."""
    assert (
        decide_delivery(
            ResponseReceived(status), tries=tries, refusals=0, age_seconds=age, chance=0
        )
        == Delivered()
    )


def test_gone_ends_the_receiver() -> None:
    """410 says that the receiver wants nothing any more, at the first try and at any other."""
    for tries in (0, 3, 50):
        assert (
            decide_delivery(ResponseReceived(410), tries=tries, refusals=0, age_seconds=0, chance=0)
            == ReceiverGone()
        )


@given(waits, st.integers(0, 100), refusal_counts, st.floats(0, DAY_SECONDS - 1), chances)
def test_a_receiver_that_may_heal_is_tried_for_a_day(
    outcome: SendOutcome, tries: int, refusals: int, age: float, chance: float
) -> None:
    """However many tries and refusals there were, there is another within the day, none after."""
    decision = decide_delivery(
        outcome, tries=tries, refusals=refusals, age_seconds=age, chance=chance
    )
    assert isinstance(decision, RetryDelivery)
    assert 0 < decision.after_seconds <= MAX_DELAY_SECONDS
    assert age + decision.after_seconds <= DAY_SECONDS + 0.001


@given(st.one_of(waits, st.sampled_from(REFUSALS)), chances)
def test_every_delivery_comes_to_an_end(outcome: SendOutcome, chance: float) -> None:
    """Followed through, a receiver that never takes it is given up, in fewer than 100 tries."""
    age, refusals = 0.0, 0
    for tries in range(100):
        decision = decide_delivery(
            outcome, tries=tries, refusals=refusals, age_seconds=age, chance=chance
        )
        if isinstance(decision, Poison):
            assert str(tries + 1) in decision.reason
            return
        assert isinstance(decision, RetryDelivery)
        age, refusals = age + decision.after_seconds, decision.refusals
    raise AssertionError("it never ends")


@given(waits, st.integers(0, 30), chances, chances)
def test_waits_grow_and_are_spread(
    outcome: SendOutcome, tries: int, chance: float, later: float
) -> None:
    """No wait is longer than any of two tries later; half of each is left to chance."""
    now = decide_delivery(outcome, tries=tries, refusals=0, age_seconds=0, chance=chance)
    then = decide_delivery(outcome, tries=tries + 1, refusals=0, age_seconds=0, chance=later)
    most = decide_delivery(outcome, tries=tries, refusals=0, age_seconds=0, chance=1)
    assert isinstance(now, RetryDelivery)
    assert isinstance(then, RetryDelivery)
    assert isinstance(most, RetryDelivery)
    assert now.after_seconds <= then.after_seconds or then.after_seconds >= (MAX_DELAY_SECONDS / 2)
    assert most.after_seconds / 2 <= now.after_seconds <= most.after_seconds


@given(st.sampled_from([429, 503]), st.floats(0, DAY_SECONDS), st.integers(0, 100))
def test_the_receivers_own_advice_is_kept(status: int, seconds: float, tries: int) -> None:
    """A Retry-After is waited for, at least a second, up to the end of the day."""
    decision = decide_delivery(
        ResponseReceived(status, retry_after=seconds),
        tries=tries,
        refusals=0,
        age_seconds=0,
        chance=0.5,
    )
    assert isinstance(decision, RetryDelivery)
    assert decision.after_seconds == max(1.0, seconds)


def test_advice_past_the_day_still_has_a_last_try() -> None:
    """A Retry-After of a week is cut to what is left of the day."""
    week = ResponseReceived(503, retry_after=7 * DAY_SECONDS)
    decision = decide_delivery(week, tries=0, refusals=0, age_seconds=DAY_SECONDS - 60, chance=0.5)
    assert isinstance(decision, RetryDelivery)
    assert decision.after_seconds == 60
    after = decide_delivery(week, tries=1, refusals=0, age_seconds=DAY_SECONDS, chance=0.5)
    assert isinstance(after, Poison)
    assert "503" in after.reason


@pytest.mark.parametrize("outcome", REFUSALS)
def test_what_is_not_followed_or_called_is_given_up_after_a_few_tries(outcome: SendOutcome) -> None:
    """Redirects and addresses that are not called are tried four times in a row and no more."""
    assert list(followed([outcome] * 10)) == [RetryDelivery] * (MAX_REFUSALS - 1) + [Poison]


def test_refusals_are_counted_apart_from_other_tries() -> None:
    """A redirect after three times 503 is the first of its kind, and not the last try."""
    outcomes = [ResponseReceived(503)] * 3 + [ResponseReceived(302)] * 3 + [ResponseReceived(200)]
    assert list(followed(outcomes)) == [RetryDelivery] * 6 + [Delivered]


def test_a_receiver_that_answers_in_between_is_not_refused_in_a_row() -> None:
    """Another answer starts the count of refusals anew."""
    outcomes = [
        ResponseReceived(302),
        ResponseReceived(302),
        ResponseReceived(302),
        ResponseReceived(404),
    ] * 3 + [ResponseReceived(200)]
    assert list(followed(outcomes)) == [RetryDelivery] * 12 + [Delivered]


def followed(outcomes: Iterable[SendOutcome]) -> Iterator[type[DeliveryDecision]]:
    """What is decided after each try, until a decision ends the delivery."""
    refusals = 0
    for tries, outcome in enumerate(outcomes):
        decision = decide_delivery(outcome, tries=tries, refusals=refusals, age_seconds=0, chance=0)
        yield type(decision)
        if not isinstance(decision, RetryDelivery):
            return
        refusals = decision.refusals
