"""Texts as YAML scalars that every reader takes for the same text. Pure."""

from __future__ import annotations

import json
import re

_PLAIN = re.compile(r"[^\W\d_](?:[\w ./()+&-]*[\w.)])?")
_RESERVED = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})
# What is no text in YAML.
UNFIT = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)


def scalar(text: str) -> str:
    """Write a text as YAML; in quotes unless every reader takes it for text without."""
    if _PLAIN.fullmatch(text) and text.casefold() not in _RESERVED:
        return text
    return UNFIT.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))
