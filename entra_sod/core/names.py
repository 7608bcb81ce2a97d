"""A name of a tenant, or a text of a caller, is data: never markup, never longer than it may be."""

from __future__ import annotations

import unicodedata

MAX_NAME_LENGTH = 1000  # four times what Entra takes; a table property holds 32 Ki
CUT = "… (cut)"
# Controls, formats (bidi, zero-width), private use, half a character, line and paragraph ends.
_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})


def cut(text: str, most: int = MAX_NAME_LENGTH) -> str:
    """Return a text as it is kept: whole, or its beginning and that it was cut."""
    return text if len(text) <= most else text[: most - len(CUT)] + CUT


def visible(text: str, *, layout: str = "") -> str:
    """Return a text with invisible characters as escapes, but those of `layout`."""
    if text.isprintable():
        return text
    return "".join(
        each.encode("unicode_escape").decode()
        if unicodedata.category(each) in _UNSEEN and each not in layout
        else each
        for each in text
    )
