"""What the simulator's timeline says about a sweep. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

REFUSED = 429
MINUTE = 60.0

type Seen = tuple[float, int | None, Literal["alone", "batch", "inside"]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """The requests of one sweep.

    Attributes:
        counted: requests as throttling counts them: those inside a `$batch`, not the batch.
        round_trips: requests as HTTP counts them: a `$batch` is one.
        refused: those of the counted that were answered with 429.
        busy_seconds: from the first to the last of the counted.
        best_minute: the most that were served within a minute; None for less than one.
    """

    counted: int
    round_trips: int
    refused: int
    busy_seconds: float
    best_minute: int | None

    @property
    def served(self) -> int:
        return self.counted - self.refused

    @property
    def refused_share(self) -> float:
        return self.refused / self.counted if self.counted else 0.0

    def share_of(self, rate: float) -> float:
        """What was served of what could have been, at so many a second, while it was busy.

        More than all is possible: a sliding window lets its whole allowance go at once at first.
        """
        return self.served / (rate * self.busy_seconds) if self.busy_seconds else 0.0

    def minute_share_of(self, rate: float) -> float | None:
        """The same over the best whole minute."""
        return None if self.best_minute is None else self.best_minute / (rate * MINUTE)


def traffic(timeline: Sequence[Seen]) -> Traffic:
    counted = sorted((time, status) for time, status, kind in timeline if kind != "batch")
    served = [time for time, status in counted if status != REFUSED]
    busy = counted[-1][0] - counted[0][0] if counted else 0.0
    return Traffic(
        counted=len(counted),
        round_trips=sum(kind != "inside" for _, _, kind in timeline),
        refused=len(counted) - len(served),
        busy_seconds=busy,
        best_minute=_best_minute(served) if busy >= MINUTE else None,
    )


def _best_minute(times: Sequence[float]) -> int:
    return max(
        (bisect_left(times, start + MINUTE) - place for place, start in enumerate(times)),
        default=0,
    )
