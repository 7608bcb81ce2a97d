"""A limit of requests in a sliding window, as Graph counts: refused requests count too."""

import math
from collections import deque
from email.utils import formatdate

from local.graph.behaviour import Throttle
from local.graph.errors import GraphError, too_many_requests


class Throttling:
    def __init__(self) -> None:
        self._times: deque[float] = deque()

    def refusal(self, throttle: Throttle | None, *, now: float) -> GraphError | None:
        """Counts a request; the 429 to answer it with when it is one too many."""
        if throttle is None:
            return None
        while self._times and self._times[0] <= now - throttle.window_seconds:
            self._times.popleft()
        self._times.append(now)
        if len(self._times) <= throttle.limit:
            return None
        # Room for one more when all but limit - 1 of those counted have left the window.
        leaves = self._times[max(len(self._times) - throttle.limit, 0) if throttle.limit else -1]
        wait_seconds = max(math.ceil(leaves + throttle.window_seconds - now), 1)
        return too_many_requests(_retry_after(throttle, wait_seconds, now=now))


def _retry_after(throttle: Throttle, wait_seconds: int, *, now: float) -> dict[str, str]:
    match throttle.retry_after:
        case "seconds":
            return {"Retry-After": str(wait_seconds)}
        case "http-date":
            return {"Retry-After": formatdate(math.ceil(now + wait_seconds), usegmt=True)}
        case "absent":
            return {}
