"""The address that a request came from: what is left to tell strangers apart by."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping

UNKNOWN = "unknown"
_WITH_PORT = re.compile(r"\[?(?P<host>[0-9a-fA-F:.]+?)\]?(:[0-9]{1,5})?")
_SIXTY_FOUR = 64


def address_of(headers: Mapping[str, str]) -> str:
    """Read the last address of X-Forwarded-For, which the platform's own front end wrote.

    Everything before it is the caller's word. An IPv6 network counts as one address, because its
    holder has 2^64 of them.
    """
    last = (headers.get("X-Forwarded-For") or "").rpartition(",")[2].strip()
    found = _WITH_PORT.fullmatch(last)
    for text in (last, found["host"] if found else ""):
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            continue
        if address.version == 4:  # noqa: PLR2004 - IPv4
            return str(address)
        return str(ipaddress.ip_network((address, _SIXTY_FOUR), strict=False))
    return UNKNOWN
