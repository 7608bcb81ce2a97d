"""What a sweep or a check says of a rule that is found only."""

from __future__ import annotations

import msgspec

from entra_sod.domain.results.coverage import Outcome


class SetSummary(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A rule that is found only: how many subjects are in conflict with it.

    Attributes:
        form: of the rule, such as `allOf`.
        at_most: how many packages of the set, or on how many of the sides, one subject may be.
        size: how many packages the rule looks at.
        outcome: unknown where the assignments of a package of it were not read.
    """

    rule: str
    form: str
    at_most: int
    size: int
    outcome: Outcome
    holder_count: int
