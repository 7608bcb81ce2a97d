"""What it takes to get from rules and a tenant to every reference that they ask for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from benchmarks.processes import measure
from benchmarks.report import Report, Row, mebibytes

MAX_GROWTH = 12
# Arenas and pages come in steps: below this a process of any size scatters.
MIN_BYTES = 2**20
# One run scatters by a third on a shared machine, and a growth compares two.
ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Size:
    """So many teams, with two sides of so many packages each."""

    teams: int
    side: int


FULL = (Size(10, 10), Size(4, 50), Size(10, 100), Size(100, 100))
MAX_SIZE = Size(50, 200)
QUICK = (Size(10, 2), Size(10, 4))


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One process, or the median of some; `size` in bytes, beyond what it held before."""

    way: str
    pairs: int
    references: int
    packages: int
    seconds: float
    size: int


def run(*, quick: bool = False) -> Report:
    sizes, rounds = (QUICK, 1) if quick else (FULL, ROUNDS)
    streamed = [_median(size, "stream", rounds) for size in sizes]
    listed = [_median(size, "list", rounds) for size in sizes]
    largest = [] if quick else [_median(MAX_SIZE, "stream", rounds)]
    return Report(
        title=f"Rules and a tenant to references, processor time, median of {rounds}",
        rows=[
            *_rows([*streamed, *largest]),
            *_growth(*streamed[-2:]),
            *_rows(listed),
            *_growth(*listed[-2:]),
        ],
    )


def _median(size: Size, way: str, rounds: int) -> Measured:
    found = [_measured(size, way) for _ in range(rounds)]
    return replace(
        found[0],
        seconds=median(each.seconds for each in found),
        size=round(median(each.size for each in found)),
    )


def _measured(size: Size, way: str) -> Measured:
    built, compiled = measure("compile_rules", size.teams, size.side, way)
    pairs = compiled.facts["pairs"]
    assert pairs == size.teams * size.side**2
    return Measured(
        way=way,
        pairs=pairs,
        references=compiled.facts["references"],
        packages=size.teams * size.side * 2,
        seconds=compiled.facts["seconds"],
        size=max(compiled.peak - built.peak, MIN_BYTES),
    )


def _rows(found: Sequence[Measured]) -> Iterator[Row]:
    yield _row(found[0], f"the references {'kept' if found[0].way == 'list' else 'counted only'}")
    for before, each in pairwise(found):
        yield _row(each, _compared(before, each))


def _row(each: Measured, beside: str) -> Row:
    return Row(
        what=f"{each.pairs:,} pairs of {each.packages:,} packages, as a {each.way}: "
        f"{each.references:,} references",
        measured=f"{each.seconds:.3f} s, {mebibytes(each.size)}",
        beside=f"{each.pairs / each.seconds:,.0f} pairs/second, "
        f"{each.size / each.pairs:,.0f} bytes per pair; {beside}",
    )


def _compared(before: Measured, each: Measured) -> str:
    return (
        f"against the row above {each.seconds / before.seconds:.1f} times the time, "
        f"{each.size / before.size:.1f} times the memory"
    )


def _growth(before: Measured, each: Measured) -> Iterator[Row]:
    step = f"{before.pairs:,} → {each.pairs:,} pairs, as a {each.way}"
    yield _growth_row(f"{step}: time", each.seconds / before.seconds)
    yield _growth_row(f"{step}: memory", each.size / before.size)


def _growth_row(what: str, growth: float) -> Row:
    return Row(
        what=what,
        measured=f"{growth:.1f} times",
        budget=f"≤ {MAX_GROWTH} times",
        is_met=growth <= MAX_GROWTH,
    )
