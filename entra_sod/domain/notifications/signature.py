"""Signatures of Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`. Pure.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
TOLERANCE_SECONDS = 300
MAX_KEYS = 2
_PREFIX = "whsec_"
_VERSION = "v1,"
_KEY_BYTES = range(24, 65)
_MAX_SIGNATURES = 10


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A secret that is never shown."""

    secret: bytes = field(repr=False)


def parse_signing_keys(text: str) -> tuple[SigningKey, ...]:
    """Read one or two keys, newest first, as `whsec_` and base64 of 24 to 64 bytes each.

    Raises:
        ValueError: naming no part of the keys.
    """
    keys = tuple(_key(each.strip()) for each in re.split(r"[,\s]+", text.strip()) if each)
    if len(keys) > MAX_KEYS:
        raise ValueError(f"more than {MAX_KEYS} keys")
    return keys


def _key(text: str) -> SigningKey:
    if not text.startswith(_PREFIX):
        raise ValueError("no whsec_ key")
    try:
        secret = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except ValueError:
        raise ValueError("not base64") from None
    if len(secret) not in _KEY_BYTES:
        raise ValueError("a key of another length")
    return SigningKey(secret)


def sign(keys: Sequence[SigningKey], *, message_id: str, seconds: int, body: bytes) -> str:
    """Sign with every key, the newest first, with spaces between.

    Args:
        keys: at least one.
        message_id: the same at each try.
        seconds: of this try, since 1970.
        body: as it is sent, byte for byte.
    """
    content = f"{message_id}.{seconds}.".encode() + body
    return " ".join(_VERSION + _digest(key, content) for key in keys)


def verify(
    headers: Mapping[str, str], body: bytes, keys: Sequence[SigningKey], *, now: float
) -> bool:
    """Whether one of the keys signed this body, within five minutes of now.

    Everything is computed and compared whatever was found wrong before, so that the time it takes
    does not tell what it was.

    Args:
        headers: of the request, names in lower case.
        body: as it came, before anything was parsed.
        keys: any of them may have signed.
        now: seconds since 1970.
    """
    stamp = headers.get(TIMESTAMP, "")
    content = f"{headers.get(ID, '')}.{stamp}.".encode(errors="replace") + body
    given = [
        each.removeprefix(_VERSION).encode(errors="replace")
        for each in headers.get(SIGNATURE, "").split(" ")[:_MAX_SIGNATURES]
        if each.startswith(_VERSION)
    ] or [b""]
    expected = [_digest(key, content).encode() for key in keys]
    found = [hmac.compare_digest(one, other) for one in expected for other in given]
    return any(found) and bool(headers.get(ID)) and _is_near(stamp, now)


def _is_near(stamp: str, now: float) -> bool:
    if not re.fullmatch(r"[0-9]{1,12}", stamp):
        return False
    return abs(now - int(stamp)) <= TOLERANCE_SECONDS


def _digest(key: SigningKey, content: bytes) -> str:
    return base64.b64encode(hmac.digest(key.secret, content, hashlib.sha256)).decode()
