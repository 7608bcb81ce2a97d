"""A sweep of scaled tenants: what it costs Graph, the clock and the worker, beside two baselines.

`python -m benchmarks.sweeping ROW…` measures only these rows, and prints them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from benchmarks import terminal
from benchmarks.report import Report
from benchmarks.sweep import budgets, growth, table
from benchmarks.sweep.baselines import Baseline, baselines
from benchmarks.sweep.cases import BUDGET, FULL, LARGE, QUICK, SMALL, TINY, Case
from benchmarks.sweep.world import Measured, measure

PLOT = Path(__file__).with_name("growth.svg")
_SAMPLE, _TINY_SAMPLE = 50, 2


def run(*, quick: bool = False) -> Report:
    measured = [measure(case) for case in (QUICK if quick else FULL)]
    if not quick:
        PLOT.write_text(growth.drawn(measured), encoding="utf-8")
    return report(measured, _baselines(quick=quick))


def report(measured: Sequence[Measured], beside: Sequence[Baseline] = ()) -> Report:
    grids = [table.of_graph(measured), table.of_workers(measured)]
    if beside:
        grids.append(table.baselines(beside))
    return Report(title="Sweeps of scaled tenants", rows=list(budgets.rows(measured)), grids=grids)


def _baselines(*, quick: bool) -> Sequence[Baseline]:
    if quick:
        return baselines(TINY, 100, most=_TINY_SAMPLE)
    return [
        *baselines(SMALL, 100),
        *baselines(BUDGET, 100, most=_SAMPLE),
        *baselines(BUDGET, 999),
        *baselines(LARGE, 100, most=_SAMPLE),
    ]


def main(names: Sequence[str]) -> int:
    cases: dict[str, Case] = {case.name: case for case in (*FULL, *QUICK)}
    if not names or not set(names) <= cases.keys():
        print(f"give rows of: {', '.join(cases)}", file=sys.stderr)
        return 2
    measured = [measure(cases[name]) for name in names]
    terminal.show(Console(), report(measured))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
