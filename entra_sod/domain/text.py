"""Text as people see it: what looks the same is the same. Pure.

Canonical forms are equal, case does not matter, any blanks are one blank, and what has no width is
not there. `?` of a pattern is one visible character: `Gr??e` fits `Größe`, whatever it is made of.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from unicodedata import normalize

# Follows within a visible character before each code point but the first; no text keeps it.
_JOINT = "\u2060"
_EMOJI = "\u2190-\u2bff\ufe0f\U0001f000-\U0001faff"
# Controls that are no blanks, marks of direction, joiners between others than emoji, variants.
_UNSEEN = re.compile(
    "[\0-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u034f\u061c\u17b4\u17b5\u180b-\u180f\u200b\u200c\u200e"
    "\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0100-\U000e01ef]"
    f"|(?<![{_EMOJI}])\u200d|\u200d(?![{_EMOJI}])"
)
# Latin, Greek, Cyrillic, Armenian, kana, Han, Hangul: each code point is a visible character.
_SINGLE = re.compile(
    "[\0-\u02ff\u0370-\u0482\u048a-\u058f\u3041-\u3096\u30a1-\u30fa\u3400-\u9fff\uac00-\ud7a3]*"
)
_MARKED_WILDCARD = re.compile(f"([*?])(?:{_JOINT}.)+")


def fold(text: str) -> str:
    """The same for all texts that look the same, but for their case."""
    return fold_for_patterns(text).replace(_JOINT, "")


def fold_for_patterns(text: str) -> str:
    """The same as `fold`, and knows its visible characters: what a pattern is held against."""
    seen = " ".join(normalize("NFC", _UNSEEN.sub("", text)).split())
    folded = seen.casefold()
    if len(folded) == len(seen) and _SINGLE.fullmatch(seen):
        return normalize("NFC", folded)
    return "".join(_JOINT.join(_folded(each)) for each in _visible_characters(seen))


def _folded(character: str) -> str:
    """Canonical caseless (Unicode, D145)."""
    return normalize("NFC", normalize("NFD", character).casefold())


def _visible_characters(text: str) -> Iterable[str]:
    if _SINGLE.fullmatch(text):
        return text
    import regex

    return regex.findall(r"\X", text)


class TextPattern:
    """`*` stands for any text and `?` for one visible character, all else for itself."""

    def __init__(self, text: str) -> None:
        # Marks that a wildcard carries belong to what it stands for.
        folded = _MARKED_WILDCARD.sub(r"\1", fold_for_patterns(text)).replace(_JOINT, "")
        self._plain = re.compile(_expression(folded, "", ".", ".*"))
        one = f"[^{_JOINT}](?:{_JOINT}.)*+"
        self._joined = re.compile(_expression(folded, f"{_JOINT}?", one, f"(?:{one})*"))

    def fits(self, folded: str) -> bool:
        """Whether it fits the whole of a text that `fold_for_patterns` made."""
        expression = self._joined if _JOINT in folded else self._plain
        return expression.fullmatch(folded) is not None


def _expression(pattern: str, between: str, one: str, any_of_them: str) -> str:
    """Each part between `*` takes the first place where it fits: looking never goes back."""
    first, *others = (_part(part, between, one) for part in re.split(r"\*+", pattern))
    if not others:
        return first
    *middle, last = others
    return first + "".join(f"(?>{any_of_them}?{part})" for part in middle) + any_of_them + last


def _part(pattern: str, between: str, one: str) -> str:
    literals = pattern.split("?")
    return one.join(between.join(map(re.escape, literal)) for literal in literals)


def counted(number: int, one: str, many: str = "") -> str:
    """Say how many there are of a thing: `1 file`, `2 files`."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
