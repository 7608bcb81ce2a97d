"""Markdown: tables, cells and the mark of a generated page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

NOTE = "<!-- Generated from the code by `make docs`. Change the code, not this page. -->"


def page(title: str, *blocks: str) -> str:
    """Put a page together: title, note, and blocks with a blank line between."""
    return "\n\n".join((f"# {title}", NOTE, *(each.strip("\n") for each in blocks))) + "\n"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Make a table; cells keep their Markdown, and a bar in them is escaped."""
    return "\n".join(_lines(heads, rows))


def _lines(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield _row(heads)
    yield f"|{' --- |' * len(heads)}"
    yield from (_row(row) for row in rows)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(_cell(each) for each in cells)} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|") or "-"


def code(text: str) -> str:
    return f"`{text}`"


def anchor(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    kept = "".join(each for each in heading.lower() if each.isalnum() or each in " -_")
    return kept.replace(" ", "-")
