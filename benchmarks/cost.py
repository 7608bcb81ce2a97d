"""What a sweep costs on Flex Consumption: the bench's own counts, times prices that you give.

    .venv/bin/python -m benchmarks.cost [--gb-second 0.000026] [--million-executions 0.40] [...]

Prices differ by region, contract and year, so each is an option; the defaults are examples. What
is free in each month is left out.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

README = Path(__file__).with_name("README.md")
GIGABYTES = 2.0  # of an instance of 2048 MB
# Of storage for each message: put, get and delete it, and rows and blobs of the part that it is.
OPERATIONS_PER_MESSAGE = 12
OPERATIONS_PER_SECOND = 2  # of each worker, for its share of the request rate
NIGHTS = 30
_FIRST_GRID, _SECOND_GRID = "Graph requests, as throttled", "queue messages"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """In whatever currency; of one unit each."""

    gb_second: float = 0.000026
    million_executions: float = 0.40
    ten_thousand_operations: float = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """What was measured of one sweep; `workers` were busy for all of `wall_seconds`."""

    row: str
    size: str
    wall_seconds: float
    workers: int
    messages: int

    @property
    def gb_seconds(self) -> float:
        return self.wall_seconds * self.workers * GIGABYTES

    @property
    def operations(self) -> int:
        at_the_gate = self.wall_seconds * self.workers * OPERATIONS_PER_SECOND
        return self.messages * OPERATIONS_PER_MESSAGE + round(at_the_gate)

    def cost(self, prices: Prices) -> float:
        """Of one sweep."""
        return (
            self.gb_seconds * prices.gb_second
            + self.messages / 1e6 * prices.million_executions
            + self.operations / 1e4 * prices.ten_thousand_operations
        )


def sweeps_in(readme: str) -> list[Sweep]:
    """Read the sweeps that the bench measured out of its report.

    Raises:
        KeyError: the report has other columns than it had.
    """
    messages = {row["row"]: row["queue messages"] for row in _grid(readme, _SECOND_GRID)}
    return [
        Sweep(
            row=row["row"],
            size=row["packages, assignments, pairs"],
            wall_seconds=float(row["wall; to the ideal"].split(" s")[0].replace(",", "")),
            workers=int(row["workers"]),
            messages=int(messages[row["row"]].replace(",", "")),
        )
        for row in _grid(readme, _FIRST_GRID)
    ]


def _grid(readme: str, column: str) -> list[Mapping[str, str]]:
    """The rows of the first table that has a column, by the names of its columns."""
    lines = readme.splitlines()
    head = next(
        (at for at, line in enumerate(lines) if line.startswith("| row |") and column in line), None
    )
    if head is None:
        raise KeyError(column)
    names = _cells(lines[head])
    rows: list[Mapping[str, str]] = []
    for line in lines[head + 2 :]:
        if not line.startswith("|"):
            break
        rows.append(dict(zip(names, _cells(line), strict=True)))
    return rows


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def table(sweeps: Sequence[Sweep], prices: Prices) -> str:
    """A line for each sweep, in Markdown."""
    columns = (
        *("sweep", "packages, assignments, pairs", "GB-seconds", "executions"),
        *("storage operations", "one sweep", f"{NIGHTS} nights"),
    )
    lines = [f"| {' | '.join(columns)} |", f"| {' | '.join('---' for _ in columns)} |"]
    for each in sweeps:
        cost = each.cost(prices)
        lines.append(
            f"| {each.row} | {each.size} | {each.gb_seconds:,.0f} | {each.messages:,} | "
            f"{each.operations:,} | {cost:.4f} | {cost * NIGHTS:.2f} |"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table at the prices that are given."""
    parser = argparse.ArgumentParser(prog="benchmarks.cost", description="What a sweep costs.")
    for field in fields(Prices):
        name = "--" + field.name.replace("_", "-")
        parser.add_argument(name, type=float, default=field.default, help="%(default)s")
    print(
        table(
            sweeps_in(README.read_text(encoding="utf-8")),
            Prices(**vars(parser.parse_args(arguments))),
        )
    )


if __name__ == "__main__":
    main()
