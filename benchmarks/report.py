"""What a benchmark hands back: rows, each held against another row of the same run or a budget."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass

from msgspec import Struct


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measurement; `is_met` stays None where there is no budget."""

    what: str
    measured: str
    beside: str = ""
    budget: str = ""
    is_met: bool | None = None

    @property
    def verdict(self) -> str:
        if self.is_met is None:
            return ""
        return "met" if self.is_met else "missed"

    def cells(self) -> tuple[str, ...]:
        return (self.what, self.measured, self.beside, self.budget, self.verdict)


COLUMNS = ("what", "measured", "beside", "budget", "verdict")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Measurements with columns of their own; each line has a cell for each column."""

    title: str
    columns: Sequence[str]
    lines: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The rows of one benchmark, and the grids that some of them are read from."""

    title: str
    rows: Sequence[Row]
    grids: Sequence[Grid] = ()


class Timing(Struct, frozen=True):
    """Seconds of processor time in a child process, which other work moves less."""

    median: float
    rounds: int


def machine() -> str:
    """Where this runs, as far as figures depend on it."""
    cores = os.cpu_count() or 1
    return f"{cores} cores, {platform.system()}, Python {platform.python_version()}"


def milliseconds(seconds: float) -> str:
    value = seconds * 1000
    return f"{value:,.0f} ms" if value >= 100 else f"{value:.1f} ms"


def mebibytes(size: float) -> str:
    return f"{size / 2**20:.1f} MiB"


def times_faster(other: float, ours: float) -> str:
    return f"{_times(other / ours)} faster" if other >= ours else f"{_times(ours / other)} slower"


def _times(ratio: float) -> str:
    return f"{ratio:,.0f} times" if ratio >= 10 else f"{ratio:.2f} times"
