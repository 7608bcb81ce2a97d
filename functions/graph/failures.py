"""From an HTTP status to one of our errors. By status alone: message texts are no contract."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from functions.errors import Forbidden, GraphError, NotFound, Rejected, Throttled, Unavailable

_UNAVAILABLE_FROM = 500
_REDIRECT = range(300, 400)
_LONGEST_RETRY_AFTER = 86_400.0  # a queue hides a message for seven days at most


def graph_error(
    what: str, status: int, headers: Mapping[str, str], *, now: datetime | None = None
) -> GraphError:
    """Name a failed answer.

    Args:
        what: the request in a few words, such as "reading package 2506…".
        status: the HTTP status.
        headers: of the answer, in lower case.
        now: the moment against which a Retry-After date is held.
    """
    request_id = headers.get("request-id")
    if status == 429:  # noqa: PLR2004 - Too Many Requests
        return Throttled(
            f"Graph throttles {what}",
            retry_after=retry_after_seconds(headers.get("retry-after"), now or datetime.now(UTC)),
            request_id=request_id,
        )
    kind, words = _kind(status)
    return kind(f"Graph answers {status} to {what}: {words}", status=status, request_id=request_id)


def _kind(status: int) -> tuple[type[GraphError], str]:
    if status in (401, 403):
        return Forbidden, (
            "the app's identity may not do this, or there is no such thing. Grant it Access "
            "package manager (Catalog reader to read only) on the catalog"
        )
    if status == 404:  # noqa: PLR2004 - Not Found
        return NotFound, "there is no such thing. Compare the id with the portal's"
    if status in (408, 425) or status >= _UNAVAILABLE_FROM:
        return Unavailable, "try again later"
    if status in _REDIRECT:
        return Rejected, "a redirect is not followed, the token stays with the configured root"
    return Rejected, "refused as it stands"


def retry_after_seconds(value: str | None, now: datetime) -> float | None:
    """Read Retry-After: seconds, or an HTTP date, or nothing usable (None)."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), _LONGEST_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(0.0, (moment - now).total_seconds()), _LONGEST_RETRY_AFTER)
