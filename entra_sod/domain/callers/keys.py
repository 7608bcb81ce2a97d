"""The app's own keys: a name and a SHA-256 each, so that settings hold no secret."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass

HEADER = "x-functions-key"
MAX_KEYS = 100
MAX_KEY_LENGTH = 512
_ENTRY = re.compile(r"(?P<name>[a-z0-9][a-z0-9-]{0,39}):(?P<digest>[0-9a-f]{64})", re.ASCII)
_EMPTY = hashlib.sha256(b"").digest()


@dataclass(frozen=True, slots=True)
class CallerKey:
    """A key that is taken: whose it is, and what it hashes to."""

    name: str
    digest: bytes


def parse_caller_keys(text: str) -> tuple[CallerKey, ...]:
    """Read `name:sha256` entries with spaces or commas between; one name may have several keys.

    Raises:
        ValueError: an entry is none, a digest occurs twice, or there are too many.
    """
    keys = tuple(_key(each) for each in re.split(r"[,\s]+", text.strip()) if each)
    digests = {each.digest for each in keys}
    if len(digests) < len(keys) or _EMPTY in digests or len(keys) > MAX_KEYS:
        raise ValueError("keys that say less than they seem to")
    return keys


def _key(entry: str) -> CallerKey:
    found = _ENTRY.fullmatch(entry)
    if found is None:
        raise ValueError("no name and digest")
    return CallerKey(found["name"], bytes.fromhex(found["digest"]))


def find_key(keys: Sequence[CallerKey], presented: str) -> CallerKey | None:
    """Find the key that was presented; every one is compared, each in constant time."""
    if len(presented) > MAX_KEY_LENGTH:
        return None
    digest = digest_of(presented)
    found = [each for each in keys if hmac.compare_digest(each.digest, digest)]
    return found[0] if found else None


def digest_of(key: str) -> bytes:
    """The SHA-256 that stands for a key."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
