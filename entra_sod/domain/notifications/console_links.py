"""Addresses in the console, for what people are told of. Pure."""

from __future__ import annotations

from urllib.parse import quote, urlencode

import msgspec


def finding_link(app: str, finding_id: str) -> str:
    """The place of one finding.

    Args:
        app: the address of the app, up to `/api`.
        finding_id: of the finding.
    """
    return f"{app}/console#/findings/{quote(finding_id, safe='')}"


def owner_link(app: str, owner: str) -> str:
    """The list of the findings of one owner's rules that stand."""
    return f"{app}/console#/findings?{urlencode({'owner': owner})}"


def with_owner_link(digest: bytes, app: str) -> bytes:
    """Add the list of the owner's findings to a digest, whose other fields stay as they are."""
    fields = msgspec.json.decode(digest, type=dict[str, msgspec.Raw])
    link = owner_link(app, msgspec.json.decode(fields["owner"], type=str))
    return msgspec.json.encode({**fields, "link": link})
