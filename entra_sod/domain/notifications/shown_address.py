"""What may be shown of an address that events are sent to. Pure.

The query of such an address is often a signature, and a long segment of its path may be a secret as
well: that is how the webhooks of chat systems are made.
"""

from __future__ import annotations

from urllib.parse import urlsplit

MAX_SEGMENT_LENGTH, MAX_SHOWN_PATH = 16, 200
_KEPT = 4


def shown_address(url: str) -> tuple[str, str]:
    """The host of an address, and its path with long segments cut short; empty if it is none."""
    try:
        found = urlsplit(url)
        host = found.hostname or ""
    except ValueError:
        return "", ""
    path = "/".join(map(_shown_segment, found.path.split("/")))
    return host, path[:MAX_SHOWN_PATH]


def _shown_segment(segment: str) -> str:
    return segment if len(segment) <= MAX_SEGMENT_LENGTH else f"{segment[:_KEPT]}…"
