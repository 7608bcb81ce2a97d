"""The queries of lists: parameters, pages, and where the next page begins. Pure."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

import msgspec

from entra_sod.core.errors import FieldError, InvalidRequest

MAX_LIMIT, DEFAULT_LIMIT = 1000, 100
MAX_CURSOR_LENGTH = 4000
MAX_RULE_ID_LENGTH, MAX_SUBJECT_SEARCH_LENGTH = 100, 200
PAGE_PARAMETERS = ("limit", "cursor")

# Where a page ended: what the list is ordered by, of its last entry.
type PagePosition = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageQuery:
    """Which page of a list: `limit` entries behind `after`; an empty `after` is the first page."""

    limit: int = DEFAULT_LIMIT
    after: PagePosition = ()


@dataclass(slots=True)
class QueryReader:
    """Reads the parameters of an address, and collects what is wrong with them.

    Attributes:
        given: as they were sent.
        known: the names that the route takes.
    """

    given: Mapping[str, str]
    known: Sequence[str]
    errors: list[FieldError] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in self.given:
            if name not in self.known:
                self.add_error(name, f"is not known here; there are {', '.join(self.known)}")

    def add_error(self, name: str, detail: str) -> None:
        self.errors.append(FieldError(pointer="", detail=f"{name[:100]} {detail}"))

    def text(self, name: str, *, maximum: int) -> str:
        text = self.given.get(name, "")
        if len(text) > maximum:
            self.add_error(name, f"must have at most {maximum} characters")
            return ""
        return text

    def choices(self, name: str, known: Sequence[str]) -> Sequence[str]:
        """Some of the known words, with commas between."""
        words = [each.strip() for each in self.given.get(name, "").split(",") if each.strip()]
        if any(each not in known for each in words):
            self.add_error(name, f"must be one or more of {', '.join(known)}, with commas between")
            return []
        return words

    def page(self, parts: int) -> PageQuery:
        """The page; a position of this list has so many parts."""
        return PageQuery(limit=self._limit(), after=self._position(parts))

    def _limit(self) -> int:
        text = self.given.get("limit", str(DEFAULT_LIMIT))
        if re.fullmatch("[0-9]{1,4}", text) and 1 <= int(text) <= MAX_LIMIT:
            return int(text)
        self.add_error("limit", f"must be a whole number from 1 to {MAX_LIMIT}")
        return DEFAULT_LIMIT

    def _position(self, parts: int) -> PagePosition:
        text = self.given.get("cursor", "")
        position = decode_position(text) if text else ()
        if position is None or len(position) not in (0, parts):
            self.add_error("cursor", "must be as nextLink has it")
            return ()
        return position

    def finish(self) -> None:
        """End the reading.

        Raises:
            InvalidRequest: naming every parameter that is unknown or wrong.
        """
        if self.errors:
            raise InvalidRequest(self.errors)


def encode_position(position: PagePosition) -> str:
    """Write a position as text that needs no escapes in an address."""
    return base64.urlsafe_b64encode(msgspec.json.encode(position)).decode().rstrip("=")


def decode_position(text: str) -> PagePosition | None:
    """Read a position; None if it is none."""
    if len(text) > MAX_CURSOR_LENGTH or not re.fullmatch(r"[\w-]+", text, re.ASCII):
        return None
    padded = text + "=" * (-len(text) % 4)
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(padded), type=tuple[str, ...])
    except (binascii.Error, ValueError, RecursionError):
        return None


def next_link(address: str, given: Mapping[str, str], position: PagePosition | None) -> str | None:
    """The address of the next page; None if there is none."""
    if position is None:
        return None
    return f"{address}?{urlencode({**given, 'cursor': encode_position(position)})}"
