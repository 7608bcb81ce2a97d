"""The schedule by itself: whatever the instances do, no window gets more than the ceiling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entra_sod.adapters.rate_limit.schedule import (
    AHEAD,
    FIRST_PAUSE,
    LOWEST,
    MOST_LEASES,
    SENT_GRACE,
    WINDOW,
    Lease,
    Schedule,
    Wait,
    Wish,
    fresh,
    refreshed,
    reserve,
    settled,
    slow_down,
)
from entra_sod.adapters.rate_limit.slots import Busy, most_parts
from entra_sod.ports.rate_limit import Urgency

NOW = 1_000_000.0
INTERACTIVE, BACKGROUND = Urgency.INTERACTIVE, Urgency.BACKGROUND


def new(ceiling: int = 100) -> Schedule:
    return fresh(ceiling, NOW)


def wish(requests: int, urgency: Urgency = BACKGROUND, *, most: int = 0, key: str = "a") -> Wish:
    most = most or requests
    return Wish(key=key, requests=requests, most=most, known=most, urgency=urgency)


def taken(schedule: Schedule, now: float, wanted: Wish) -> tuple[Schedule, tuple[Lease, ...]]:
    """Reserve what is there to be reserved."""
    schedule, leases = reserve(refreshed(schedule, now, int(schedule.rate)), now, wanted)
    assert not isinstance(leases, Wait)
    return schedule, leases


def used(schedule: Schedule, lease: Lease) -> Schedule:
    """Settle a lease that was used at its start, as it is while nobody is held up."""
    sent = Lease("", lease.start, lease.start + SENT_GRACE, lease.requests)
    return settled(schedule, {lease.key}, [sent])


def full(ceiling: int) -> Schedule:
    """All was given away in the last window, evenly, and the first of it comes back soon."""
    start, count = NOW - WINDOW + 0.3, ceiling // 10
    leases = tuple(Lease(f"full.{at}", start + at, start + at, count) for at in range(10))
    return msgspec.structs.replace(new(ceiling), leases=leases)


def most_in_ten_seconds(uses: Sequence[tuple[float, int]]) -> int:
    return max(
        (sum(count for moment, count in uses if end - 10 < moment <= end) for end, _ in uses),
        default=0,
    )


WISHES = st.lists(
    st.tuples(
        st.floats(0, 3),  # seconds since the wish before
        st.sampled_from([1, 2, 7, 20]),
        st.sampled_from([1, 8, 20, 60]),
        st.sampled_from(list(Urgency)),
        st.floats(0, 1),  # how late the turn is used, as a part of its time
        st.booleans(),  # whether it is settled at once
        st.floats(0, 1),  # how much of it is used, if so
    ),
    max_size=60,
)


@given(wishes=WISHES, ceiling=st.sampled_from([20, 100, 1000]))
def test_no_window_gets_more_than_the_ceiling(
    wishes: list[tuple[float, int, int, Urgency, float, bool, float]], ceiling: int
) -> None:
    """However instances interleave, and whenever a turn is used in its time, or none."""
    schedule, now = new(ceiling), NOW
    uses: list[tuple[float, int]] = []
    for number, (pause, requests, most, urgency, part, settles, share) in enumerate(wishes):
        now += pause
        schedule = refreshed(schedule, now, ceiling)
        wanted = wish(requests, urgency, most=min(most, ceiling // 5), key=str(number))
        schedule, leases = reserve(schedule, now, wanted)
        if isinstance(leases, Wait):
            continue
        for lease in leases:
            moment = lease.start + part * (lease.end - lease.start)
            count = round(share * lease.requests) if settles else lease.requests
            uses.append((moment, count))
            if settles:
                schedule = settled(schedule, {lease.key}, [Lease("", moment, moment, count)])
    assert most_in_ten_seconds(uses) <= ceiling


@given(
    rate=st.floats(1, 100),
    requests=st.sampled_from([1, 20]),
    held=st.lists(st.tuples(st.floats(-10, 10), st.integers(1, 20)), max_size=20),
    paced=st.floats(-10, 100),
)
def test_every_wish_is_granted_in_the_end(
    rate: float, requests: int, held: list[tuple[float, int]], paced: float
) -> None:
    """Whatever was given away before, asking again when told to ends in a turn."""
    leases = tuple(Lease("", NOW + at, NOW + at + 1, count) for at, count in sorted(held))
    schedule = Schedule(
        rate=rate, ceiling=100, raised_at=NOW, paced_until=NOW + paced, leases=leases
    )
    now = NOW
    for _ in range(3):
        schedule, outcome = reserve(refreshed(schedule, now, 100), now, wish(requests))
        if not isinstance(outcome, Wait):
            return
        assert now < outcome.until <= NOW + 400
        now = outcome.until
    raise AssertionError("never granted")


def test_batches_of_a_sweep_keep_an_even_pace() -> None:
    """At 100 requests per 10 s, batches of twenty go about two seconds apart, five to a window.

    Only at first, and behind a full window, one may be a second early.
    """
    schedule, now, starts = new(), NOW, list[float]()
    while len(starts) < 30:
        schedule, outcome = reserve(refreshed(schedule, now, 100), now, wish(20))
        if isinstance(outcome, Wait):
            now = outcome.until
            continue
        starts.append(outcome[0].start)
        schedule = used(schedule, outcome[0])
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    assert min(gaps) >= 1.0
    assert max(gaps) <= 3.3
    assert sum(1.9 <= gap <= 2.1 for gap in gaps) >= 0.6 * len(gaps)
    assert 20 * len(gaps) / (starts[-1] - starts[0]) >= 9.7


def test_background_work_takes_no_turn_far_ahead() -> None:
    """A sweep asks again shortly before its turn, so that a check need not queue behind it."""
    schedule, _ = taken(new(), NOW, wish(20))
    schedule, outcome = reserve(schedule, NOW, wish(20))
    assert isinstance(outcome, Wait)
    schedule, (lease,) = taken(schedule, outcome.until, wish(20))
    assert lease.start <= outcome.until + AHEAD + 0.001


@pytest.mark.parametrize(
    ("instances", "known", "taken_at_once"),
    [(1, 20, 200), (2, 150, 120), (4, 150, 60), (4, 40, 40), (4, 5, 25), (40, 20, 20)],
)
def test_several_instances_take_their_share_and_no_more_than_they_need(
    instances: int, known: int, taken_at_once: int
) -> None:
    """Together they take two seconds of the rate; what one could not use, others would wait for."""
    places = tuple(Busy(str(number), 1, NOW + 60) for number in range(instances))
    schedule = msgspec.structs.replace(new(1000), places=places, paced_until=NOW)
    wanted = replace(wish(20, most=200), known=known)
    _, leases = taken(schedule, NOW, wanted)
    assert sum(lease.requests for lease in leases) == taken_at_once
    assert max(lease.requests for lease in leases) <= 20


@pytest.mark.parametrize("instances", [1, 4, 40])
def test_the_line_is_as_long_however_many_stand_in_it(instances: int) -> None:
    """So that a check waits as long behind a full window beside one instance as beside many."""
    places = tuple(Busy(str(number), 1, NOW + 60) for number in range(instances))
    schedule = msgspec.structs.replace(full(1000), places=places, paced_until=NOW)
    outcome: tuple[Lease, ...] | Wait = ()
    while not isinstance(outcome, Wait):
        schedule, outcome = reserve(schedule, NOW, wish(20, most=200))
    _, (lease,) = taken(schedule, NOW, wish(1, INTERACTIVE, most=8))
    assert NOW + 0.7 <= lease.start <= NOW + 2.7


def test_a_check_goes_before_turns_that_were_given_ahead() -> None:
    """Where their windows have room for it, it does not queue behind them."""
    schedule = msgspec.structs.replace(new(), paced_until=NOW + 0.4)
    schedule, (ahead,) = taken(schedule, NOW, wish(20))
    assert ahead.start > NOW
    _, (lease,) = taken(schedule, NOW, wish(1, INTERACTIVE, most=8))
    assert lease.start == NOW


def test_what_a_later_window_has_no_room_for_is_not_sent_before_it() -> None:
    """The turns that were given ahead are good, whoever comes after them."""
    held = (Lease("", NOW - 9, NOW - 9, 70), Lease("a", NOW + 0.5, NOW + 1.5, 30))
    schedule = msgspec.structs.replace(new(), leases=held)
    _, (lease,) = taken(schedule, NOW, wish(1, INTERACTIVE))
    assert lease.start == pytest.approx(NOW - 9 + WINDOW)


def test_what_is_left_of_a_window_goes_to_who_needs_no_more() -> None:
    """A batch waits for room for all that is known to be wanted, and one page for that of one."""
    schedule = msgspec.structs.replace(new(), leases=(Lease("", NOW - 1, NOW - 1, 93),))
    _, outcome = reserve(schedule, NOW, wish(20))
    assert isinstance(outcome, Wait)
    assert outcome.until > NOW + 5
    _, (lease,) = taken(schedule, NOW, replace(wish(20), known=1))
    assert (lease.start, lease.requests) == (NOW, 7)


def test_an_interactive_wish_waits_for_one_batch_at_most() -> None:
    """In the middle of a sweep that uses the whole rate, a check's turns are near."""
    schedule, now = new(), NOW
    while now < NOW + 30:
        schedule, outcome = reserve(refreshed(schedule, now, 100), now, wish(20))
        if isinstance(outcome, Wait):
            now = outcome.until
            continue
        now, schedule = outcome[0].start, used(schedule, outcome[0])
    _, (lease,) = taken(schedule, now, wish(1, INTERACTIVE, most=8))
    assert lease.start <= now + 2.6
    assert lease.requests == 8


