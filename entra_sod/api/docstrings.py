"""What a type says of itself and of its fields, for the documents that are made of types."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping

_ATTRIBUTE = re.compile(r"^ {4}(\w+): ", re.MULTILINE)


def documented(kind: type) -> tuple[str, Mapping[str, str]]:
    """What a class says of itself, and of each of its attributes."""
    text, _, attributes = inspect.cleandoc(kind.__doc__ or "").partition("\nAttributes:\n")
    _, *parts = _ATTRIBUTE.split(attributes)
    meanings = zip(parts[::2], parts[1::2], strict=True)
    return " ".join(text.split()), {name: " ".join(said.split()) for name, said in meanings}
