"""What a sweep costs, from what the bench measured and prices that are given."""

from __future__ import annotations

import pytest

from benchmarks.cost import README, Prices, Sweep, main, sweeps_in, table

SWEEP = Sweep(row="small", size="1, 2, 3", wall_seconds=100, workers=2, messages=1000)


def test_the_report_of_the_bench_is_understood() -> None:
    """Every sweep that was measured has its counts; a report without them is an error."""
    sweeps = sweeps_in(README.read_text(encoding="utf-8"))
    assert {"small", "budget"} <= {each.row for each in sweeps}
    assert all(each.wall_seconds > 0 and each.messages > 0 and each.workers for each in sweeps)
    with pytest.raises(KeyError):
        sweeps_in("# nothing was measured")


def test_a_cost_is_the_sum_of_its_units() -> None:
    """Each price counts by itself: memory for a time, executions, storage operations."""
    free = {"gb_second": 0.0, "million_executions": 0.0, "ten_thousand_operations": 0.0}
    assert SWEEP.cost(Prices(**{**free, "gb_second": 1.0})) == 400
    assert SWEEP.cost(Prices(**{**free, "million_executions": 1000.0})) == 1
    assert SWEEP.cost(Prices(**{**free, "ten_thousand_operations": 1.0})) == pytest.approx(1.24)
    assert SWEEP.cost(Prices(**free)) == 0


def test_the_prices_are_options(capsys: pytest.CaptureFixture[str]) -> None:
    """The table says units and cost, at the prices that were given."""
    main(["--gb-second", "0", "--million-executions", "0", "--ten-thousand-operations", "0"])
    lines = capsys.readouterr().out.splitlines()
    assert all(line.endswith("| 0.0000 | 0.00 |") for line in lines[2:])
    assert "| 400 | 1,000 | 12,400 |" in table([SWEEP], Prices())
