from __future__ import annotations

from io import StringIO

import msgspec
import pytest
from rich.console import Console, RenderableType

from entra_sod.cli.show_sweep import MAX_GAPS, board, showing, span, summary
from entra_sod.domain.results.coverage import Coverage, Skipped
from entra_sod.services.sweeps.progress import PartsDone, SweepCounts, SweepProgress, WaitingPart
from tests.app import App
from tests.builders import guid
from tests.cli.remote import (
    ADDRESS,
    BOTH,
    FAILED,
    PACKAGES,
    RULES,
    swept,
)

type MakeApp = type[App]
SEEN = SweepProgress(
    id="s",
    status="running",
    self_=f"{ADDRESS}/sweeps/s",
    started_at="2026-01-01T00:00:00Z",
    parts=PartsDone(done=3, total=10),
    so_far=SweepCounts(requests=1240, throttled=2, throttled_seconds=65.4),
    rate=97.3,
    seconds_left=140,
    waiting=[WaitingPart(part=4, why="Graph throttles", since="2026-01-01T00:01:00Z")],
)


def shown(what: RenderableType) -> str:
    console = Console(file=StringIO(), width=120)
    console.print(what)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_the_board_tells_all_of_the_progress() -> None:
    """Parts, requests, rate, throttled time, time left, and why parts wait."""
    text = shown(board(SEEN))
    for words in (
        "s running",
        "3 of 10 parts",
        "1,240 requests, 97.3 in 10 s",
        "throttled 2 times, 1 min 5 s; about 2 min 20 s left",
        "part 4, since 2026-01-01T00:01:00Z: Graph throttles",
    ):
        assert words in text


@pytest.mark.parametrize(
    ("parts", "words"), [((0, 0), "being planned"), ((0, 4), "0 of 4"), ((4, 4), "being closed")]
)
def test_the_board_says_what_is_being_done(parts: tuple[int, int], words: str) -> None:
    """Planning and closing have names of their own, and no made-up time."""
    done, total = parts
    seen = msgspec.structs.replace(SEEN, parts=PartsDone(done=done, total=total), seconds_left=None)
    text = shown(board(seen))
    assert words in text
    assert "time left not known yet" in text


def test_a_log_gets_a_line_when_something_has_changed() -> None:
    """Where there is no terminal, nothing moves: a line for each step, none for the same again."""
    console = Console(file=StringIO(), width=80)
    further = msgspec.structs.replace(SEEN, parts=PartsDone(done=4, total=10))
    with showing(console) as show:
        for seen in (SEEN, SEEN, further):
            show(seen)
    assert isinstance(console.file, StringIO)
    first, second = console.file.getvalue().splitlines()
    assert ("3 of 10 parts" in first, "4 of 10 parts" in second) == (True, True)
    assert first.endswith("part 4, since 2026-01-01T00:01:00Z: Graph throttles")


def test_a_terminal_gets_a_board_that_leaves_nothing_behind() -> None:
    """The board is drawn in place, and taken away before the summary."""
    console = Console(file=StringIO(), width=80, force_terminal=True)
    with showing(console) as show:
        show(SEEN)
    assert isinstance(console.file, StringIO)
    assert "3 of 10 parts" in console.file.getvalue()
    assert "\x1b[2K" in console.file.getvalue()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (59.6, "1 min 0 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")],
)
def test_time_is_told_in_words(seconds: float, words: str) -> None:
    """Whole seconds, minutes, hours."""
    assert span(seconds) == words


async def test_the_summary_begins_with_what_was_not_looked_at(make_app: MakeApp) -> None:
    """Gaps come first, then counts, strategy and why, references, and the pairs in conflict."""
    result = await swept(make_app(PACKAGES, BOTH, RULES))
    gaps = [Skipped(what=f"package {number}", why="forbidden") for number in range(MAX_GAPS + 2)]
    text = shown(summary(msgspec.structs.replace(result, coverage=Coverage(skipped=gaps))))
    lines = text.splitlines()
    assert lines[1].startswith(f"not looked at, or not done ({MAX_GAPS + 2})")
    assert lines[MAX_GAPS + 2] == "  and 2 more, see --format json"
    for words in (
        "1: 1 in conflict, 0 clear, 0 unknown",
        "findings    2",
        "0 present, 2 planned, 0 written",
        f"strategy    {result.strategy.chosen}: {result.strategy.why}"[:80],
        guid("a"),
    ):
        assert words in text


def test_the_summary_of_a_failure_is_its_reason() -> None:
    """No counts of nothing; and what others wrote is shown as it is, not taken for markup."""
    text = shown(summary(FAILED))
    assert "the whole sweep: the rules [red]have mistakes[/red]" in text
    assert "pairs" not in text
