"""The bodies of an approval. Pure."""

from __future__ import annotations

from typing import Annotated

import msgspec

MAX_RULES_AT_ONCE = 100

type _Id = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
type _Hash = Annotated[str, msgspec.Meta(pattern=r"^sha256:[0-9a-f]{64}$", max_length=71)]


class SelectionToApprove(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule, and the selection that was shown of it.

    Attributes:
        id: of the rule.
        selection: as `GET /selections` showed it.
    """

    id: _Id
    selection: _Hash


class ApprovalRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /selections/approve`.

    Attributes:
        rules: whose selections are approved, as they were shown.
    """

    rules: Annotated[
        list[SelectionToApprove], msgspec.Meta(min_length=1, max_length=MAX_RULES_AT_ONCE)
    ]


class ApprovedSelectionView(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A selection that is approved.

    Attributes:
        id: of the rule.
        selection: that is approved.
        reviewed_at: since when.
        reviewed_by: by whom.
    """

    id: str
    selection: str
    reviewed_at: str
    reviewed_by: str


class ApprovalResult(msgspec.Struct, frozen=True, kw_only=True):
    """What is approved; the next sweep writes what was held."""

    approved: list[ApprovedSelectionView]
