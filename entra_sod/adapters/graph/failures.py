"""From an HTTP status to one of our errors. By status: message texts are no contract.

The one code that is looked at tells a missing licence from a missing role, both of which are 403.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import msgspec

from entra_sod.core.errors import (
    Forbidden,
    GraphError,
    NotFound,
    Rejected,
    Throttled,
    Unavailable,
    Unlicensed,
)

_UNAVAILABLE_FROM = 500
_REDIRECT = range(300, 400)
_MAX_RETRY_AFTER_SECONDS = 86_400.0  # a queue hides a message for seven days at most
_NO_LICENCE = "NoLicense"  # observed in the wild, not documented
_NOT_SIGNED_IN = (
    "the token of the app's identity is not accepted. It may be expired, or of another tenant or "
    "cloud. Sign in again, and compare the tenant and the cloud with the settings"
)
_NO_ROLE = (
    "the app's identity may not do this, or there is no such thing. Grant it Access "
    "package manager (Catalog reader to read only) on the catalog"
)


class _Error(msgspec.Struct, frozen=True):
    code: str = ""


class _Body(msgspec.Struct, frozen=True):
    error: _Error = _Error()


def graph_error(
    what: str,
    status: int,
    headers: Mapping[str, str],
    *,
    body: bytes = b"",
    now: datetime | None = None,
) -> GraphError:
    """Name a failed answer.

    Args:
        what: the request in a few words, such as "reading package 2506…".
        status: the HTTP status.
        headers: of the answer, in lower case.
        body: of the answer.
        now: the moment against which a Retry-After date is held where the answer has no date.
    """
    request_id = headers.get("request-id")
    if status == 429:  # noqa: PLR2004 - Too Many Requests
        return Throttled(
            f"Graph throttles {what}",
            retry_after=_retry_after(headers, now or datetime.now(UTC)),
            request_id=request_id,
        )
    kind, words = _kind(status, body)
    return kind(f"Graph answers {status} to {what}: {words}", status=status, request_id=request_id)


def _kind(status: int, body: bytes) -> tuple[type[GraphError], str]:
    if status == 403 and _code(body) == _NO_LICENCE:  # noqa: PLR2004 - Forbidden
        return Unlicensed, (
            "the tenant has no licence for entitlement management, so no role helps. It takes "
            "Microsoft Entra ID Governance, or Entra ID P2; after a renewal allow some hours"
        )
    if status in (401, 403):
        return Forbidden, _NOT_SIGNED_IN if status == 401 else _NO_ROLE  # noqa: PLR2004 - Unauthorized
    if status == 404:  # noqa: PLR2004 - Not Found
        return NotFound, "there is no such thing. Compare the id with the portal's"
    if status in (408, 425) or status >= _UNAVAILABLE_FROM:
        return Unavailable, "try again later"
    if status in _REDIRECT:
        return Rejected, "a redirect is not followed, the token stays with the configured root"
    return Rejected, "refused as it stands"


def _code(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=_Body).error.code
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""


def _retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """The wait that an answer asks for, told by its own clock: ours may be wrong."""
    return retry_after_seconds(headers.get("retry-after"), _moment_of(headers.get("date")) or now)


def retry_after_seconds(value: str | None, now: datetime) -> float | None:
    """Read Retry-After: seconds, or an HTTP date, or nothing usable (None)."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), _MAX_RETRY_AFTER_SECONDS)
    moment = _moment_of(text)
    if moment is None:
        return None
    return min(max(0.0, (moment - now).total_seconds()), _MAX_RETRY_AFTER_SECONDS)


def clock_skew(date: str | None, now: datetime) -> timedelta | None:
    """How far the clock that wrote a Date header is ahead; None where there is none to read."""
    moment = _moment_of(date)
    return moment - now if moment else None


def _moment_of(date: str | None) -> datetime | None:
    """Read an HTTP date; None where there is none to read."""
    try:
        moment = parsedate_to_datetime(date or "")
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
