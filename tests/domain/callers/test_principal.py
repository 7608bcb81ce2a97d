from __future__ import annotations

import base64
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entra_sod.domain.callers.caller import AppRole, Caller, CallerKind, UnknownCaller
from entra_sod.domain.callers.principal import MAX_PRINCIPAL_LENGTH, PRINCIPAL, read_principal
from tests.credentials import OBJECT_ID, encoded, principal

LONG_ROLE = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"


class Headers(dict[str, str]):
    """As the host gives them: found by names in any case."""

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
        return super().get(name.lower(), default)


def read(headers: Mapping[str, str]) -> Caller | UnknownCaller | None:
    return read_principal(Headers({name.lower(): value for name, value in headers.items()}))


@pytest.mark.parametrize("role_typ", ["roles", LONG_ROLE])
def test_a_principal_is_known_by_its_object_id_and_roles(role_typ: str) -> None:
    """Roles are read from the claim `roles`, by its short name or its long one."""
    headers = principal("SoD.Check", "SoD.Read", "sod.admin", "Owner", role_typ=role_typ)
    roles = frozenset({AppRole.CHECK, AppRole.READ})
    assert read(headers) == Caller(kind=CallerKind.PRINCIPAL, id=OBJECT_ID, roles=roles)


def test_roles_under_the_tokens_own_name_count_as_well() -> None:
    """Entra's claim is `roles`, whatever `role_typ` says."""
    headers = principal(role_typ=LONG_ROLE, claims=[("roles", "SoD.Decide")])
    caller = read(headers)
    assert isinstance(caller, Caller)
    assert caller.roles == {AppRole.DECIDE}


def test_a_claim_of_another_type_gives_no_role() -> None:
    """A group or a name that is called like a role is none."""
    caller = read(principal(claims=[("groups", "SoD.Admin"), ("name", "SoD.Admin")]))
    assert isinstance(caller, Caller)
    assert caller.roles == frozenset()


@pytest.mark.parametrize("role_typ", ["groups", "name", "wids", "Roles", "roles ", ""])
def test_f2_no_claim_becomes_a_role_by_being_named_so(role_typ: str) -> None:
    """A group named `SoD.Admin` is no role, whatever the principal calls its roles."""
    caller = read(principal("SoD.Admin", role_typ=role_typ))
    assert isinstance(caller, Caller)
    assert caller.roles == frozenset()


def test_a_request_without_a_sign_in_has_no_caller() -> None:
    """Without the header there is no principal, whatever the other header says."""
    assert read({"X-MS-CLIENT-PRINCIPAL-ID": OBJECT_ID}) is None


def test_the_id_header_stands_in_for_the_claim() -> None:
    """The object id comes from the claims, or else from the platform's other header."""
    headers = principal("SoD.Read", object_id=None)
    assert isinstance(read(headers), UnknownCaller)
    caller = read({**headers, "x-ms-client-principal-id": OBJECT_ID.upper()})
    assert isinstance(caller, Caller)
    assert caller.id == OBJECT_ID


@pytest.mark.parametrize("provider", ["google", "facebook", "twitter", "github", "", "AAD "])
def test_another_providers_principal_is_a_stranger(provider: str) -> None:
    """A role among the claims of another provider is not one that Entra gave."""
    assert isinstance(read(principal("SoD.Admin", auth_typ=provider)), UnknownCaller)


@pytest.mark.parametrize(
    "headers",
    [
        {PRINCIPAL: "not base64!"},
        {PRINCIPAL: "e30="},
        {PRINCIPAL: base64.b64encode(b"[" * 40_000).decode()},
        {PRINCIPAL: base64.b64encode(b"\xff\xfe").decode()},
        {PRINCIPAL: "A" * (MAX_PRINCIPAL_LENGTH + 4)},
        encoded({"auth_typ": "aad"}),
        encoded({"auth_typ": "aad", "claims": [{"typ": "roles"}]}),
        encoded({"auth_typ": "aad", "claims": {"roles": "SoD.Admin"}}),
        encoded({"auth_typ": ["aad"], "claims": []}),
        principal("SoD.Admin", object_id="../x"),
    ],
)
def test_what_cannot_be_read_is_a_stranger(headers: Mapping[str, str]) -> None:
    """A principal that is broken, too large or without an id never becomes a caller."""
    assert isinstance(read(headers), UnknownCaller)


@given(st.binary(max_size=200))
def test_no_bytes_get_through(data: bytes) -> None:
    """Whatever the header holds, reading it ends, and gives no caller by chance."""
    assert isinstance(read({PRINCIPAL: base64.b64encode(data).decode() or "x"}), UnknownCaller)
