"""JSON pointers (RFC 6901): where in a sender's body a value stands. Pure."""

from __future__ import annotations

import re

from entra_sod.core.validation import Path

_POINTER = re.compile(r"(/([^~/]|~[01])*)+")
_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")


def parse_pointer(text: str) -> Path:
    """Take a pointer apart.

    Raises:
        ValueError: it is none, or the empty one that means the whole body.
    """
    if not _POINTER.fullmatch(text):
        raise ValueError(text)
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in text[1:].split("/"))


def find(value: object, pointer: Path) -> object:
    """The value at a place; None where there is none, as where it is null."""
    for step in pointer:
        value = _child(value, str(step))
    return value


def _child(value: object, step: str) -> object:
    if isinstance(value, dict):
        return value.get(step)
    if isinstance(value, list) and _INDEX.fullmatch(step) and int(step) < len(value):
        return value[int(step)]
    return None
