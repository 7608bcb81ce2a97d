"""What `entra-sod validate --offline` takes for the most expensive files that are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.children.bad_rules import CASES
from benchmarks.processes import measure
from benchmarks.report import Report, Row, mebibytes

MAX_SECONDS = 1.0
MAX_BYTES = 128 * 2**20
QUICK = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One process; `size` in bytes, at its peak beyond what it held with the file written."""

    case: str
    seconds: float
    size: int
    lines: int


def run(*, quick: bool = False) -> Report:
    found = [_measured(case) for case in list(CASES)[: QUICK if quick else None]]
    found.sort(key=lambda each: -each.seconds)
    return Report(
        title="Validating a mebibyte of bad rules, processor time",
        rows=[_worst(found), _largest(found), *map(_row, found)],
    )


def _measured(case: str) -> Measured:
    before, after = measure("validate_rules", case)
    return Measured(
        case=case,
        seconds=after.facts["seconds"],
        size=after.peak - before.peak,
        lines=after.facts["lines"],
    )


def _worst(found: Sequence[Measured]) -> Row:
    seconds = max(each.seconds for each in found)
    return Row(
        what=f"the longest of {len(found)}",
        measured=f"{seconds:.2f} s",
        budget=f"≤ {MAX_SECONDS:.0f} s",
        is_met=seconds <= MAX_SECONDS,
    )


def _largest(found: Sequence[Measured]) -> Row:
    size = max(each.size for each in found)
    return Row(
        what="the most memory of all",
        measured=mebibytes(size),
        budget=f"≤ {mebibytes(MAX_BYTES)}",
        is_met=size <= MAX_BYTES,
    )


def _row(each: Measured) -> Row:
    return Row(
        what=each.case,
        measured=f"{each.seconds:.2f} s",
        beside=f"{mebibytes(each.size)}; lines said: {each.lines:,}",
    )
