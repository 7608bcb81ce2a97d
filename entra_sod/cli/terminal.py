"""What commands print. A name of a tenant is data: it holds no markup and no control codes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, override

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from entra_sod.core.names import visible

MAX_NAME = 120  # characters of a name in a table
# A terminal's table measures every cell, which takes a millisecond a row; people do not read more.
MAX_ROWS = 200
_LAYOUT = "\n\t"
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|~-])")


class Terminal(Console):
    """A console on which text is text: no markup, no codes of emoji, no highlighting.

    What is not a terminal gets each line whole, however long it is.
    """

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, markup=False, emoji=False, highlight=False)

    @override
    def print(self, *objects: Any, soft_wrap: bool | None = None, **options: Any) -> None:
        wraps = not self.is_terminal if soft_wrap is None else soft_wrap
        super().print(*objects, soft_wrap=wraps, **options)

    def render_str(self, text: str, **options: Any) -> Text:  # noqa: ANN401 - as the base class has it
        return super().render_str(visible(text, layout=_LAYOUT), **options)


out, err = Terminal(), Terminal(stderr=True)


def line(text: str, style: str = "") -> Text:
    """Return text for a terminal, with invisible characters as escapes."""
    return Text(visible(text, layout=_LAYOUT), style)


@dataclass(frozen=True, slots=True)
class Hanging:
    """A line of which what does not fit a terminal goes on below its text, not below its head.

    Attributes:
        head: blanks and a label, of a fixed width.
        text: that may have any length. What is not a terminal gets it on one line.
    """

    head: str
    text: str
    style: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the line as the console needs it."""
        if not console.is_terminal:
            yield Text((visible(self.head) + visible(self.text)).rstrip(), self.style)
            return
        grid = Table.grid()
        grid.add_column(width=cell_len(self.head), no_wrap=True)
        grid.add_column(overflow="fold")
        grid.add_row(Text(self.head, "dim"), line(self.text, self.style))
        yield grid


def shown(name: str, limit: int = MAX_NAME) -> str:
    """Return a name as one short line, with invisible characters as escapes."""
    text = visible(name[: limit + 1])
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def in_markdown(name: str, limit: int = MAX_NAME) -> str:
    """Return a name as one short line of Markdown, in which nothing is a mark or a link."""
    text = _MARKDOWN.sub(r"\\\1", shown(name, limit)).replace("&", "&amp;").replace("<", "&lt;")
    return text.replace("@", "@<!-- -->")
