"""The arithmetic of the shared rate by itself: what windows hold, how long anybody waits."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entra_sod.adapters.rate_limit.gcra import (
    MAX_IN_BATCH,
    MAX_LINE,
    MAX_PAUSE,
    MAX_RETRY_AFTER,
    MAX_SILENCE_IN_PLACE,
    MAX_SKEW,
    MAX_WAIT,
    MIN_PAUSE,
    MIN_RATE,
    RateState,
    Turn,
    fresh,
    later,
    max_batch,
    moved,
    reserve,
    throttled,
)
from entra_sod.core.errors import ConcurrencyLimited, ThrottledLocally
from entra_sod.ports.rate_limit import Priority

NOW = 1_000_000.0
HIGH, LOW, NEW = Priority.HIGH, Priority.LOW, Priority.NEW
CEILINGS = st.sampled_from([1, 7, 20, 50, 100, 1000, 130_000])


def new(ceiling: int = 100) -> RateState:
    return fresh(ceiling, NOW)


def most_in_ten_seconds(sent: list[tuple[float, int]]) -> int:
    return max(
        (sum(count for moment, count in sent if end - 10 < moment <= end) for end, _ in sent),
        default=0,
    )


@given(
    wishes=st.lists(
        st.tuples(st.floats(0, 3), st.sampled_from([1, 2, 7, 20]), st.sampled_from([HIGH, LOW])),
        max_size=60,
    ),
    ceiling=st.sampled_from([20, 100, 1000]),
)
def test_no_window_gets_more_than_the_ceiling_and_a_batch(
    wishes: list[tuple[float, int, Priority]], ceiling: int
) -> None:
    """However checks and sweeps mix, if those who wait hear of what put the line back.

    A second batch, if checks send whole batches, too.
    """
    batches = 2 if any(of == 20 and who is HIGH for _, of, who in wishes) else 1
    state = new(ceiling)
    waiting, sent = list[tuple[Turn, int]](), list[tuple[float, int]]()
    for pause, requests, priority in wishes:
        now = state.at + pause
        sent += [(turn.start, count) for turn, count in waiting if turn.start <= now]
        waiting = [(turn, count) for turn, count in waiting if turn.start > now]
        count = min(requests, max_batch(ceiling))
        state, turn = reserve(later(state, now, ceiling), priority, count)
        waiting = [(moved(each, state), of) for each, of in waiting] + [(turn, count)]
    sent += [(turn.start, count) for turn, count in waiting]
    assert most_in_ten_seconds(sent) <= ceiling + batches * MAX_IN_BATCH


@pytest.mark.parametrize("ceiling", [10, 20, 30, 50, 60, 70, 100])
def test_batches_alone_leave_no_window_over_the_ceiling(ceiling: int) -> None:
    """Full batches, one after the other, and 90 % of the rate is used."""
    state, size = new(ceiling), max_batch(ceiling)
    sent: list[tuple[float, int]] = []
    for _ in range(60):
        state, turn = reserve(state, LOW, size)
        sent.append((turn.start, size))
        state = later(state, turn.start, ceiling)
    assert most_in_ten_seconds(sent) <= ceiling
    assert size * 59 / (sent[-1][0] - sent[0][0]) >= 0.09 * ceiling


def test_a_check_goes_at_once_and_puts_the_line_back() -> None:
    """Those who have a cell send later, by as long as the check's requests take."""
    state, first = reserve(new(), LOW, 20)
    state, second = reserve(state, LOW, 20)
    state, check = reserve(state, HIGH, 7)
    assert (first.start, check.start) == (NOW, NOW)
    assert moved(second, state).start == pytest.approx(second.start + 7 * 0.102)
    state, third = reserve(state, LOW, 20)
    assert third.start == pytest.approx(moved(second, state).start + 20 * 0.102 / 0.95)


