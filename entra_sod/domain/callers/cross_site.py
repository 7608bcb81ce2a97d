"""Writes that another site has a browser send with a caller's cookie (CSRF). Pure.

Easy Auth signs a browser in by a cookie, which the browser adds to every request, whichever site
made it send one. So a write from a browser has to come from the app's own page: by what the browser
says of it, and by a header that no form and no other site can add.
https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from entra_sod.domain.callers.caller import CallerKind

PROOF_HEADER, PROOF = "X-Requested-With", "entra-sod"
_SITE, _ORIGIN = "sec-fetch-site", "origin"
# What browsers add to their requests, and some other clients as well.
_OF_BROWSERS = (_SITE, "sec-fetch-mode", "sec-fetch-dest", "sec-fetch-user", "cookie")
_OWN_SITE = ("same-origin", "none")
_DEFAULT_PORTS = {"https": ":443", "http": ":80"}


def why_cross_site(
    headers: Mapping[str, str], kind: CallerKind, hosts: Collection[str]
) -> str | None:
    """Say why a write may be another site's; None where it is not.

    Args:
        headers: of the request, found by names in any case.
        kind: how the app knows the caller. No browser adds a key, or a bearer token, by itself.
        hosts: names of this app in lower case, with a port if any.
    """
    if kind is CallerKind.KEY or _has_token(headers):
        return None
    site, origin = headers.get(_SITE), headers.get(_ORIGIN)
    if site and site.strip().lower() not in _OWN_SITE:
        return f"The browser says that another site sends it (Sec-Fetch-Site: {site[:20]})."
    if not site and origin and host_of(origin) not in hosts:
        return "The browser says that another site sends it (Origin). Use the app's own page."
    is_browser = any(headers.get(each) for each in _OF_BROWSERS)
    if is_browser and headers.get(PROOF_HEADER) != PROOF:
        return f"Send the header {PROOF_HEADER}: {PROOF} with each write from a browser."
    return None


def _has_token(headers: Mapping[str, str]) -> bool:
    return (headers.get("authorization") or "").lower().startswith("bearer ")


def host_of(origin: str) -> str:
    """The host of an origin in lower case, without a port that is the usual one; empty if none."""
    try:
        found = urlsplit(origin.strip().lower())
    except ValueError:
        return ""
    return found.netloc.removesuffix(_DEFAULT_PORTS.get(found.scheme, ""))
