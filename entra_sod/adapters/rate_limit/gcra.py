"""When a request may be sent: the generic cell rate algorithm (GCRA) and a log of a window. Pure.

The batches of sweeps queue. Each starts when its predecessor's requests have taken their time at
the rate, and when the window has room for it. A check does not queue: it starts as soon as there is
room, and the queue is placed behind it. No window holds more requests than the rate.

Points in time are seconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, groupby
from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec.structs import replace

from entra_sod.core.errors import ConcurrencyLimited, ThrottledLocally
from entra_sod.ports.rate_limit import MAX_SILENCE_IN_PLACE, MAX_WAIT, Priority

WINDOW = 10.0  # seconds: Graph counts requests per window of this length
SPAN = WINDOW + 0.2  # the network delays of two requests may differ by so much
MAX_IN_BATCH = 20  # Graph accepts at most this many requests in one $batch
MIN_BATCHES = 10  # per window: a check may have to wait until one batch leaves the window

RATE_CUT = 0.9  # factor, applied at most once per window in which Graph answers 429
RATE_RISE, MIN_RATE = 0.05, 0.05  # of the ceiling: rise per window without a 429; minimum rate
COME_BACK, COME_BACK_SPREAD = 5.0, 10.0  # seconds, for those who would wait too long
NOT_PLACED = float("-inf")  # start of a batch that has none yet
COMMITTED = 1.0  # before its start a batch is no longer delayed: its sender may not look again

# Seconds ahead of this instance's clock: a larger value comes from a wrong clock.
MAX_SKEW, MAX_RETRY_AFTER, MAX_LINE = 5.0, 86_400.0, 1_200.0

type Cell = tuple[float, Annotated[int, msgspec.Meta(ge=1)]]  # start, requests
type Cells = Annotated[tuple[Cell, ...], msgspec.Meta(max_length=2000)]


class RateState(msgspec.Struct, frozen=True, kw_only=True):
    """The state that all instances share, at one point in time."""

    version: Literal[2] = 2  # of this format
    at: float  # when the state was written, by the writer's clock
    rate: Annotated[float, msgspec.Meta(gt=0)]  # current rate: requests per 10 s
    log: Cells = ()  # what was sent in the last window, and the checks that have a turn
    queue: Cells = ()  # the batches of sweeps that have not started
    first: int = 0  # number of the queue's first batch, counted since the row was written anew
    silent_until: float = 0.0  # no request is sent before this time, because Graph answered 429
    cut_at: float = 0.0  # when the rate was last reduced


class Turn(NamedTuple):
    """Permission to send at `start`; `number` is that of a batch in the queue."""

    start: float
    number: int | None = None


def fresh(ceiling: int, now: float) -> RateState:
    return RateState(at=now, rate=ceiling)


def max_batch(ceiling: int) -> int:
    return min(MAX_IN_BATCH, max(1, ceiling // MIN_BATCHES))


def later(state: RateState, now: float, ceiling: int) -> RateState:
    """Return the state at `now`. Raises ValueError if the writer's clock was wrong."""
    ends = (start - MAX_LINE for start, _ in (*state.log, *state.queue))
    silence_began = max((state.silent_until, *ends)) - MAX_RETRY_AFTER
    if max(state.at, state.cut_at, silence_began) > now + MAX_SKEW:
        raise ValueError("it lies in the future")
    calm = max(0.0, now - max(state.at, state.silent_until))
    risen = min(ceiling, state.rate + RATE_RISE * ceiling * calm / WINDOW)
    rate = max(1.0, MIN_RATE * ceiling, risen)
    left = sum(start <= now for start, _ in state.queue)  # the queue for the log
    log, first = _logged(now, (*state.log, *state.queue[:left])), state.first + left
    return replace(state, at=now, rate=rate, log=log, queue=state.queue[left:], first=first)


