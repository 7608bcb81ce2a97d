"""Access tokens: signed and stateless, so that they outlive a restart of the simulator."""

import base64
import binascii
import hashlib
import hmac

import msgspec

from local.graph.errors import unauthenticated


class Claims(msgspec.Struct, kw_only=True, frozen=True):
    aud: str
    appid: str
    oid: str
    nbf: int
    exp: int
    idtyp: str = "app"


def signing_key(identity_header: str) -> bytes:
    return hashlib.sha256(b"entra-sod simulator tokens\0" + identity_header.encode()).digest()


def seal(payload: bytes, key: bytes) -> str:
    """The payload and its signature, in characters that a URL and a header can carry."""
    signature = hmac.digest(key, payload, "sha256")
    return f"{_encode(payload)}.{_encode(signature)}"


def unseal(sealed: str, key: bytes) -> bytes | None:
    """The payload; None unless it was sealed with this key and nothing was changed since."""
    payload, _, signature = (_decode(part) for part in sealed.partition("."))
    return payload if hmac.compare_digest(hmac.digest(key, payload, "sha256"), signature) else None


def issue(claims: Claims, key: bytes) -> str:
    header = _encode(b'{"typ":"JWT","alg":"HS256"}')
    return f"{header}.{seal(msgspec.json.encode(claims), key)}"


def read(token: str, key: bytes, *, now: float) -> Claims:
    """The claims of a token that is ours and still valid."""
    _, dot, sealed = token.partition(".")
    payload = unseal(sealed, key) if dot else None
    if payload is None:
        raise unauthenticated("Access token validation failure. Invalid signature.")
    claims = msgspec.json.decode(payload, type=Claims)
    if not claims.nbf <= now < claims.exp:
        raise unauthenticated("Lifetime validation failed, the token is expired.")
    return claims


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""
