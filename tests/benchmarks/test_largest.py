"""The verdicts on the largest tenants, from made-up figures."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.sweep import largest
from benchmarks.sweep.closing import Check, Closing
from tests.benchmarks.sweep_facts import MIB, a_case, measured

CHECK = Check(seconds=2.0, outcome="conflict", ended_at=1.0)
GOOD = Closing(cpu_seconds=59.0, slowest_answer=0.9, check=CHECK)


def verdicts(**changes: Any) -> list[bool | None]:
    facts = {"closing": GOOD, "peak": 249 * MIB} | changes
    both = [measured(a_case("max"), closing=GOOD), measured(a_case("enforce-1000"), **facts)]
    return [each.is_met for each in largest.rows(both)]


def test_a_sweep_within_all_budgets_meets_them() -> None:
    """Each budget has a row, and other tenants have none of them."""
    assert verdicts() == [True] * 5
    assert list(largest.rows([measured(a_case("small"))])) == []


@pytest.mark.parametrize(
    ("row", "changes"),
    [
        (1, {"peak": 251 * MIB}),
        (2, {"closing": Closing(cpu_seconds=61.0, slowest_answer=0.9, check=CHECK)}),
        (3, {"closing": Closing(cpu_seconds=59.0, slowest_answer=1.1, check=CHECK)}),
        (4, {"closing": Closing(cpu_seconds=59.0, slowest_answer=0.9, check=None)}),
    ],
)
def test_the_worst_row_decides(row: int, changes: dict[str, Any]) -> None:
    """One tenant over a budget misses it, whatever the others do."""
    assert [place for place, is_met in enumerate(verdicts(**changes)) if not is_met] == [row]


def test_a_sweep_that_did_not_end_meets_nothing() -> None:
    """What it took is what it took until then."""
    assert verdicts(result=None, peak=300 * MIB)[:2] == [False, False]
