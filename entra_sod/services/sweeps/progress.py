"""How far a sweep has come, from its row and its parts' rows. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from entra_sod.core.clock import timestamp
from entra_sod.stores.sweeps import PartNote, Parts, SweepRecord

MAX_WAITING_SHOWN = 10
# Graph's own window: what its limits are told in.
RATE_SECONDS = 10


class SweepCounts(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a sweep has read so far, and what that took.

    Attributes:
        pairs: that Graph was asked for.
        packages: whose assignments were read, all in all so many `pages` and `assignments`.
        requests: as Graph's throttle counts them; with those of tries that failed.
        round_trips: what was sent; a `$batch` is one.
        throttled: requests that were answered with 429.
        throttled_seconds: waited because Graph asked for it, in place and on the queue.
    """

    pairs: int = 0
    packages: int = 0
    assignments: int = 0
    pages: int = 0
    requests: int = 0
    round_trips: int = 0
    throttled: int = 0
    throttled_seconds: float = 0.0


class PartsDone(msgspec.Struct, frozen=True, kw_only=True):
    """How many parts are done, of how many; of 0 while the sweep is not planned."""

    done: int
    total: int


class WaitingPart(msgspec.Struct, frozen=True, kw_only=True):
    """A part that could not be worked yet, why, and since when; None is the sweep's planning."""

    part: int | None
    why: str
    since: str


class SweepProgress(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What `GET /sweeps/{id}` answers with 202 while a sweep is under way.

    Attributes:
        so_far: of the parts that are done, and of earlier tries of the others.
        rate: requests in 10 seconds, on average since the sweep was asked for.
        seconds_left: if the parts to come take as long as those that are done; None while that
            cannot be told: before the first part is done, and while the sweep is being closed.
        waiting: the newest, at most 10 of them.
    """

    id: str
    status: str
    self_: str = msgspec.field(name="self")
    started_at: str
    parts: PartsDone
    so_far: SweepCounts
    rate: float
    seconds_left: int | None
    waiting: list[WaitingPart]


def progress_of(
    record: SweepRecord, parts: Parts, now: datetime, *, location: str
) -> SweepProgress:
    """Tell how far a sweep has come.

    Args:
        record: of the sweep.
        parts: of it.
        now: the moment that elapsed time is told by.
        location: the sweep's own address.
    """
    elapsed = (now - record.started_at).total_seconds()
    done, total = len(parts.done), record.parts or 0
    so_far = sum_counts([*(part.counts for part in parts.done), *parts.attempt_costs])
    return SweepProgress(
        id=record.id,
        status=record.status,
        self_=location,
        started_at=timestamp(record.started_at),
        parts=PartsDone(done=done, total=total),
        so_far=so_far,
        rate=rate(so_far.requests, elapsed),
        seconds_left=_seconds_left(done, total, elapsed),
        waiting=_newest(parts.notes, is_planned=record.parts is not None),
    )


def sum_counts(counts: Iterable[Mapping[str, int]]) -> SweepCounts:
    """Add up the counts of parts."""
    total = add(*counts)
    seconds = total.get("throttledMilliseconds", 0) / 1000
    return msgspec.convert({**total, "throttledSeconds": seconds}, SweepCounts)


def rate(requests: int, seconds: float) -> float:
    """Requests in 10 seconds, to a tenth."""
    return round(requests * RATE_SECONDS / seconds, 1) if seconds > 0 else 0.0


def add(*counts: Mapping[str, int]) -> Mapping[str, int]:
    """Add counts up by their names."""
    total = Counter[str]()
    for each in counts:
        total.update(each)
    return total


def _seconds_left(done: int, total: int, elapsed: float) -> int | None:
    if not done or done >= total:
        return None
    return round(elapsed / done * (total - done))


def _newest(notes: Iterable[PartNote], *, is_planned: bool) -> list[WaitingPart]:
    # What planning once waited for is over when there is a plan.
    waiting = [each for each in notes if each.part >= 0 or not is_planned]
    waiting.sort(key=lambda each: each.since, reverse=True)
    return [
        WaitingPart(
            part=each.part if each.part >= 0 else None,
            why=each.why,
            since=timestamp(each.since),
        )
        for each in waiting[:MAX_WAITING_SHOWN]
    ]
