"""Who a token for Graph is for."""

from __future__ import annotations

import base64
import binascii

import msgspec

from entra_sod.domain.roles.model import TokenPrincipal


class WireClaims(msgspec.Struct):
    """Of a token only what tells who asks; its signature is Graph's to check."""

    oid: str = ""
    roles: list[str] = []
    scp: str = ""
    upn: str = ""
    preferred_username: str = ""
    app_displayname: str = ""
    tid: str = ""


_claims = msgspec.json.Decoder(WireClaims)


def caller_of(token: str) -> TokenPrincipal:
    """Read who a token is for; a token that is no JWT says nothing."""
    payload = token.split(".")[1] if token.count(".") > 1 else ""
    try:
        claims = _claims.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (binascii.Error, msgspec.DecodeError, UnicodeDecodeError):
        return TokenPrincipal()
    person = claims.upn or claims.preferred_username
    return TokenPrincipal(
        principal_id=claims.oid.lower(),
        permissions=frozenset(claims.roles),
        scopes=frozenset(claims.scp.split()),
        is_person=bool(claims.scp),
        name=person or ("" if claims.scp else claims.app_displayname),
        tenant_id=claims.tid.lower(),
    )
