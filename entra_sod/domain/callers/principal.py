"""The principal that App Service's authentication ("Easy Auth") puts into a request's headers.

https://learn.microsoft.com/azure/app-service/configure-authentication-user-identities
Trust these headers only if the platform wrote them: without it any client can.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from uuid import UUID

import msgspec

from entra_sod.domain.callers.caller import AppRole, Caller, CallerKind, UnknownCaller

# In lower case, as the names of headers compare in any.
PRINCIPAL, PRINCIPAL_ID = "x-ms-client-principal", "x-ms-client-principal-id"
ENTRA = "aad"
MAX_PRINCIPAL_LENGTH = 64 * 1024
_OBJECT_ID = ("http://schemas.microsoft.com/identity/claims/objectidentifier", "oid")
_ROLES = ("roles", "http://schemas.microsoft.com/ws/2008/06/identity/claims/role")


class _Claim(msgspec.Struct, frozen=True):
    typ: str
    val: str


class _Principal(msgspec.Struct, frozen=True):
    auth_typ: str
    claims: list[_Claim]


def read_principal(headers: Mapping[str, str]) -> Caller | UnknownCaller | None:
    """Read the principal of a request that came through Easy Auth; None without a sign-in."""
    encoded = headers.get(PRINCIPAL)
    if not encoded:
        return None
    principal = _decode(encoded)
    if principal is None:
        return UnknownCaller("the platform's principal cannot be read")
    if principal.auth_typ != ENTRA:
        # Another provider's claims are its own: a role among them is not one that Entra gave.
        return UnknownCaller("the principal was not signed in by Microsoft Entra ID")
    object_id = _object_id(principal, headers)
    if object_id is None:
        return UnknownCaller("the principal has no object id")
    return Caller(kind=CallerKind.PRINCIPAL, id=object_id, roles=frozenset(_roles(principal)))


def _decode(encoded: str) -> _Principal | None:
    if len(encoded) > MAX_PRINCIPAL_LENGTH:
        return None
    try:
        return msgspec.json.decode(base64.b64decode(encoded, validate=True), type=_Principal)
    except (ValueError, RecursionError):
        return None


def _object_id(principal: _Principal, headers: Mapping[str, str]) -> str | None:
    claimed = [each.val for each in principal.claims if each.typ in _OBJECT_ID]
    for text in (*claimed, headers.get(PRINCIPAL_ID) or ""):
        try:
            return str(UUID(text))
        except ValueError:
            continue
    return None


def _roles(principal: _Principal) -> Iterator[AppRole]:
    """The app's roles. `role_typ` is not asked: it may name groups, whose names people choose."""
    known = set(AppRole)
    for claim in principal.claims:
        if claim.typ in _ROLES and claim.val in known:
            yield AppRole(claim.val)
