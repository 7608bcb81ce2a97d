"""Where the story is shown: a terminal with colours and a spinner, or plain lines of a log."""

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from local.demo.story import Report

WIDTH = 100
LOG_LINES = 25
_INDENT = 3


def console_on(file: TextIO) -> Console:
    """At most 100 columns wide, and just so wide where there is no terminal."""
    if isinstance(file, io.TextIOWrapper):
        # A log in an old encoding shows a question mark rather than no story.
        file.reconfigure(errors="replace")
    console = Console(file=file, markup=False, highlight=False, emoji=False)
    console.width = min(console.width, WIDTH) if console.is_terminal else WIDTH
    return console


class Screen:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._steps = 0

    def title(self, text: str) -> None:
        self._console.print(text, style="bold")

    def step(self, title: str) -> None:
        """Opens the next step of the story."""
        self._steps += 1
        self._console.print(f"\n{self._steps}  {title}", style="bold cyan")

    def show(self, *renderables: RenderableType) -> None:
        for each in renderables:
            self._console.print(Padding.indent(each, _INDENT))

    def proved(self, claim: str) -> None:
        """A claim that was held against the tenant or the app, and held."""
        self.show(Text.assemble(("✓ ", "bold green"), claim))

    @contextmanager
    def waiting(self, what: str) -> Iterator[Report]:
        """A spinner while something runs, which can be told how much of it is done."""
        columns = (
            TextColumn("  "),
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
        )
        began = time.monotonic()
        is_plain = not self._console.is_terminal
        with Progress(
            *columns, console=self._console, transient=True, disable=is_plain
        ) as progress:
            task = progress.add_task(what, total=None)
            yield lambda done, total: progress.update(task, completed=done, total=total)
        self.show(Text(f"{what}: {time.monotonic() - began:.1f} s", style="dim"))

    def log(self, title: str, log: str) -> None:
        """The end of a log."""
        lines = log.rstrip().splitlines()[-LOG_LINES:]
        if lines:
            self._console.print(f"\n{title}:", style="bold")
            self._console.print("\n".join(lines), style="dim", soft_wrap=True)

    def ended(self, counts: str) -> None:
        self._console.print(f"\ndemo: ok, {counts}", style="bold green", soft_wrap=True)

    def failed(self, why: str) -> None:
        self._console.print(f"\ndemo: FAILED: {why}", style="bold red", soft_wrap=True)
