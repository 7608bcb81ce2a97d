"""Cookies that a function sets: the worker takes them apart, the host writes them again."""

from datetime import UTC, datetime
from email.utils import format_datetime

from local.host.protos import Message, SameSite

_SAME_SITE = {SameSite.Lax: "lax", SameSite.Strict: "strict", SameSite.ExplicitNone: "none"}


def set_cookie(cookie: Message) -> str:
    """The value of a Set-Cookie header."""
    parts = [f"{cookie.name}={cookie.value}"]
    if cookie.expires is not None:
        moment = datetime.fromtimestamp(cookie.expires.value.seconds, UTC)
        parts.append(f"expires={format_datetime(moment, usegmt=True)}")
    if cookie.max_age is not None:
        parts.append(f"max-age={cookie.max_age.value:.0f}")
    parts += [f"{name}={each.value}" for name, each in _texts(cookie) if each and each.value]
    parts += [name for name, each in _flags(cookie) if each and each.value]
    if cookie.same_site in _SAME_SITE:
        parts.append(f"samesite={_SAME_SITE[cookie.same_site]}")
    return "; ".join(parts)


def _texts(cookie: Message) -> list[tuple[str, Message | None]]:
    return [("domain", cookie.domain), ("path", cookie.path)]


def _flags(cookie: Message) -> list[tuple[str, Message | None]]:
    return [("secure", cookie.secure), ("httponly", cookie.http_only)]
