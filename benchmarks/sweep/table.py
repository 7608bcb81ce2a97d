"""The grids of the report of the sweeps: a line for each, a column for each measure. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchmarks.report import Grid, mebibytes
from benchmarks.sweep.baselines import Baseline
from benchmarks.sweep.cases import WINDOW_SECONDS
from benchmarks.sweep.tenants import conflicts, loop_requests
from benchmarks.sweep.world import Measured
from local.graph.scale import Scale

_NOTHING = "-"


def of_graph(measured: Sequence[Measured]) -> Grid:
    columns = (
        ("row", _name),
        ("packages, assignments, pairs", lambda each: _size(each.case.scale)),
        ("page", lambda each: f"{each.case.page_size}"),
        ("limit per 10 s", lambda each: f"{each.case.limit:,}"),
        ("workers", lambda each: f"{each.case.workers}"),
        ("Graph requests, as throttled", lambda each: f"{each.traffic.counted:,}"),
        ("as HTTP", lambda each: f"{each.traffic.round_trips:,}"),
        ("fewer than a call per pair page, as throttled; as HTTP", _fewer),
        ("rate used; in the best minute", _shares),
        ("429", lambda each: f"{each.traffic.refused_share:.1%}"),
        ("wall; to the ideal", _wall),
    )
    return _grid("Sweeps, as Graph sees them", columns, measured)


def of_workers(measured: Sequence[Measured]) -> Grid:
    columns = (
        ("row", _name),
        ("strategy", _strategy),
        ("conflicts found", _found),
        ("a worker's peak memory; before", _memory),
        ("CPU per 1,000 assignments", lambda each: _cpu(each.cpu_seconds, each.case.scale)),
        ("closing: CPU; slowest answer beside", _closing),
        ("queue messages", lambda each: f"{each.messages:,}"),
        ("check in the middle", checked),
    )
    return _grid("The same sweeps, as the workers see them", columns, measured)


def baselines(found: Sequence[Baseline]) -> Grid:
    columns = (
        ("row", lambda each: each.way.title),
        ("packages, assignments, pairs", lambda each: _size(each.scale)),
        ("page", lambda each: f"{each.page_size}"),
        ("Graph requests, computed", lambda each: f"{each.requests:,}"),
        ("wall at 100 per 10 s, at least", lambda each: _least_wall(each, 100)),
        ("at 1,000 per 10 s, at least", lambda each: _least_wall(each, 1_000)),
        ("CPU per 1,000 assignments", _sampled_cpu),
        ("sample", _sample),
    )
    return _grid("What users would write, one request after another", columns, found)


def _grid[T](
    title: str, columns: Sequence[tuple[str, Callable[[T], str]]], found: Sequence[T]
) -> Grid:
    return Grid(
        title=title,
        columns=[name for name, _ in columns],
        lines=[[cell(each) for _, cell in columns] for each in found],
    )


def _name(each: Measured) -> str:
    return each.case.name


def _memory(each: Measured) -> str:
    return f"{mebibytes(each.peak)}; {mebibytes(each.idle)}"


def _size(scale: Scale) -> str:
    return f"{scale.packages:,}, {scale.assignments:,}, {scale.pairs:,}"


def _strategy(each: Measured) -> str:
    if each.result is None:
        return "did not end in time"
    mode = " (reads references)" if each.case.mode == "enforce" else ""
    chosen: str = each.result["strategy"]["chosen"]
    return chosen + mode


def _fewer(each: Measured) -> str:
    if each.result is None:
        return _NOTHING
    loop = loop_requests(each.case.scale, each.case.page_size)
    counted, trips = each.traffic.counted, each.traffic.round_trips
    return f"{times(loop, counted)}; {times(loop, trips)}"


def times(loop: int, ours: int) -> str:
    return f"{loop / ours:.1f} times" if ours else _NOTHING


def _shares(each: Measured) -> str:
    minute = each.traffic.minute_share_of(each.case.rate)
    best = _NOTHING if minute is None else f"{minute:.1%}"
    return f"{each.traffic.share_of(each.case.rate):.1%}; {best}"


def _wall(each: Measured) -> str:
    ideal = each.traffic.counted / each.case.rate if each.result else 0
    return (
        f"{each.seconds:.1f} s; {each.seconds / ideal:.2f} times"
        if ideal
        else f"not within {each.seconds:.0f} s"
    )


def _cpu(seconds: float, scale: Scale) -> str:
    of_thousand = seconds / scale.assignments * 1000
    return f"{of_thousand:,.0f} s" if of_thousand >= 10 else f"{of_thousand * 1000:,.1f} ms"


def checked(each: Measured) -> str:
    return f"{each.check.seconds:.1f} s, {each.check.outcome}" if each.check else _NOTHING


def _closing(each: Measured) -> str:
    return f"{each.closing.cpu_seconds:.1f} s; {each.closing.slowest_answer:.2f} s"


def _found(each: Measured) -> str:
    found = each.result["findings"] if each.result else 0
    return f"{found:,} of {sum(conflicts(each.case.scale)):,}"


def _least_wall(each: Baseline, limit: int) -> str:
    """One after another: the requests at the full rate, or the processor's own time."""
    return f"{max(each.requests / limit * WINDOW_SECONDS, each.cpu_seconds or 0):,.0f} s"


def _sampled_cpu(each: Baseline) -> str:
    return _NOTHING if each.cpu_seconds is None else _cpu(each.cpu_seconds, each.scale)


def _sample(each: Baseline) -> str:
    if each.sampled is None:
        return _NOTHING
    return f"{each.sampled.pairs:,} pairs, {each.sampled.requests:,} requests as computed"