def _logged(now: float, cells: Sequence[Cell]) -> tuple[Cell, ...]:
    """Return what a window may still hold, in order. A hundredth of it is one cell."""
    kept = sorted(cell for cell in cells if cell[0] > now - SPAN)
    steps = (list(step) for _, step in groupby(kept, lambda cell: cell[0] // (SPAN / 100)))
    return tuple((step[-1][0], sum(requests for _, requests in step)) for step in steps)


def silence(state: RateState, priority: Priority) -> float:
    """Return the seconds of silence left. Raises ThrottledLocally if that is too long to wait."""
    left = max(0.0, state.silent_until - state.at)
    if left > (MAX_WAIT[priority] if priority is Priority.LOW else MAX_SILENCE_IN_PLACE):
        raise ThrottledLocally("Graph asked for silence, which is kept", retry_after=left)
    return left


def reserve(state: RateState, priority: Priority, requests: int) -> tuple[RateState, Turn]:
    """Give a turn to one batch. Raises ConcurrencyLimited if it would have to wait too long."""
    earliest = state.at + silence(state, priority)
    if priority is Priority.HIGH:
        turn = Turn(_start_of_check(state, earliest, requests))
        log = tuple(sorted((*state.log, (turn.start, requests))))
        after = _queued_anew(replace(state, log=log))
    else:
        after = _queued_anew(replace(state, queue=(*state.queue, (NOT_PLACED, requests))))
        turn = Turn(after.queue[-1][0], state.first + len(state.queue))
    if turn.start - state.at > MAX_WAIT[priority]:
        # The fraction of the current second spreads the retries of different callers.
        back = COME_BACK + COME_BACK_SPREAD * (state.at % 1.0)
        raise ConcurrencyLimited("too many wait for Graph's rate", retry_after=back)
    return after, turn


def _start_of_check(state: RateState, earliest: float, requests: int) -> float:
    """Return `earliest` if each window around it has room, otherwise a time behind the others."""
    committed = (cell for cell in state.queue if cell[0] <= state.at + COMMITTED)
    cells = sorted((*state.log, *committed))
    room = max(0.0, state.rate - requests)
    ends = [earliest, *(start for start, _ in cells if start > earliest)]
    held = (sum(of for start, of in cells if end - SPAN < start <= end) for end in ends)
    if ends[-1] <= earliest + COMMITTED and all(count <= room for count in held):
        return earliest
    return max(earliest, _start_behind(cells, room, 0.0))


def _queued_anew(state: RateState) -> RateState:
    """Place the queue behind the checks and the silence. No batch starts earlier than before."""
    cells, queue = list(state.log), list[Cell]()
    for start, requests in state.queue:
        behind = _start_behind(cells, state.rate - requests, SPAN / state.rate)
        is_committed = state.silent_until <= start <= state.at + COMMITTED
        placed = start if is_committed else max(start, state.at, state.silent_until, behind)
        queue.append((placed, requests))
        cells = sorted((*cells, queue[-1]))
    return replace(state, queue=tuple(queue))


def _start_behind(cells: Sequence[Cell], room: float, pace: float) -> float:
    """Return when each of these requests had `pace`, and a window holds at most `room` of them."""
    paced = max((start + count * pace for start, count in cells), default=0.0)
    totals = zip(reversed(cells), accumulate(count for _, count in reversed(cells)), strict=True)
    return max(paced, next((start + SPAN for (start, _), total in totals if total > room), 0.0))


def moved(turn: Turn, state: RateState) -> Turn | None:
    """Return the turn as the state has it now, or None if a silence has ended it."""
    place = -1 if turn.number is None else turn.number - state.first
    if 0 <= place < len(state.queue):
        return Turn(state.queue[place][0], turn.number)
    return None if state.silent_until > max(state.at, turn.start) else turn


def throttled(state: RateState, retry_after: float | None) -> RateState:
    """Return the state after a 429. Checks that have a turn in the silence ask again."""
    if state.at >= state.cut_at + WINDOW:
        state = replace(state, rate=RATE_CUT * state.rate, cut_at=state.at)
    pause = WINDOW if retry_after is None else min(retry_after, MAX_RETRY_AFTER)
    until = max(state.silent_until, state.at + pause)
    log = tuple(cell for cell in state.log if not state.at < cell[0] < until)
    return _queued_anew(replace(state, log=log, silent_until=until))
