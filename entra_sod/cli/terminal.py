"""What commands print. A name of a tenant is data: it holds no markup and no control codes."""

from __future__ import annotations

import re
from typing import Any

from rich.console import Console
from rich.text import Text

from entra_sod.domain.text import escape

MAX_NAME = 120  # characters of a name in a table
_LAYOUT = "\n\t"
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|~-])")


class Terminal(Console):
    """A console on which text is text: no markup, no codes of emoji, no highlighting."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, markup=False, emoji=False, highlight=False)

    def render_str(self, text: str, **options: Any) -> Text:  # noqa: ANN401 - as the base class has it
        return super().render_str(escape(text, _LAYOUT), **options)


out, err = Terminal(), Terminal(stderr=True)


def line(text: str, style: str = "") -> Text:
    """Return text for a terminal, with characters that nobody can see as escapes."""
    return Text(escape(text, _LAYOUT), style)


def shown(name: str, limit: int = MAX_NAME) -> str:
    """Return a name as one short line, with characters that nobody can see as escapes."""
    text = escape(name[: limit + 1])
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def in_markdown(name: str, limit: int = MAX_NAME) -> str:
    """Return a name as one short line of Markdown, in which nothing is a mark or a link."""
    text = _MARKDOWN.sub(r"\\\1", shown(name, limit)).replace("&", "&amp;").replace("<", "&lt;")
    return text.replace("@", "@<!-- -->")