def test_interactive_wishes_may_use_idle_time() -> None:
    """Where nobody sent anything, checks go at once and are not spread over the seconds."""
    schedule = new()
    for number in range(12):
        wanted = wish(1, INTERACTIVE, most=8, key=str(number))
        schedule, (lease,) = taken(schedule, NOW, wanted)
        assert lease.start == NOW
    _, (lease,) = taken(schedule, NOW, wish(1, INTERACTIVE, most=8))
    assert lease.start > NOW + 10


def test_what_was_not_used_is_given_back() -> None:
    """A lease that is settled frees what was not sent, and counts the rest from when it was."""
    schedule, (lease,) = taken(new(20), NOW, wish(1, INTERACTIVE, most=20))
    _, (late,) = taken(schedule, NOW + 3, wish(1, INTERACTIVE))
    assert late.start >= lease.end + 10
    schedule = settled(schedule, {lease.key}, [Lease("", NOW, NOW, 5)])
    _, (early,) = taken(schedule, NOW + 3, wish(1, INTERACTIVE))
    assert early.start == NOW + 3


def test_what_was_not_used_does_not_count_as_pace() -> None:
    """The next in line goes when the first one would have gone on, not after a pause."""
    schedule = msgspec.structs.replace(new(), paced_until=NOW)
    schedule, (lease,) = taken(schedule, NOW, wish(20))
    assert schedule.paced_until == NOW + 2
    schedule = settled(schedule, {lease.key}, [Lease("", NOW, NOW, 5)])
    _, (after,) = taken(schedule, NOW, wish(20))
    assert after.start == NOW + 0.5


