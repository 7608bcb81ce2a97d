"""How far a command has come, on a terminal; a pipe or a log gets nothing of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from entra_sod.cli.terminal import err

type Advance = Callable[[int], None]


@contextmanager
def counting(what: str, total: int | None) -> Iterator[Advance]:
    """Show how many parts are done and about how long the rest takes; gone at the end.

    Args:
        what: is being done.
        total: of the parts; None if that is not known, then only the time is shown.
    """
    with _progress(total) as progress:
        task: TaskID = progress.add_task(what, total=total)
        yield lambda done: progress.advance(task, done)


def _progress(total: int | None) -> Progress:
    name = TextColumn("{task.description}")
    columns = (
        (SpinnerColumn(), name, TimeElapsedColumn())
        if total is None
        else (name, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("left"))
    )
    return Progress(*columns, console=err, transient=True, disable=not err.is_terminal)
