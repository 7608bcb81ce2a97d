"""The budgets of a sweep, each held against the worst of the rows that it is given for. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from benchmarks.report import Row, mebibytes
from benchmarks.sweep import largest
from benchmarks.sweep.cases import FLAT
from benchmarks.sweep.table import checked, times
from benchmarks.sweep.tenants import (
    conflicts,
    fewest_counted,
    fewest_round_trips,
    intersection_requests,
    loop_requests,
)
from benchmarks.sweep.world import Measured
from local.graph.scale import Scale

LARGE_PAGE = 999
FEWER, SHARE, REFUSED, FLATNESS, CHECK_SECONDS = 100, 0.9, 0.02, 0.1, 5.0


def rows(measured: Sequence[Measured]) -> Iterator[Row]:
    """Each budget, held against the worst of the rows that it is given for."""
    budget = [each for each in measured if each.case.has_budget]
    if budget:
        yield _row_of_requests(
            "as throttling counts them",
            budget,
            lambda e: e.traffic.counted,
            fewest_counted,
            is_held=False,
        )
        for each in budget:
            how = (
                f"as HTTP counts them, {each.case.limit:,} per 10 s, pages of {each.case.page_size}"
            )
            yield _row_of_requests(
                how,
                [each],
                lambda e: e.traffic.round_trips,
                fewest_round_trips,
                is_held=each.case.page_size >= LARGE_PAGE,
            )
        yield from _rows_of_rate(budget)
        yield _row_of_messages(budget)
    yield from _rows_of_workers([each for each in budget if each.case.workers > 1])
    yield from _row_of_memory({each.case.name: each for each in measured})
    yield _row_of_conflicts(measured)
    yield from largest.rows(measured)


def _row_of_requests(
    how: str,
    budget: Sequence[Measured],
    count: Callable[[Measured], int],
    fewest: Callable[[Scale, int], int],
    *,
    is_held: bool,
) -> Row:
    """The worst of them, and what the cheapest way that we know of would take instead.

    Only requests as HTTP counts them, of large pages, are held against a budget: in other ways we
    know of none that takes so few.
    """

    def fewer(each: Measured) -> float:
        return loop_requests(each.case.scale, each.case.page_size) / max(count(each), 1)

    worst = min(budget, key=fewer)
    scale, page_size = worst.case.scale, worst.case.page_size
    both, cheapest = intersection_requests(scale, page_size), fewest(scale, page_size)
    return Row(
        what=f"Graph requests, {how}, against a call per pair page: the least",
        measured=f"{fewer(worst):.1f} times fewer",
        beside=f"row {worst.case.name}; against both lists for each pair "
        f"{times(both, count(worst))}; no way that we know takes under {cheapest:,}, "
        f"{times(loop_requests(scale, page_size), cheapest)} fewer",
        budget=f"≥ {FEWER} times fewer" if is_held else "",
        is_met=fewer(worst) >= FEWER and _all_ended(budget) if is_held else None,
    )


def _rows_of_rate(budget: Sequence[Measured]) -> Iterator[Row]:
    for limit in sorted({each.case.limit for each in budget}):
        yield _row_of_rate(limit, [each for each in budget if each.case.limit == limit])
    refused, highest = max((each.traffic.refused_share, each.case.name) for each in budget)
    yield Row(
        what="answers that are 429: the most",
        measured=f"{refused:.1%}",
        beside=f"row {highest}",
        budget="≤ 2 %",
        is_met=refused <= REFUSED and _all_ended(budget),
    )


def _row_of_rate(limit: int, budget: Sequence[Measured]) -> Row:
    share, lowest = min((each.traffic.share_of(each.case.rate), each.case.name) for each in budget)
    return Row(
        what=f"share of {limit:,} per 10 s that a sweep uses, first to last request: the least",
        measured=f"{share:.1%}",
        beside=f"row {lowest}",
        budget="≥ 90 %",
        is_met=share >= SHARE and _all_ended(budget),
    )


def _row_of_messages(budget: Sequence[Measured]) -> Row:
    worst = max(budget, key=lambda each: each.messages - _most_messages(each.case.scale))
    most = _most_messages(worst.case.scale)
    return Row(
        what="queue messages of a sweep: the most",
        measured=f"{worst.messages:,}",
        beside=f"row {worst.case.name}",
        budget=f"≤ {most:,.0f}",
        is_met=worst.messages <= most and _all_ended(budget),
    )


def _most_messages(scale: Scale) -> float:
    return scale.pairs / 20 + scale.packages / 20 + 10


def _rows_of_workers(several: Sequence[Measured]) -> Iterator[Row]:
    """Of the slowest limit: there the workers have to share."""
    if not several:
        return
    each = min(several, key=lambda measured: measured.case.limit)
    minute = each.traffic.minute_share_of(each.case.rate)
    if minute is not None:
        yield Row(
            what=f"{each.case.workers} workers share {each.case.limit} per 10 s: the best minute",
            measured=f"{minute:.1%}",
            beside=f"429: {each.traffic.refused_share:.1%}; row {each.case.name}",
            budget="≥ 90 %, ≤ 2 % 429",
            is_met=minute >= SHARE and each.traffic.refused_share <= REFUSED,
        )
    yield Row(
        what="a check sent in the middle of it, until its answer is there",
        measured=checked(each) if each.check else "none was answered before the sweep's end",
        beside=f"row {each.case.name}",
        budget="≤ 5 s",
        is_met=each.check is not None
        and each.check.outcome == "conflict"
        and each.check.seconds <= CHECK_SECONDS,
    )


def _row_of_memory(by_name: dict[str, Measured]) -> Iterator[Row]:
    if not set(FLAT) <= by_name.keys():
        return
    less, more = (by_name[name] for name in FLAT)
    growth = more.peak / less.peak - 1
    yield Row(
        what=f"a worker's peak at {more.case.scale.assignments:,} assignments against that at "
        f"{less.case.scale.assignments:,}",
        measured=f"{growth:+.1%}",
        beside=f"{mebibytes(more.peak)} against {mebibytes(less.peak)}",
        budget="± 10 %",
        is_met=abs(growth) <= FLATNESS and _all_ended([less, more]),
    )


def _row_of_conflicts(measured: Sequence[Measured]) -> Row:
    wrong = [each.case.name for each in measured if not _is_right(each)]
    return Row(
        what="every planted conflict is found, and no other",
        measured=f"in {len(measured) - len(wrong)} of {len(measured)} rows",
        beside=f"not in {', '.join(wrong)}" if wrong else "expired assignments are no conflicts",
        budget="in all",
        is_met=not wrong,
    )


def _is_right(each: Measured) -> bool:
    expected = sum(conflicts(each.case.scale))
    return (
        each.result is not None
        and each.result["status"] == "completed"
        and each.result["findings"] == expected
    )


def _all_ended(measured: Sequence[Measured]) -> bool:
    return all(each.result is not None for each in measured)
