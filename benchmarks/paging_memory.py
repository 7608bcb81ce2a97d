"""What a worker holds while it reads assignments by the hundred thousand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.processes import Checkpoint, command, measure
from benchmarks.report import Report, Row, mebibytes
from local.processes import Process, free_port

BUDGET = 200 * 2**20
FLAT = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    early: int = 30_000
    assignments: int = 300_000
    of_a_pair: int = 30_000


FULL, QUICK = Size(), Size(early=1_000, assignments=4_000, of_a_pair=1_000)


def run(*, quick: bool = False) -> Report:
    size = QUICK if quick else FULL
    with graph(size.assignments) as root:
        paged = measure("read_graph", root, "page", size.early)
    with graph(size.of_a_pair) as root:
        detected = measure("read_graph", root, "detect")
    return Report(
        title="Memory of a worker that reads assignments",
        rows=[*_paged(paged), *_detected(detected, size)],
    )


@contextmanager
def graph(assignments: int) -> Iterator[str]:
    """A Graph whose packages have so many assignments each; yields its root."""
    port = free_port()
    root = f"http://127.0.0.1:{port}"
    arguments = ("--port", port, "--assignments", assignments)
    with Process(command("page_server", *arguments)) as server:
        server.wait_ready(root)
        yield root


def _paged(points: list[Checkpoint]) -> Iterator[Row]:
    indexed, early, end = points
    growth = end.peak / early.peak - 1
    yield Row(
        what=f"peak while paging {end.facts['assignments']:,} assignments",
        measured=mebibytes(end.peak),
        beside=f"the app indexed, nothing read: {mebibytes(indexed.resident)}",
        budget="≤ 200 MiB",
        is_met=end.peak <= BUDGET,
    )
    yield Row(
        what=f"the same peak against that at {early.facts['assignments']:,}",
        measured=f"{growth:+.1%}",
        beside=mebibytes(early.peak),
        budget="± 10 %",
        is_met=abs(growth) <= FLAT,
    )


def _detected(points: list[Checkpoint], size: Size) -> Iterator[Row]:
    indexed, end = points
    assert end.facts == {"holders": size.of_a_pair // 2, "way": "assignments"}
    yield Row(
        what=f"peak while intersecting two packages of {size.of_a_pair:,} assignments each",
        measured=mebibytes(end.peak),
        beside=f"the app indexed, nothing read: {mebibytes(indexed.resident)}",
        budget="≤ 200 MiB",
        is_met=end.peak <= BUDGET,
    )
