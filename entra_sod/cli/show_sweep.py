"""How a sweep looks in a terminal: while it is under way, and once it has ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from entra_sod.cli.lists import AsList, PrintedList
from entra_sod.cli.terminal import line, shown
from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.results.coverage import Outcome, Skipped
from entra_sod.domain.results.status import SweepStatus
from entra_sod.domain.results.sweep import PairSummary, ReferenceCounts, SweepResult
from entra_sod.services.sweeps.progress import SweepProgress, WaitingPart, rate

MAX_GAPS, MAX_PAIRS, MAX_WAITING = 20, 20, 3
_BAR_WIDTH = 40
_STYLES = {SweepStatus.COMPLETED: "bold green", SweepStatus.COMPLETED_WITH_GAPS: "bold yellow"}

type Show = Callable[[SweepProgress], None]


@contextmanager
def showing(console: Console) -> Iterator[Show]:
    """A board that moves, in a terminal; in a log, a line whenever something has."""
    if not console.is_terminal:
        yield _Log(console).show
        return
    with Live(console=console, transient=True, auto_refresh=False) as live:
        yield lambda seen: live.update(board(seen), refresh=True)


class _Log:
    def __init__(self, console: Console) -> None:
        self._console, self._last = console, ""

    def show(self, seen: SweepProgress) -> None:
        mark = f"{seen.status} {seen.parts} {[(each.part, each.why) for each in seen.waiting]}"
        if mark != self._last:
            self._last = mark
            words = [_parts(seen), _effort(seen), _time(seen), *map(_wait, seen.waiting[:1])]
            self._console.print(line(f"{seen.id}: {'; '.join(words)}"), soft_wrap=True)


def board(seen: SweepProgress) -> RenderableType:
    """A bar of the parts, what it took so far, and why parts wait."""
    bar = ProgressBar(total=seen.parts.total or None, completed=seen.parts.done, width=_BAR_WIDTH)
    head = Table.grid(padding=(0, 1))
    head.add_row(bar, line(_parts(seen)))
    lines = [_effort(seen), _time(seen), *map(_wait, seen.waiting[:MAX_WAITING])]
    return Group(line(f"{seen.id} {seen.status}", "bold"), head, *map(line, lines))


def _parts(seen: SweepProgress) -> str:
    done, total = seen.parts.done, seen.parts.total
    if not total:
        return "being planned"
    return "being closed" if done >= total else f"{done:,} of {total:,} parts"


def _effort(seen: SweepProgress) -> str:
    so_far = seen.so_far
    return (
        f"{so_far.requests:,} requests, {seen.rate:,} in 10 s; "
        f"{so_far.assignments:,} assignments of {so_far.packages:,} packages, "
        f"{so_far.pairs:,} pairs asked"
    )


def _time(seen: SweepProgress) -> str:
    throttled = f"throttled {seen.so_far.throttled} times, {span(seen.so_far.throttled_seconds)}"
    left = "time left not known yet" if seen.seconds_left is None else _about(seen.seconds_left)
    return f"{throttled}; {left}"


def _about(seconds: int) -> str:
    return f"about {span(seconds)} left"


def _wait(waiting: WaitingPart) -> str:
    who = "planning" if waiting.part is None else f"part {waiting.part}"
    return f"{who}, since {waiting.since}: {waiting.why}"


def span(seconds: float) -> str:
    """Some time in words: `2 h 5 min`, `3 min 20 s`, `12 s`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def summary(
    result: SweepResult, packages: Mapping[str, AccessPackage] | None = None
) -> RenderableType:
    """What came of a sweep: first what was not looked at, then what was found.

    Args:
        result: of the sweep.
        packages: by id, as far as their names are known.
    """
    seconds = _seconds(result)
    style = _STYLES.get(SweepStatus(result.status), "bold red")
    parts: list[RenderableType] = [line(f"{result.id} {result.status} in {span(seconds)}", style)]
    parts += _gaps(result.coverage.skipped)
    if result.status != SweepStatus.FAILED:
        parts += [*map(line, _counts(result, seconds)), *_conflicts(result, packages or {})]
    return Group(*parts)


def _seconds(result: SweepResult) -> float:
    start, end = map(datetime.fromisoformat, (result.started_at, result.ended_at))
    return (end - start).total_seconds()


def _gaps(skipped: Sequence[Skipped]) -> Iterator[RenderableType]:
    if skipped:
        yield line(f"not looked at, or not done ({len(skipped)}):", "yellow")
    for each in skipped[:MAX_GAPS]:
        yield line(f"  {each.what}: {each.why}", "yellow")
    if len(skipped) > MAX_GAPS:
        yield line(f"  and {len(skipped) - MAX_GAPS} more, see --format json", "yellow")


def _counts(result: SweepResult, seconds: float) -> Iterator[str]:
    pairs, way = result.pairs, result.strategy
    yield (
        f"pairs       {pairs.total:,}: {pairs.conflict:,} in conflict, {pairs.clear:,} clear, "
        f"{pairs.unknown:,} unknown"
    )
    for each in result.sets:
        yield f"found only  {each.rule}: {each.outcome}, {each.holder_count:,} subjects in conflict"
    yield f"findings    {result.findings:,}"
    yield f"references  {_references(result.reference_counts)}"
    if result.drift:
        yield f"drift       {len(result.drift):,}"
    yield f"strategy    {way.chosen}: {way.why}"
    yield f"requests    {result.requests:,}, {rate(result.requests, seconds):,} in 10 s"


def _references(found: ReferenceCounts) -> str:
    text = (
        f"{found.present:,} present, {found.planned:,} planned, {found.written:,} written, "
        f"{found.failed:,} failed, {found.removed:,} removed"
    )
    return f"{text}, {found.held:,} held" if found.held else text


def _conflicts(
    result: SweepResult, packages: Mapping[str, AccessPackage]
) -> Iterator[RenderableType]:
    conflicts = [each for each in result.results if each.outcome is Outcome.CONFLICT]
    if conflicts:
        yield Text()
        yield line("In conflict", "bold")
        yield AsList(_conflicts_list(conflicts[:MAX_PAIRS], packages))
    if len(conflicts) > MAX_PAIRS:
        yield line(f"and {result.pairs.conflict - MAX_PAIRS:,} more pairs, see --format json")


def _conflicts_list(
    conflicts: Sequence[PairSummary], packages: Mapping[str, AccessPackage]
) -> PrintedList:
    return PrintedList(
        key="conflicts",
        columns=("access package", "incompatible with", "rules", "assignments", "id", "other id"),
        rows=[
            (
                _name(each.access_package_id, packages),
                _name(each.incompatible_access_package_id, packages),
                ", ".join(each.rules),
                f"{each.holder_count:,}",
                each.access_package_id,
                each.incompatible_access_package_id,
            )
            for each in conflicts
        ],
        ids=frozenset({"id", "other id"}),
        below={"access package": "id", "incompatible with": "other id"},
        numbers=frozenset({"assignments"}),
    )


def _name(package: str, packages: Mapping[str, AccessPackage]) -> str:
    known = packages.get(package)
    return shown((known.display_name if known else "") or "(name not known)")
