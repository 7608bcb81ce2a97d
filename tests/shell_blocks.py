"""The commands that the docs show: blocks for a shell, with the reason where one is not run."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.processes import CHECKOUT

PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md")
    for path in CHECKOUT.glob(pattern)
    # Generated ones, and the one that a test of its own runs with its outputs.
    if path.name not in ("cli.md", "api.md", "first-rules.md")
)
_BLOCK = re.compile(
    r"^(?P<indent> *)(?:<!-- not run: (?P<reason>[^\n]*?) -->\n *)?```sh\n(?P<text>.*?)^ *```\n"
    r"(?:[^`#]{0,200}?^```json\n(?P<answer>.*?)^```)?",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellBlock:
    """One block of a page.

    Attributes:
        line: of the page, where it begins.
        reason: why it is not run; empty if it is.
        answer: JSON that the page shows below it, which its output has to contain.
    """

    page: Path
    line: int
    text: str
    reason: str
    answer: Any = None

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(CHECKOUT)}:{self.line}"


def blocks_of(page: Path) -> Iterator[ShellBlock]:
    text = page.read_text(encoding="utf-8")
    for match in _BLOCK.finditer(text):
        yield ShellBlock(
            page=page,
            line=text.count("\n", 0, match.start()) + 1,
            text=textwrap.dedent(match["text"]),
            reason=match["reason"] or "",
            answer=json.loads(match["answer"]) if match["answer"] else None,
        )


def contains(whole: object, part: object) -> bool:
    """Whether an answer has all that a page shows of it; lists are compared as they are."""
    if isinstance(whole, dict) and isinstance(part, dict):
        return all(name in whole and contains(whole[name], each) for name, each in part.items())
    return whole == part