def test_turns_that_come_back_are_used_before_later_ones() -> None:
    """Those that are given ahead lie behind a full window; what comes back is there before."""
    schedule = msgspec.structs.replace(full(100), paced_until=NOW - 2)
    unused = schedule.leases[-1]
    schedule, (ahead,) = taken(schedule, NOW, wish(10))
    assert ahead.start > NOW
    schedule = settled(schedule, {unused.key}, [])
    _, (lease,) = taken(schedule, NOW, wish(10, key="b"))
    assert lease.start == NOW


def test_waiting_for_a_window_is_no_pause() -> None:
    """Behind a full window the pace goes on from where it was, so that all of the rate is used."""
    schedule = msgspec.structs.replace(full(100), paced_until=NOW - 0.5)
    schedule, (lease,) = taken(schedule, NOW, wish(10))
    assert lease.start > NOW
    assert schedule.paced_until == pytest.approx(NOW + 0.5)


def test_after_429_the_rate_goes_down_and_comes_back() -> None:
    """It is cut at once, comes back step by step, and never above where it started."""
    schedule = slow_down(new(), NOW, 1)
    assert schedule.rate == 80
    rates = [refreshed(schedule, NOW + 1 + 10 * step, 100).rate for step in range(9)]
    assert rates == pytest.approx([80, 85, 90, 95, 100, 100, 100, 100, 100])


@given(
    gaps=st.lists(st.tuples(st.floats(0, 30), st.none() | st.floats(0, 1e6)), max_size=50),
    ceiling=st.sampled_from([1, 100, 130_000]),
)
def test_the_rate_stays_within_its_bounds(
    gaps: list[tuple[float, float | None]], ceiling: int
) -> None:
    """Whatever Graph says, the rate neither dies nor grows, and silence lasts a day at most."""
    schedule, now = new(ceiling), NOW
    for gap, retry_after in gaps:
        now += gap
        schedule = slow_down(refreshed(schedule, now, ceiling), now, retry_after)
        assert max(1, LOWEST * ceiling) <= schedule.rate <= ceiling
        assert schedule.blocked_until <= now + 86_400
    assert refreshed(schedule, now + 100_000, ceiling).rate == ceiling


