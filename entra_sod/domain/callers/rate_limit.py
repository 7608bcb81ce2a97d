"""How often a caller may call: a generic cell rate algorithm, one moment a caller to remember.

`due` is the moment at which all that was taken so far is paid for, at an even pace. A caller may
run ahead of it by one minute: that many requests at once, and an even pace from then on.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

WINDOW_SECONDS = 60.0
MAX_CALLERS = 10_000
# Seconds since 1970 are kept to about a tenth of a millionth; sums of many of them to less.
_ROUNDING_SECONDS = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimitResult:
    """What became of one request.

    Attributes:
        due: to be remembered for the caller.
        wait: seconds until the next one would be taken; 0 where this one was.
    """

    due: float
    wait: float


def apply_rate_limit(due: float, now: float, *, per_minute: int) -> RateLimitResult:
    """Take one request, or say how long to wait; what is refused costs nothing.

    Args:
        due: as of the caller's last turn, or `now` for a new caller.
        now: in seconds.
        per_minute: how many are allowed.
    """
    # A clock that was set back must not lock a caller out for as long.
    start = min(max(due, now), now + WINDOW_SECONDS)
    after = start + WINDOW_SECONDS / per_minute
    wait = after - (now + WINDOW_SECONDS)
    if wait > _ROUNDING_SECONDS:
        return RateLimitResult(due=start, wait=wait)
    return RateLimitResult(due=after, wait=0.0)


class CallerRateLimiter:
    """The turns of many callers; those not seen for longest are forgotten first."""

    def __init__(self, per_minute: int, *, most_callers: int = MAX_CALLERS) -> None:
        self._per_minute, self._most_callers = per_minute, most_callers
        self._turns: OrderedDict[str, RateLimitResult] = OrderedDict()

    def __len__(self) -> int:
        return len(self._turns)

    def take(self, caller: str, now: float) -> tuple[float, bool]:
        """Take a caller's turn: seconds to wait (0: taken), and whether it is a new refusal."""
        before = self._turns.pop(caller, RateLimitResult(due=now, wait=0.0))
        turn = apply_rate_limit(before.due, now, per_minute=self._per_minute)
        self._turns[caller] = turn
        if len(self._turns) > self._most_callers:
            self._turns.popitem(last=False)
        return turn.wait, turn.wait > 0 and before.wait == 0
