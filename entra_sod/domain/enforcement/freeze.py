"""A freeze: nothing is written until it ends."""

from __future__ import annotations

from typing import Annotated

import msgspec

MAX_REASON_LENGTH = 200


class FreezeRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`PUT /freeze`.

    Attributes:
        reason: why nothing may be written, for everybody who sees it.
    """

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_REASON_LENGTH, pattern=r"\S")]


class Freeze(msgspec.Struct, frozen=True, kw_only=True):
    """No reference is written until it ends.

    Attributes:
        reason: why.
        by: who froze writing.
        since: RFC 3339.
    """

    reason: str
    by: str
    since: str

    def __str__(self) -> str:
        return f"writing is frozen since {self.since} by {self.by}: {self.reason}"