def test_429s_that_belong_together_count_once() -> None:
    """Twenty refusals in one batch cut the rate once; those after ten seconds cut it again."""
    schedule = new()
    for number in range(20):
        schedule = slow_down(schedule, NOW + number / 100, 1)
    assert schedule.rate == 80
    assert slow_down(schedule, NOW + 11, 1).rate == pytest.approx(64)


def test_nobody_sends_while_graph_asks_for_silence() -> None:
    """No turn begins before the end of what Retry-After said, whoever asks."""
    schedule = slow_down(new(), NOW, 7)
    _, (lease,) = taken(schedule, NOW, wish(1, INTERACTIVE))
    assert lease.start == NOW + 7
    _, outcome = reserve(schedule, NOW, wish(20))
    assert outcome == Wait(NOW + 7 - AHEAD)


def test_a_shorter_silence_does_not_end_a_longer_one() -> None:
    """Of several Retry-Afters the latest moment counts."""
    schedule = slow_down(slow_down(new(), NOW, 30), NOW, 1)
    assert schedule.blocked_until == NOW + 30


def test_silence_that_graph_does_not_measure_is_doubled() -> None:
    """Without Retry-After each storm in a row doubles the silence; a calm one starts anew."""
    schedule, now, pauses = new(), NOW, list[float]()
    for _ in range(7):
        schedule = slow_down(schedule, now, None)
        schedule = slow_down(schedule, now, None)
        pauses.append(schedule.blocked_until - now)
        now = schedule.blocked_until
    assert pauses == [2, 4, 8, 16, 32, 60, 60]
    assert slow_down(schedule, now + 11, None).blocked_until == now + 11 + FIRST_PAUSE


def test_a_clock_that_jumped_holds_nobody_up() -> None:
    """Turns, silence and cuts that lie absurdly far ahead are not believed."""
    far = NOW + 1e9
    absurd = Schedule(
        rate=50,
        ceiling=100,
        paced_until=far,
        blocked_until=far,
        slowed_at=far,
        raised_at=far,
        leases=(Lease("", far, far + 1, 50),),
    )
    schedule = refreshed(absurd, NOW, 100)
    _, (lease,) = taken(schedule, NOW, wish(20))
    assert lease.start == NOW
    assert refreshed(schedule, NOW + 1000, 100).rate == 100
    assert slow_down(schedule, NOW + 20, 1).rate < 50


@pytest.mark.parametrize("ahead", [60, 3_600, 21_600])
def test_a_silence_that_a_wrong_clock_noted_is_not_kept(ahead: float) -> None:
    """A 429 that lies in the future holds nobody up, though its silence would be short enough."""
    noted = slow_down(new(), NOW + ahead, 5)
    assert refreshed(noted, NOW, 100).blocked_until == NOW
    assert refreshed(slow_down(new(), NOW, 3_600), NOW + 1, 100).blocked_until == NOW + 3_600


def test_another_setting_counts_at_once() -> None:
    """A schedule that was made under another ceiling follows the new one, as does a cut rate."""
    assert refreshed(new(1000), NOW, 100).rate == 100
    assert refreshed(slow_down(new(100), NOW, 1), NOW, 1000).rate == pytest.approx(800)


def test_a_long_schedule_is_joined_and_counts_no_less() -> None:
    """Very many leases fit the row, beside the places, and still are as many requests."""
    leases = tuple(Lease("x" * 13, NOW + n / 1000, NOW + 1, 1) for n in range(5000))
    schedule = refreshed(
        Schedule(rate=130_000, ceiling=130_000, raised_at=NOW, leases=leases), NOW, 130_000
    )
    places = tuple(Busy("x" * 8, 1, NOW + 0.123) for _ in range(most_parts(130_000)))
    schedule = msgspec.structs.replace(schedule, places=places)
    assert len(schedule.leases) <= MOST_LEASES
    assert sum(lease.requests for lease in schedule.leases) == 5000
    assert len(msgspec.json.encode(schedule)) < 32_000


def test_a_lease_is_forgotten_when_its_window_is_over() -> None:
    """The schedule does not grow with time."""
    schedule, (lease,) = taken(new(), NOW, wish(20))
    assert refreshed(schedule, lease.end + WINDOW - 0.01, 100).leases == (lease,)
    assert refreshed(schedule, lease.end + WINDOW, 100).leases == ()
