"""docs/reference/costs.md: what sweeps cost, of the counts of the bench at example prices."""

from __future__ import annotations

from benchmarks.cost import README, Prices, sweeps_in
from benchmarks.cost import table as costs
from local.reference.markdown import page

_TEXT = """
From the counts of [the bench](../../benchmarks/README.md), at the default prices of
`python -m benchmarks.cost`. [Costs](../explanation/costs.md) says what they include.
"""


def costs_page() -> str:
    made = costs(sweeps_in(README.read_text(encoding="utf-8")), Prices())
    return page("Costs of sweeps", _TEXT, made)
