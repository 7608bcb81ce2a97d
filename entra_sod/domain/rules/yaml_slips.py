"""What people who write YAML by hand get wrong, and how to mend it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

_IN_QUOTES = "put the whole text into quotes"
_QUOTES = "\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb"
# A text that begins with a mark of YAML, or goes on after its quotes or brackets.
_MARKED = re.compile(
    r"""^[-\s]*(?:[\w"']+:\s+)?(?:[*&!%@`|>?]|(?:"[^"]*"|'[^']*'|\[[^]]*\]|\{[^}]*\})\s*[^\s,#}\]])"""
)
_COLON = re.compile(r":\s+[^\s\[{\"'#].*:(\s|$)")


def why_not_yaml(problem: str, lines: Iterable[str]) -> str:
    """Say what is wrong in a writer's words, where that can be told from the lines.

    Args:
        problem: the parser's words.
        lines: those around the place that the parser names.
    """
    if "quoted scalar" in problem:
        return "a quote is not closed"
    for line in lines:
        if line.startswith(("<<<<<<<", "=======", ">>>>>>>")):
            return "holds the mark of a merge conflict: settle it"
        if "\t" in line[: len(line) - len(line.lstrip())]:
            return "tabs cannot indent in YAML: use blanks"
        if "{" not in line and _COLON.search(line):
            return f"a colon and a blank begin a value in YAML: {_IN_QUOTES}"
        if _MARKED.match(line):
            return f"not YAML: {problem}; if this is a text, {_IN_QUOTES}"
    return f"not YAML: {problem}"


def why_not_text(text: str) -> str | None:
    """Say what is wrong with a text without quotes that reads as something else than is meant."""
    if text[:1] and text[0] in _QUOTES:
        return f"{text[0]} is no quote in YAML: use \" or '"
    return None


def why_not_utf8(data: bytes, at: int) -> str:
    """Say which encoding bytes are probably in that are no UTF-8."""
    if data.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        return "this is UTF-32, save as UTF-8"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "this is UTF-16, save as UTF-8"
    character = data[at : at + 1].decode("cp1252", errors="replace")
    return f"not UTF-8: byte 0x{data[at]:02X}, which is {character} in Windows-1252: save as UTF-8"


def is_wide(data: bytes) -> bool:
    """Whether every other byte is zero, as in UTF-16 without a mark."""
    start = data[:64]
    return len(start) > 1 and (not any(start[::2]) or not any(start[1::2]))
