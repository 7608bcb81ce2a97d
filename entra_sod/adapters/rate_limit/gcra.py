"""When a request may be sent: the generic cell rate algorithm (GCRA). Pure.

The theoretical arrival time (TAT) is the end of the line: each batch takes the cell there, and
moves the end by the seconds that its requests take at the rate. A check does not go to the end. It
is sent at once, a few requests ahead of the rate of checks, and puts the line back, as a silence
does. `put_back` sums that up: who has a cell already sends as many seconds later.

Moments are seconds since the epoch.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Annotated, Literal

import msgspec

from entra_sod.core.errors import ConcurrencyLimited, ThrottledLocally
from entra_sod.ports.rate_limit import Priority

WINDOW = 10.0  # seconds that a rate is counted in, as Graph does
TRAVEL = 0.2  # seconds by which the times that two requests travel may differ
SWEEPS_SHARE = 0.95  # of the rate: the rest is for checks that are sent ahead
CHECKS_AHEAD = 0.1  # of a batch
MAX_IN_BATCH = 20  # that Graph takes in one $batch
MIN_BATCHES = 5  # of a window, which one batch is not to fill alone

RATE_CUT = 0.9  # by the 429s of one window
RATE_RISE, MIN_RATE = 0.05, 0.05  # of the ceiling: in each window without a 429, and at least
MIN_PAUSE, MAX_PAUSE = 2.0, 60.0  # seconds of silence where Graph says nothing of its length

# Seconds. A sweep's work that has begun waits until shortly before the host would end it.
MAX_WAIT = {Priority.HIGH: 60.0, Priority.LOW: 900.0, Priority.NEW: 15.0}
MAX_SILENCE_IN_PLACE = 10.0
COME_BACK, COME_BACK_SPREAD = 5.0, 10.0

# Seconds ahead of our own clock. What lies farther, a clock wrote that is wrong.
MAX_SKEW, MAX_LINE, MAX_RETRY_AFTER = 5.0, 1200.0, 86_400.0


class RateState(msgspec.Struct, frozen=True, kw_only=True):
    """What the instances share, as it is at one moment."""

    version: Literal[1] = 1  # of this form
    at: float  # the moment, by the clock of who wrote it
    ceiling: int  # the setting
    rate: Annotated[float, msgspec.Meta(gt=0)]  # requests per 10 s that Graph seems to take
    arrival: float = 0.0  # the theoretical arrival time (TAT): where the line ends
    checks_arrival: float = 0.0  # the same of checks alone
    put_back: float = 0.0  # seconds by which checks and silences have put the line back so far
    silent_until: float = 0.0  # Graph asked for silence up to here
    pause: float = 0.0  # how long the last silence was for which Graph named no time
    cut_at: float = 0.0  # when the rate was last cut

    @property
    def seconds_per_request(self) -> float:
        return (WINDOW + TRAVEL) / self.rate

    @property
    def min_rate(self) -> float:
        return max(1.0, MIN_RATE * self.ceiling)


@dataclass(frozen=True, slots=True)
class Turn:
    """The right to send from `start` on, or as much later as the line is put back."""

    priority: Priority
    start: float
    put_back: float


def fresh(ceiling: int, now: float) -> RateState:
    return RateState(at=now, ceiling=ceiling, rate=ceiling)


def max_batch(ceiling: int) -> int:
    return min(MAX_IN_BATCH, ceil(ceiling / MIN_BATCHES))


def later(state: RateState, now: float, ceiling: int) -> RateState:
    """The state as it is now. Raises ValueError if no clock that is right has written it."""
    latest, end = now + MAX_SKEW, max(state.arrival, state.checks_arrival)
    is_ahead = max(state.at, state.cut_at, state.silent_until - MAX_RETRY_AFTER) > latest
    if is_ahead or end > max(latest, state.silent_until) + MAX_LINE:
        raise ValueError("it lies in the future")
    calm = max(0.0, now - max(state.at, state.silent_until))
    rate = min(ceiling, state.rate + RATE_RISE * ceiling * calm / WINDOW)
    after = msgspec.structs.replace(state, at=now, ceiling=ceiling)
    return msgspec.structs.replace(after, rate=max(rate, after.min_rate))


def silence(state: RateState, priority: Priority) -> float:
    """Seconds of silence that are left; raised if they are too many to be waited in place."""
    left = max(0.0, state.silent_until - state.at)
    if left > (MAX_WAIT[priority] if priority is Priority.LOW else MAX_SILENCE_IN_PLACE):
        raise ThrottledLocally("Graph asked for silence, which is kept", retry_after=left)
    return left


def reserve(state: RateState, priority: Priority, requests: int) -> tuple[RateState, Turn]:
    """Give a turn to requests that are sent together, unless it would come too late for them."""
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
        # Spread by the fraction of the second in which each has asked.
        back = COME_BACK + COME_BACK_SPREAD * (state.at % 1.0)
        raise ConcurrencyLimited("too many wait for Graph's rate", retry_after=back)
    return after, Turn(priority, start, after.put_back)


def _put_back(state: RateState, seconds: float) -> RateState:
    arrival = max(state.arrival, state.at) + seconds
    return msgspec.structs.replace(state, arrival=arrival, put_back=state.put_back + seconds)


def moved(turn: Turn, state: RateState) -> Turn:
    """Where a turn lies after what has happened since: in no case behind the end of the line."""
    start, later_by = turn.start, state.put_back - turn.put_back
    if turn.priority is not Priority.HIGH and later_by > 0:
        start = max(start, min(start + later_by, state.arrival))
    return Turn(turn.priority, max(start, state.silent_until), state.put_back)


def throttled(state: RateState, retry_after: float | None) -> RateState:
    """Take a 429 into account; `retry_after` in seconds, None if Graph did not say."""
    now = state.at
    if retry_after is None and now >= state.silent_until:  # the first of those that come together
        goes_on = now < state.silent_until + WINDOW
        pause = min(MAX_PAUSE, max(MIN_PAUSE, 2 * state.pause)) if goes_on else MIN_PAUSE
        state, retry_after = msgspec.structs.replace(state, pause=pause), pause
    if now >= state.cut_at + WINDOW:
        rate = max(RATE_CUT * state.rate, state.min_rate)
        state = msgspec.structs.replace(state, rate=rate, cut_at=now)
    return silenced(state, now + min(retry_after or 0.0, MAX_RETRY_AFTER))


def silenced(state: RateState, until: float) -> RateState:
    """Keep a silence, unless a longer one is kept."""
    longer = max(0.0, until - max(state.at, state.silent_until))
    until = max(state.silent_until, until)
    return msgspec.structs.replace(_put_back(state, longer), silent_until=until)
