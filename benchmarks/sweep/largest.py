"""The budgets of the largest tenant that Entra allows. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.report import Row, mebibytes
from benchmarks.sweep.cases import MAX_TENANT
from benchmarks.sweep.world import Measured

MAX_BYTES, MAX_CLOSING_SECONDS, MAX_SILENCE_SECONDS = 250 * 2**20, 60.0, 1.0


def rows(measured: Sequence[Measured]) -> Iterator[Row]:
    largest = [each for each in measured if each.case.name in MAX_TENANT]
    if not largest:
        return
    yield _ends(largest)
    yield _memory(largest)
    yield _closing(largest)
    yield _silence(largest)
    yield _checks(largest)


def _ends(largest: Sequence[Measured]) -> Row:
    ended = [each for each in largest if each.result is not None]
    return Row(
        what="sweeps of the largest tenants end",
        measured=f"{len(ended)} of {len(largest)}",
        beside=", ".join(f"{each.case.name}: {each.seconds:.0f} s" for each in ended),
        budget="all",
        is_met=len(ended) == len(largest),
    )


def _memory(largest: Sequence[Measured]) -> Row:
    worst = max(largest, key=lambda each: each.peak)
    return Row(
        what="a worker's peak memory in them: the most",
        measured=mebibytes(worst.peak),
        beside=f"row {worst.case.name}",
        budget="≤ 250 MiB",
        is_met=worst.peak <= MAX_BYTES and worst.result is not None,
    )


def _closing(largest: Sequence[Measured]) -> Row:
    worst = max(largest, key=lambda each: each.closing.cpu_seconds)
    return Row(
        what="processor time of closing them: the most",
        measured=f"{worst.closing.cpu_seconds:.1f} s",
        beside=f"row {worst.case.name}",
        budget="≤ 60 s",
        is_met=worst.closing.cpu_seconds <= MAX_CLOSING_SECONDS and worst.result is not None,
    )


def _silence(largest: Sequence[Measured]) -> Row:
    worst = max(largest, key=lambda each: each.closing.slowest_answer)
    return Row(
        what="a request beside the closing, until its answer: the slowest",
        measured=f"{worst.closing.slowest_answer:.2f} s",
        beside=f"row {worst.case.name}, `GET /api/health` five times a second",
        budget="≤ 1 s",
        is_met=worst.closing.slowest_answer <= MAX_SILENCE_SECONDS and worst.result is not None,
    )


def _checks(largest: Sequence[Measured]) -> Row:
    answered = [
        each.closing.check
        for each in largest
        if each.closing.check and each.closing.check.outcome == "conflict"
    ]
    slowest = max((each.seconds for each in answered), default=0.0)
    return Row(
        what="a check asked for when closing begins is answered",
        measured=f"in {len(answered)} of {len(largest)}",
        beside=f"the slowest after {slowest:.1f} s",
        budget="in all",
        is_met=len(answered) == len(largest),
    )
