"""The arithmetic of the shared rate by itself: what windows hold, how long a caller waits."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entra_sod.adapters.rate_limit.gcra import (
    COMMITTED,
    MAX_LINE,
    MAX_RETRY_AFTER,
    MAX_SKEW,
    MIN_RATE,
    SPAN,
    WINDOW,
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
from entra_sod.ports.rate_limit import MAX_SILENCE_IN_PLACE, MAX_WAIT, Priority

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
def test_no_window_gets_more_than_the_ceiling(
    wishes: list[tuple[float, int, Priority]], ceiling: int
) -> None:
    """However checks and sweeps mix. A sender looks once more when its turn is committed."""
    state = new(ceiling)
    waiting, sent = list[tuple[Turn, int]](), list[tuple[float, int]]()
    for pause, requests, priority in wishes:
        now = state.at + pause
        sent += [(turn.start, count) for turn, count in waiting if turn.start <= now]
        waiting = [(turn, count) for turn, count in waiting if turn.start > now]
        count = min(requests, max_batch(ceiling))
        state, turn = reserve(later(state, now, ceiling), priority, count)
        waiting = [(looked(each, state), of) for each, of in waiting] + [(turn, count)]
    sent += [(turn.start, count) for turn, count in waiting]
    assert most_in_ten_seconds(sent) <= ceiling


def looked(turn: Turn, state: RateState) -> Turn:
    """The turn of a sender that does not look again within a second of its start."""
    if turn.start <= state.at + COMMITTED:
        return turn
    found = moved(turn, state)
    assert found is not None
    return found


@pytest.mark.parametrize("ceiling", [20, 30, 50, 60, 70, 100, 200, 500])
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


def test_a_check_goes_at_once_and_delays_the_queue() -> None:
    """Batches that do not start within a second start when the window has room for both."""
    state, turns = new(), list[Turn]()
    for _ in range(12):
        state, turn = reserve(state, LOW, 10)
        turns.append(turn)
    state, check = reserve(state, HIGH, 7)
    assert check.start == NOW
    starts = [found.start for turn in turns if (found := moved(turn, state))]
    assert starts[9:11] == pytest.approx([NOW + SPAN, NOW + SPAN + 10 * SPAN / 100])
    assert turns[9].start == pytest.approx(NOW + 9 * 10 * SPAN / 100)


def test_a_check_waits_for_the_room_of_a_batch_that_leaves() -> None:
    """A window that is full lets a check wait until its oldest requests have left it."""
    state = msgspec.structs.replace(new(), log=((NOW - 9, 12), (NOW - 8, 84), (NOW - 1, 4)))
    state, turn = reserve(state, HIGH, 12)
    assert turn.start == NOW - 9 + SPAN
    assert reserve(state, HIGH, 1)[1].start == NOW - 8 + SPAN


def test_a_check_does_not_overfill_the_window_of_a_batch_that_is_committed() -> None:
    """A batch that starts within a second is sent then, so the check starts behind it."""
    busy = msgspec.structs.replace(new(), log=((NOW - 9, 88),), queue=((NOW + 0.5, 12),))
    state, turn = reserve(busy, HIGH, 1)
    assert turn.start == NOW - 9 + SPAN
    assert moved(Turn(NOW + 0.5, 0), state) == Turn(NOW + 0.5, 0)


def test_a_flood_of_checks_is_spread() -> None:
    """No window has more than the rate, and who would wait for a minute is told to come back."""
    state, starts = new(), list[float]()
    for _ in range(600):
        state, turn = reserve(state, HIGH, 1)
        starts.append(turn.start)
    with pytest.raises(ConcurrencyLimited) as refused:
        reserve(state, HIGH, 1)
    assert sum(start == NOW for start in starts) == 100
    assert most_in_ten_seconds([(start, 1) for start in starts]) == 100
    assert max(starts) <= NOW + MAX_WAIT[HIGH]
    assert 5 <= (refused.value.retry_after or 0) <= 15


def test_new_work_begins_only_while_the_line_is_short() -> None:
    """What has begun waits in a line of any length, up to a quarter of an hour."""
    line = ((NOW + MAX_WAIT[NEW] - 1.3, 12),)
    state, _ = reserve(msgspec.structs.replace(new(), queue=line), NEW, 10)
    with pytest.raises(ConcurrencyLimited):
        reserve(state, NEW, 1)
    state, begun = reserve(state, LOW, 10)
    assert begun.start > NOW + MAX_WAIT[NEW]
    with pytest.raises(ConcurrencyLimited):
        reserve(msgspec.structs.replace(state, queue=((NOW + 900, 12),)), LOW, 1)


@given(
    steps=st.lists(
        st.tuples(st.floats(0, 2), st.integers(1, 20), st.sampled_from([HIGH, LOW])), max_size=300
    ),
    ceiling=CEILINGS,
)
def test_the_row_stays_short(steps: list[tuple[float, int, Priority]], ceiling: int) -> None:
    """The log keeps one window in a hundred steps, whatever the rate, beside those who wait."""
    state = new(ceiling)
    for pause, requests, priority in steps:
        state = later(state, state.at + pause, ceiling)
        assert sum(start <= state.at for start, _ in state.log) <= 102
        try:
            state, _ = reserve(state, priority, requests)
        except ConcurrencyLimited:
            continue
    assert later(state, state.at + 2 * MAX_WAIT[LOW], ceiling).log == ()


def test_no_request_is_sent_while_graph_asks_for_silence() -> None:
    """Neither who comes then nor who has a turn; and batches keep their distances."""
    state, turns = new(), list[Turn]()
    for _ in range(3):
        state, turn = reserve(state, LOW, 10)
        turns.append(turn)
    state, check = reserve(msgspec.structs.replace(state, log=((NOW - 9, 95),)), HIGH, 12)
    state = throttled(later(state, NOW + 0.1, 100), 7)
    assert moved(check, state) is None
    assert reserve(state, HIGH, 1)[1].start == NOW + 7.1
    starts = [found.start for turn in turns[1:] if (found := moved(turn, state))]
    assert starts == pytest.approx([NOW + 7.1, NOW + 7.1 + 10 * SPAN / state.rate])
    assert reserve(state, LOW, 1)[1].start > starts[1]


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


def test_silence_that_graph_does_not_measure_lasts_a_window() -> None:
    """Without Retry-After the window is empty afterwards, whatever Graph had counted."""
    assert throttled(new(), None).silent_until == NOW + WINDOW


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
        assert max(1, MIN_RATE * ceiling) <= later(state, state.at, ceiling).rate <= ceiling
        assert state.silent_until <= state.at + MAX_RETRY_AFTER
    assert later(state, state.at + 200_000, ceiling).rate == ceiling


MOMENTS = st.floats(-1e12, 1e12) | st.floats(NOW - 100, NOW + 2000)
CELLS = st.lists(st.tuples(MOMENTS, st.integers(1, 10**9)), max_size=9).map(tuple)


@given(
    state=st.builds(
        RateState,
        at=MOMENTS,
        rate=st.floats(1e-9, 1e12),
        log=CELLS,
        queue=CELLS,
        first=st.integers(-(10**9), 10**9),
        silent_until=MOMENTS,
        cut_at=MOMENTS,
    ),
    turn=st.builds(Turn, st.floats(NOW, NOW + 900), st.none() | st.integers(0, 10)),
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
    assert (moved(turn, state) or turn).start <= latest
    calm = later(state, latest + SPAN, ceiling)
    for priority in Priority:
        assert reserve(calm, priority, 1)[1].start == latest + SPAN


@pytest.mark.parametrize(
    "ahead",
    [
        {"at": NOW + MAX_SKEW + 1},
        {"cut_at": NOW + MAX_SKEW + 1},
        {"queue": ((NOW, 1), (NOW + MAX_RETRY_AFTER + MAX_LINE + MAX_SKEW + 1, 12))},
        {"log": ((NOW + MAX_RETRY_AFTER + MAX_LINE + MAX_SKEW + 1, 1),)},
        {"silent_until": NOW + MAX_RETRY_AFTER + MAX_SKEW + 1},
    ],
)
def test_what_a_wrong_clock_wrote_is_not_believed(ahead: dict[str, object]) -> None:
    """Each moment of a row has a bound by our own clock."""
    written = msgspec.structs.replace(new(), **ahead)
    with pytest.raises(ValueError, match="future"):
        later(written, NOW, 100)
    assert later(written, NOW + 2, 100).at == NOW + 2


def test_another_setting_counts_at_once_and_rises_slowly() -> None:
    """A lower ceiling cuts the rate; to a higher one it rises as after a 429."""
    assert later(new(1000), NOW, 100).rate == 100
    assert later(new(100), NOW, 1000).rate == 100
    assert later(new(100), NOW + 10, 1000).rate == pytest.approx(150)


@pytest.mark.parametrize(
    ("ceiling", "size"), [(1, 1), (7, 1), (20, 2), (100, 10), (199, 19), (9999, 20)]
)
def test_a_batch_is_a_tenth_of_the_rate_at_most(ceiling: int, size: int) -> None:
    """Until one leaves the window a check may have to wait; and Graph takes twenty in one."""
    assert max_batch(ceiling) == size
