"""How many references all runs together may write within 24 hours. Pure.

A run reserves its writes before the first of them, under its own id. So a run that comes again
after a crash is not counted twice, and what it may have written before is not lost.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Literal

import msgspec

from entra_sod.domain.enforcement.freeze import Freeze

PERIOD = timedelta(hours=24)
MAX_RUNS = 1_000  # counted one by one; older ones are counted together


class RunWrites(msgspec.Struct, frozen=True, array_like=True):
    """The writes that one run has reserved."""

    run: str
    writes: int
    at: float  # when it last did, in seconds since the epoch


class WriteBudget(msgspec.Struct, frozen=True, kw_only=True):
    version: Literal[1] = 1
    runs: tuple[RunWrites, ...] = ()


class WritingState(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What holds writes of references back now.

    Attributes:
        used: writes of all runs within the last 24 hours.
        limit: MAX_REFERENCE_WRITES_PER_DAY.
        room_from: when the oldest of these writes no longer counts; null where there are none.
        frozen: the freeze; null where writing is not frozen.
    """

    used: int
    limit: int
    room_from: datetime | None = None
    frozen: Freeze | None = None

    def __str__(self) -> str:
        if self.frozen:
            return str(self.frozen)
        text = f"{self.used} of {self.limit} reference writes of the last 24 hours are used"
        if self.room_from is None or self.used < self.limit:
            return text
        return f"{text}; room comes from {self.room_from:%Y-%m-%d %H:%M} UTC on"


class BudgetUse(WritingState, frozen=True, kw_only=True):
    """After a run has asked: it was `granted` so many writes, those of earlier tries included."""

    granted: int = 0


class WritesStopped(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What stopped a run before it had written all that it planned.

    Attributes:
        by: `freeze`; `day-limit`, the budget of 24 hours; or `run-limit`, the limit of one run.
        why: the same for people.
        left: how many planned writes were not tried.
        used: how many writes count against the limit.
        limit: MAX_REFERENCE_WRITES for `run-limit`, otherwise MAX_REFERENCE_WRITES_PER_DAY.
        room_from: when the oldest writes of 24 hours no longer count.
    """

    by: Literal["freeze", "day-limit", "run-limit"]
    why: str
    left: int
    used: int
    limit: int
    room_from: datetime | None = None
    frozen: Freeze | None = None


def current(budget: WriteBudget, now: datetime) -> WriteBudget:
    """Return the budget without what is older than 24 hours."""
    since = (now - PERIOD).timestamp()
    runs = [each for each in budget.runs if each.at > since]
    first = max(0, len(runs) - MAX_RUNS)
    older, newer = runs[: first + 1], runs[first + 1 :]
    if first:
        older = [RunWrites("", sum(each.writes for each in older), older[-1].at)]
    return WriteBudget(runs=(*older, *newer))


def use_of(budget: WriteBudget, limit: int, granted: int = 0) -> BudgetUse:
    """Sum up a budget that is current."""
    oldest = datetime.fromtimestamp(ceil(budget.runs[0].at), UTC) if budget.runs else None
    used = sum(each.writes for each in budget.runs)
    return BudgetUse(granted=granted, used=used, limit=limit, room_from=oldest and oldest + PERIOD)


def reserve(
    budget: WriteBudget,
    run: str,
    wanted: int,
    now: datetime,
    limit: int,
    *,
    may_be_part: bool = True,
) -> tuple[WriteBudget, BudgetUse]:
    """Reserve as many of a run's writes as there is room for.

    Args:
        budget: of before.
        run: id of the check, sweep or plan.
        wanted: its writes in all, those of its earlier tries included.
        now: the moment.
        limit: MAX_REFERENCE_WRITES_PER_DAY.
        may_be_part: whether fewer than are wanted may be granted; else none are.
    """
    budget = current(budget, now)
    others = tuple(each for each in budget.runs if each.run != run)
    before = sum(each.writes for each in budget.runs if each.run == run)
    room = max(0, limit - sum(each.writes for each in others))
    granted = max(before, min(wanted, room) if may_be_part or wanted <= room else 0)
    mine = (RunWrites(run, granted, now.timestamp()),) if granted else ()
    after = WriteBudget(runs=(*others, *mine))
    return after, use_of(after, limit, granted)


def give_back(budget: WriteBudget, run: str, writes: int) -> WriteBudget:
    """Return the budget without writes that the run reserved and did not make."""
    left = [
        RunWrites(each.run, each.writes - writes, each.at) if each.run == run else each
        for each in budget.runs
    ]
    return WriteBudget(runs=tuple(each for each in left if each.writes > 0))
