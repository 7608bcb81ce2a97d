"""Does a webhook come from its source? Pure, and before anything is parsed.

Every refusal costs the same: everything is computed and compared whatever was missing or wrong,
with as many keys as a source may have, so that neither the answer nor its time tells what it was.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import msgspec

from entra_sod.domain.callers.caller import AppRole, Caller, UnknownCaller
from entra_sod.domain.notifications.signature import MAX_KEYS, SigningKey, verify
from entra_sod.domain.webhooks.json_pointer import find
from entra_sod.domain.webhooks.source import (
    DEFAULT_HEADERS,
    ReceivedWebhook,
    Scheme,
    SourceKind,
    WebhookField,
    WebhookSource,
)

# A sender's own clock in a signed body: Jira tries again for half an hour.
MAX_AGE, MAX_CLOCK_AHEAD = timedelta(hours=1), timedelta(minutes=5)
_ASKING = (AppRole.CHECK, AppRole.DECIDE)
_AUTHORIZATION = "authorization"
_HEX_PREFIX = "sha256="
_MILLISECONDS_FROM = 100_000_000_000

# Stands in for a source that does not exist, so that looking for one costs what a wrong key costs.
_NO_SOURCE = WebhookSource(
    name="",
    kind=SourceKind.GENERIC,
    scheme=Scheme.HMAC_SHA256,
    header=DEFAULT_HEADERS[Scheme.HMAC_SHA256],
    keys=(SigningKey(secrets.token_bytes(32)),),
)


def is_authentic(
    source: WebhookSource | None,
    headers: Mapping[str, str],
    body: bytes,
    *,
    caller: Caller | UnknownCaller,
    now: datetime,
) -> bool:
    """Whether a request proves to come from a source.

    Args:
        source: None for a name that is not set up, which nothing comes from.
        headers: of the request, names in lower case.
        body: as it came.
        caller: who the app takes the sender for.
        now: for schemes that sign the time.
    """
    asked = source or _NO_SOURCE
    if asked.scheme is Scheme.ENTRA:
        proved = isinstance(caller, Caller) and caller.is_signed_in and caller.may(_ASKING)
    elif asked.scheme is Scheme.STANDARD_WEBHOOKS:
        proved = verify(headers, body, _padded(asked), now=now.timestamp())
    elif asked.scheme is Scheme.HMAC_SHA256:
        proved = _is_signed(asked, headers.get(asked.header, ""), body)
    else:
        proved = _is_known(asked, headers.get(asked.header or _AUTHORIZATION, ""))
    return proved and source is not None


def _padded(source: WebhookSource) -> tuple[SigningKey, ...]:
    """As many keys as a source may have: one that has fewer repeats them."""
    return (source.keys * MAX_KEYS)[:MAX_KEYS]


def _is_signed(source: WebhookSource, given: str, body: bytes) -> bool:
    presented = given.removeprefix(_HEX_PREFIX).encode(errors="replace")
    return _any_equal(
        presented, source, lambda key: hmac.digest(key, body, hashlib.sha256).hex().encode()
    )


def _is_known(source: WebhookSource, given: str) -> bool:
    # Digests are compared, as the time of comparing texts would tell a secret's length.
    presented = hashlib.sha256(given.encode(errors="replace")).digest()
    return _any_equal(
        presented, source, lambda key: hashlib.sha256(_as_sent(source.scheme, key)).digest()
    )


def _any_equal(presented: bytes, source: WebhookSource, expected: Callable[[bytes], bytes]) -> bool:
    found = [hmac.compare_digest(expected(key.secret), presented) for key in _padded(source)]
    return any(found)


def _as_sent(scheme: Scheme, secret: bytes) -> bytes:
    if scheme is Scheme.BEARER:
        return b"Bearer " + secret
    if scheme is Scheme.BASIC:
        return b"Basic " + base64.b64encode(secret)
    return secret


def is_recent(delivery: ReceivedWebhook, source: WebhookSource, now: datetime) -> bool:
    """Whether the time that a body carries is near enough; so is none at all.

    It is seconds or milliseconds since 1970, or RFC 3339 text. If the body is signed, no third
    party can have changed it or taken it out.
    """
    place = source.fields.get(WebhookField.TIMESTAMP)
    stamp = find(delivery.value, place) if place else None
    if stamp is None:
        return True
    context = _moment(stamp)
    return context is not None and -MAX_CLOCK_AHEAD <= now - context <= MAX_AGE


def _moment(stamp: object) -> datetime | None:
    try:
        if type(stamp) is int and stamp >= _MILLISECONDS_FROM:
            stamp = stamp / 1000
        context = msgspec.convert(stamp, datetime, strict=False)
    except (msgspec.ValidationError, OverflowError):
        return None
    return context if context.tzinfo else None
