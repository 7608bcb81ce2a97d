"""Credentials of every kind, as they come with a request."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping

from entra_sod.domain.callers.keys import digest_of

OBJECT_ID = "5a3c2f4e-8e1b-4c8e-9a57-0d9f6d1c2b3a"
KEY, OTHER_KEY = "k-" + "3" * 40, "k-" + "4" * 40
OBJECT_ID_CLAIM = "http://schemas.microsoft.com/identity/claims/objectidentifier"


def keys_setting(**keys: str) -> str:
    """`CALLER_KEYS` for these keys by their names."""
    return " ".join(f"{name}:{digest_of(key).hex()}" for name, key in keys.items())


def with_key(key: str = KEY) -> dict[str, str]:
    return {"x-functions-key": key}


def principal(
    *roles: str,
    auth_typ: str = "aad",
    role_typ: str = "roles",
    object_id: str | None = OBJECT_ID,
    claims: Iterable[tuple[str, str]] = (),
) -> dict[str, str]:
    """The headers that Easy Auth writes for a caller with these app roles."""
    named = [(role_typ, role) for role in roles]
    if object_id is not None:
        named.append((OBJECT_ID_CLAIM, object_id))
    return encoded(
        {
            "auth_typ": auth_typ,
            "claims": [{"typ": typ, "val": val} for typ, val in (*named, *claims)],
            "name_typ": "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
            "role_typ": role_typ,
        }
    )


def encoded(value: Mapping[str, object]) -> dict[str, str]:
    text = base64.b64encode(json.dumps(value).encode()).decode()
    return {"x-ms-client-principal": text}