def test_checks_do_not_pass_the_rate_by_more_than_three() -> None:
    """A flood of them is spread, and who would wait for a minute is told to come back."""
    state, starts = new(), list[float]()
    while state.checks_arrival < NOW + MAX_WAIT[HIGH] + 2 * 0.102:
        state, turn = reserve(state, HIGH, 1)
        starts.append(turn.start)
    with pytest.raises(ConcurrencyLimited) as refused:
        reserve(state, HIGH, 1)
    assert sum(start <= NOW + 0.001 for start in starts) == 3
    assert most_in_ten_seconds([(start, 1) for start in starts]) <= 100 + 3
    assert max(starts) <= NOW + MAX_WAIT[HIGH]
    assert 5 <= (refused.value.retry_after or 0) <= 15


def test_new_work_begins_only_while_the_line_is_short() -> None:
    """What has begun waits in a line of any length, up to a quarter of an hour."""
    state = msgspec.structs.replace(new(), arrival=NOW + MAX_WAIT[NEW] - 0.1)
    state, _ = reserve(state, NEW, 20)
    with pytest.raises(ConcurrencyLimited):
        reserve(state, NEW, 1)
    state, begun = reserve(state, LOW, 20)
    assert begun.start > NOW + MAX_WAIT[NEW]
    with pytest.raises(ConcurrencyLimited):
        reserve(msgspec.structs.replace(state, arrival=NOW + 901), LOW, 1)


def test_nobody_sends_while_graph_asks_for_silence() -> None:
    """Neither who comes then nor who has a turn; and those keep their distances."""
    state, _ = reserve(new(), LOW, 20)
    state, second = reserve(state, LOW, 20)
    state, third = reserve(state, LOW, 20)
    state = throttled(state, 7)
    assert reserve(state, HIGH, 1)[1].start == NOW + 7
    assert moved(second, state).start == pytest.approx(second.start + 7)
    assert moved(third, state).start == pytest.approx(third.start + 7)
    assert reserve(state, LOW, 1)[1].start > moved(third, state).start


@pytest.mark.parametrize("priority", [HIGH, NEW])
def test_a_long_silence_is_waited_out_by_what_has_begun_alone(priority: Priority) -> None:
    """Others are told how long it lasts, so that their message comes back after it."""
    state = throttled(new(), MAX_SILENCE_IN_PLACE + 20)
    with pytest.raises(ThrottledLocally) as refused:
        reserve(state, priority, 1)
    assert refused.value.retry_after == MAX_SILENCE_IN_PLACE + 20
    assert reserve(state, LOW, 1)[1].start == NOW + MAX_SILENCE_IN_PLACE + 20


def test_a_shorter_silence_does_not_end_a_longer_one() -> None:
    """Of several Retry-Afters the latest moment counts."""
    assert throttled(throttled(new(), 30), 1).silent_until == NOW + 30


def test_silence_that_graph_does_not_measure_is_doubled() -> None:
    """Without Retry-After each storm in a row doubles the silence; a calm one starts anew."""
    state, pauses = new(), list[float]()
    for _ in range(7):
        state = throttled(throttled(state, None), None)
        pauses.append(state.silent_until - state.at)
        state = later(state, state.silent_until, 100)
    assert pauses == [2, 4, 8, 16, 32, 60, 60]
    calm = later(state, state.at + 11, 100)
    assert throttled(calm, None).silent_until == calm.at + MIN_PAUSE


def test_after_429_the_rate_goes_down_and_comes_back() -> None:
    """It is cut at once, rises by a twentieth in ten seconds, and never above the ceiling."""
    state = throttled(new(), 1)
    rates = [later(state, NOW + 1 + 10 * step, 100).rate for step in range(5)]
    assert rates == pytest.approx([90, 95, 100, 100, 100])


def test_429s_that_belong_together_count_once() -> None:
    """Twenty refusals in a window cut the rate once; those after it cut it again."""
    state = new()
    for number in range(20):
        state = throttled(later(state, NOW + number / 100, 100), 1)
    assert state.rate == pytest.approx(90)
    assert throttled(msgspec.structs.replace(state, at=NOW + 11), 1).rate == pytest.approx(81)


