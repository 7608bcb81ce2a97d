"""When a request may be sent: the generic cell rate algorithm (GCRA). Pure.

The queue of a sweep's batches ends at the theoretical arrival time (TAT). Each new batch gets the
TAT as its start, and moves the TAT by the seconds that its requests take at the rate. A check does
not queue: it is sent at once while checks keep to the rate. A check or a silence delays the queue,
and `put_back` is the sum of these delays. A batch that already has a turn starts that much later.

Points in time are seconds since the epoch.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Annotated, Literal

import msgspec

from entra_sod.core.errors import ConcurrencyLimited, ThrottledLocally
from entra_sod.ports.rate_limit import Priority

WINDOW = 10.0  # seconds: Graph counts requests per window of this length
TRAVEL = 0.2  # seconds by which the network delays of two requests may differ
SWEEPS_SHARE = 0.95  # of the rate: the rest is reserved for checks
CHECKS_AHEAD = 0.1  # of a batch: a check may be this much ahead of the rate
MAX_IN_BATCH = 20  # Graph accepts at most this many requests in one $batch
MIN_BATCHES = 5  # per window, so that one batch does not use the whole window

RATE_CUT = 0.9  # factor, applied at most once per window in which Graph answers 429
RATE_RISE, MIN_RATE = 0.05, 0.05  # of the ceiling: rise per window without a 429; minimum rate
MIN_PAUSE, MAX_PAUSE = 2.0, 60.0  # seconds of silence after a 429 without Retry-After

# Seconds. A sweep part that has started waits until shortly before the host's function timeout.
MAX_WAIT = {Priority.HIGH: 60.0, Priority.LOW: 900.0, Priority.NEW: 15.0}
MAX_SILENCE_IN_PLACE = 10.0
COME_BACK, COME_BACK_SPREAD = 5.0, 10.0

# Seconds ahead of this instance's clock. A larger value comes from a wrong clock.
MAX_SKEW, MAX_LINE, MAX_RETRY_AFTER = 5.0, 1200.0, 86_400.0


class RateState(msgspec.Struct, frozen=True, kw_only=True):
    """The state that all instances share, at one point in time."""

    version: Literal[1] = 1  # of this format
    at: float  # when the state was written, by the writer's clock
    ceiling: int  # the setting GRAPH_REQUESTS_PER_10S
    rate: Annotated[float, msgspec.Meta(gt=0)]  # current rate: requests per 10 s
    arrival: float = 0.0  # theoretical arrival time (TAT): end of the queue of batches
    checks_arrival: float = 0.0  # theoretical arrival time of checks
    put_back: float = 0.0  # seconds by which checks and silences have delayed the queue in total
    silent_until: float = 0.0  # no request is sent before this time, because Graph answered 429
    pause: float = 0.0  # seconds of the last silence after a 429 without Retry-After
    cut_at: float = 0.0  # when the rate was last reduced

    @property
    def seconds_per_request(self) -> float:
        return (WINDOW + TRAVEL) / self.rate

    @property
    def min_rate(self) -> float:
        return max(1.0, MIN_RATE * self.ceiling)


@dataclass(frozen=True, slots=True)
class Turn:
    """Permission to send at `start`; `put_back` is the state's value when it was given."""

    priority: Priority
    start: float
    put_back: float


def fresh(ceiling: int, now: float) -> RateState:
    return RateState(at=now, ceiling=ceiling, rate=ceiling)


def max_batch(ceiling: int) -> int:
    return min(MAX_IN_BATCH, ceil(ceiling / MIN_BATCHES))


def later(state: RateState, now: float, ceiling: int) -> RateState:
    """Return the state at `now`. Raises ValueError if the writer's clock was wrong."""
    latest, end = now + MAX_SKEW, max(state.arrival, state.checks_arrival)
    is_ahead = max(state.at, state.cut_at, state.silent_until - MAX_RETRY_AFTER) > latest
    if is_ahead or end > max(latest, state.silent_until) + MAX_LINE:
        raise ValueError("it lies in the future")
    calm = max(0.0, now - max(state.at, state.silent_until))
    rate = min(ceiling, state.rate + RATE_RISE * ceiling * calm / WINDOW)
    after = msgspec.structs.replace(state, at=now, ceiling=ceiling)
    return msgspec.structs.replace(after, rate=max(rate, after.min_rate))


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
        taken = requests * state.seconds_per_request
        ahead = CHECKS_AHEAD * max_batch(state.ceiling) * state.seconds_per_request
        start = max(earliest, state.checks_arrival - ahead)
        end = max(state.checks_arrival, start) + taken
        after = msgspec.structs.replace(_put_back(state, taken), checks_arrival=end)
    else:
        start = max(earliest, state.arrival)
        end = start + requests * state.seconds_per_request / SWEEPS_SHARE
        after = msgspec.structs.replace(state, arrival=end)
    if start - state.at > MAX_WAIT[priority]:
        # The fraction of the current second spreads the retries of different callers.
        back = COME_BACK + COME_BACK_SPREAD * (state.at % 1.0)
        raise ConcurrencyLimited("too many wait for Graph's rate", retry_after=back)
    return after, Turn(priority, start, after.put_back)


def _put_back(state: RateState, seconds: float) -> RateState:
    arrival = max(state.arrival, state.at) + seconds
    return msgspec.structs.replace(state, arrival=arrival, put_back=state.put_back + seconds)


def moved(turn: Turn, state: RateState) -> Turn:
    """Delay a turn by what the queue was delayed since; at most to the end of the queue."""
    start, later_by = turn.start, state.put_back - turn.put_back
    if turn.priority is not Priority.HIGH and later_by > 0:
        start = max(start, min(start + later_by, state.arrival))
    return Turn(turn.priority, max(start, state.silent_until), state.put_back)


def throttled(state: RateState, retry_after: float | None) -> RateState:
    """Return the state after a 429. `retry_after` is in seconds, None without that header."""
    now = state.at
    if retry_after is None and now >= state.silent_until:  # first 429 of a burst
        goes_on = now < state.silent_until + WINDOW
        pause = min(MAX_PAUSE, max(MIN_PAUSE, 2 * state.pause)) if goes_on else MIN_PAUSE
        state, retry_after = msgspec.structs.replace(state, pause=pause), pause
    if now >= state.cut_at + WINDOW:
        rate = max(RATE_CUT * state.rate, state.min_rate)
        state = msgspec.structs.replace(state, rate=rate, cut_at=now)
    return silenced(state, now + min(retry_after or 0.0, MAX_RETRY_AFTER))


def silenced(state: RateState, until: float) -> RateState:
    """Extend the silence to `until`. A silence that is already longer stays as it is."""
    longer = max(0.0, until - max(state.at, state.silent_until))
    until = max(state.silent_until, until)
    return msgspec.structs.replace(_put_back(state, longer), silent_until=until)
