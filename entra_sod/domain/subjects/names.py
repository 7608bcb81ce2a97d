"""How people name a subject: by an id, or by a user principal name (UPN). Pure.

A person may be written in many ways. `person_key` is the same for all spellings of one name, so
that a rule of four eyes compares people. An address with a plus is another name than the one
without, because Entra allows both to different people.
"""

from __future__ import annotations

import re
from typing import Annotated
from unicodedata import normalize

import msgspec

from entra_sod.core.validation import ADVICE_KEY
from entra_sod.domain.text import fold

MAX_NAME_LENGTH = 256  # Entra takes 113 characters, and more of guests
ADVICE = (
    "must be an object id (a GUID with its hyphens, such as 2506aef1-3929-4d24-a61e-7c8b83d95e6f) "
    "or a user principal name, such as ada@contoso.com"
)
_GUID_PATTERN = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_UPN_PATTERN = r"[^\s@]+@[^\s@.]+(?:\.[^\s@.]+)+"
_GUID = re.compile(_GUID_PATTERN)
_DIGITS = re.compile(r"[0-9a-f]{32}")
_UPN = re.compile(_UPN_PATTERN)

# An id or a user principal name, in requests and in rules files.
type SubjectName = Annotated[
    str,
    msgspec.Meta(
        max_length=MAX_NAME_LENGTH,
        pattern=rf"^\s*(?:{_GUID_PATTERN}|{_UPN_PATTERN})\s*$",
        extra={ADVICE_KEY: ADVICE},
    ),
]

# A user principal name beside an id.
type PrincipalName = Annotated[
    str,
    msgspec.Meta(
        max_length=MAX_NAME_LENGTH,
        pattern=rf"^\s*{_UPN_PATTERN}\s*$",
        extra={ADVICE_KEY: "must be a user principal name, such as ada@contoso.com"},
    ),
]


def comparable_name(text: str) -> str:
    """The same for all spellings of a name: compatible characters, case, blanks and unseen ones."""
    before, folded = text, _folded(text)
    while folded != before:  # one step may make characters that the next one folds
        before, folded = folded, _folded(folded)
    return folded


def _folded(text: str) -> str:
    return normalize("NFKC", fold(normalize("NFKC", text)))


def person_key(text: str) -> str:
    """The same for all spellings of one id or name; an id may have braces, or no hyphens."""
    folded = comparable_name(text)
    digits = folded.strip("{}").replace("-", "")
    if not _DIGITS.fullmatch(digits):
        return folded
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def subject_id(text: str) -> str | None:
    """The id as Entra writes it, in small letters; None if the text is no id."""
    return text.lower() if _GUID.fullmatch(text) else None


def is_principal_name(text: str) -> bool:
    """Whether the text may be a user principal name."""
    folded = comparable_name(text)
    return len(text) <= MAX_NAME_LENGTH and bool(_UPN.fullmatch(folded)) and folded.isprintable()
