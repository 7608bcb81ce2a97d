"""Progress of long commands: parts done and time left on a terminal, nothing in a pipe."""

from __future__ import annotations

import re
from io import StringIO

import pytest

from entra_sod.cli import progress
from entra_sod.cli.progress import counting
from entra_sod.cli.terminal import Hanging, Terminal


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> tuple[Terminal, StringIO]:
    written, console = StringIO(), Terminal()
    console.file = written
    console.is_interactive = True
    monkeypatch.setattr(progress, "err", console)
    monkeypatch.setenv("TERM", "xterm")
    return console, written


def test_a_terminal_sees_the_parts_and_the_time_left(
    screen: tuple[Terminal, StringIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing of it stays."""
    console, written = screen
    monkeypatch.setattr(console, "_force_terminal", True)
    with counting("reading the tenant", 40) as advance:
        advance(10)
        advance(30)
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", written.getvalue())
    assert "reading the tenant" in text
    assert "40/40" in text
    assert " left" in text
    assert "\x1b[2K" in written.getvalue()


def test_work_of_an_unknown_size_shows_that_it_goes_on(
    screen: tuple[Terminal, StringIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No number is made up."""
    console, written = screen
    monkeypatch.setattr(console, "_force_terminal", True)
    with counting("reading grants", None):
        pass
    assert "reading grants" in written.getvalue()
    assert " left" not in written.getvalue()


def test_a_pipe_gets_nothing(screen: tuple[Terminal, StringIO]) -> None:
    """A log of a pipeline has no bars in it."""
    _, written = screen
    with counting("reading the tenant", 2) as advance:
        advance(2)
    assert written.getvalue() == ""


def test_a_long_line_goes_on_below_its_text_and_is_whole_in_a_pipe(
    screen: tuple[Terminal, StringIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A label stands alone in its column."""
    console, written = screen
    text = "word " * 30
    console.print(Hanging("  label  ", text))
    assert written.getvalue() == f"  label  {text.rstrip()}\n"
    monkeypatch.setattr(console, "_force_terminal", True)
    monkeypatch.setenv("COLUMNS", "60")
    console.print(Hanging("  label  ", text))
    *_, first, second, _ = written.getvalue().splitlines()
    assert "label" in first
    assert second.startswith("         word")