@given(
    gaps=st.lists(st.tuples(st.floats(0, 30), st.none() | st.floats(0, 1e6)), max_size=50),
    ceiling=CEILINGS,
)
def test_the_rate_stays_within_its_bounds(
    gaps: list[tuple[float, float | None]], ceiling: int
) -> None:
    """Whatever Graph says, the rate neither dies nor grows, and silence lasts a day at most."""
    state = new(ceiling)
    for gap, retry_after in gaps:
        state = throttled(later(state, state.at + gap, ceiling), retry_after)
        assert max(1, MIN_RATE * ceiling) <= state.rate <= ceiling
        assert state.pause <= MAX_PAUSE
        assert state.silent_until <= state.at + MAX_RETRY_AFTER
    assert later(state, state.at + 200_000, ceiling).rate == ceiling


MOMENTS = st.floats(-1e12, 1e12) | st.floats(NOW - 100, NOW + 2000)


@given(
    state=st.builds(
        RateState,
        at=MOMENTS,
        ceiling=st.integers(1, 10**9),
        rate=st.floats(1e-9, 1e12),
        arrival=MOMENTS,
        checks_arrival=MOMENTS,
        put_back=MOMENTS,
        silent_until=MOMENTS,
        pause=MOMENTS,
        cut_at=MOMENTS,
    ),
    turn=st.builds(Turn, st.just(LOW), st.floats(NOW, NOW + 900), MOMENTS),
    ceiling=CEILINGS,
)
def test_no_row_stops_everybody_for_ever(state: RateState, turn: Turn, ceiling: int) -> None:
    """Either it is not believed, or everybody has a turn within a day and twenty minutes."""
    try:
        state = later(state, NOW, ceiling)
    except ValueError:
        return
    assert max(1, MIN_RATE * ceiling) <= state.rate <= ceiling
    latest = NOW + MAX_SKEW + MAX_RETRY_AFTER + MAX_LINE
    assert moved(turn, state).start <= latest
    calm = later(state, latest, ceiling)
    for priority in Priority:
        assert reserve(calm, priority, 1)[1].start == latest
    assert throttled(calm, None).pause <= MAX_PAUSE


@pytest.mark.parametrize(
    "ahead",
    [
        {"at": MAX_SKEW + 1},
        {"cut_at": MAX_SKEW + 1},
        {"arrival": MAX_LINE + MAX_SKEW + 1},
        {"checks_arrival": MAX_LINE + MAX_SKEW + 1},
        {"silent_until": MAX_RETRY_AFTER + MAX_SKEW + 1},
    ],
)
def test_what_a_wrong_clock_wrote_is_not_believed(ahead: dict[str, float]) -> None:
    """Each moment of a row has a bound by our own clock."""
    (name, seconds) = next(iter(ahead.items()))
    written = msgspec.structs.replace(new(), **{name: NOW + seconds})
    with pytest.raises(ValueError, match="future"):
        later(written, NOW, 100)
    assert later(written, NOW + 2, 100).at == NOW + 2


def test_another_setting_counts_at_once_and_rises_slowly() -> None:
    """A lower ceiling cuts the rate; to a higher one it rises as after a 429."""
    assert later(new(1000), NOW, 100).rate == 100
    assert later(new(100), NOW, 1000).rate == 100
    assert later(new(100), NOW + 10, 1000).rate == pytest.approx(150)


@pytest.mark.parametrize(
    ("ceiling", "size"), [(1, 1), (7, 2), (20, 4), (50, 10), (100, 20), (9999, 20)]
)
def test_a_batch_is_a_fifth_of_the_rate_at_most(ceiling: int, size: int) -> None:
    """Five batches or more make up ten seconds, and Graph takes twenty requests in one."""
    assert max_batch(ceiling) == size
