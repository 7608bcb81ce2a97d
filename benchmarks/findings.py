"""What it takes to store and list findings: storage transactions, and time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.processes import measure
from benchmarks.report import Grid, Report, Row

COUNTED = (12_500, 25_000, 50_000, 100_000)
EMULATED = (1_000, 2_000)
QUICK = (200, 400)
LINEAR = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One size, in one place: transactions and seconds of each step."""

    where: str
    findings: int
    transactions: dict[str, int]
    seconds: dict[str, float]


STEPS = ("first night", "second night", "list", "list by rule")


def run(*, quick: bool = False) -> Report:
    counted = [_measured("counted", size) for size in (QUICK if quick else COUNTED)]
    emulated = [_measured("Azurite", size) for size in (QUICK if quick else EMULATED)]
    return Report(
        title="Storing and listing findings",
        rows=[*map(_linear, STEPS, [counted] * len(STEPS)), _time(counted)],
        grids=[_grid([*counted, *emulated])],
    )


def _measured(where: str, size: int) -> Measured:
    _, after = measure("findings", where, str(size))
    return Measured(
        where=where,
        findings=size,
        transactions={step: int(after.facts[f"{step} transactions"]) for step in STEPS},
        seconds={step: float(after.facts[f"{step} seconds"]) for step in STEPS},
    )


def _linear(step: str, found: Sequence[Measured]) -> Row:
    half, whole = found[-2], found[-1]
    growth = whole.transactions[step] / half.transactions[step]
    limit = whole.findings / half.findings * (1 + LINEAR)
    return Row(
        what=f"{step}, {whole.findings:,} findings",
        measured=f"{whole.transactions[step]:,} transactions",
        beside=f"{growth:.2f} times those of {half.findings:,}",
        budget=f"≤ {limit:.1f} times",
        is_met=growth <= limit,
    )


def _time(found: Sequence[Measured]) -> Row:
    half, whole = sum(found[-2].seconds.values()), sum(found[-1].seconds.values())
    return Row(
        what=f"processor time of all steps, {found[-1].findings:,} findings",
        measured=f"{whole:.1f} s",
        beside=f"{whole / half:.2f} times that of {found[-2].findings:,}",
    )


def _grid(found: Sequence[Measured]) -> Grid:
    return Grid(
        title="Transactions and seconds of each step",
        columns=("tables", "findings", *STEPS),
        lines=[
            (
                each.where,
                f"{each.findings:,}",
                *(f"{each.transactions[step]:,} · {each.seconds[step]:.1f} s" for step in STEPS),
            )
            for each in found
        ],
    )
