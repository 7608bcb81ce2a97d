"""One contract for roles: in memory, and over HTTP to the simulator."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from entra_sod.adapters.graph.claims import caller_of
from entra_sod.cli.operations.roles.client import WritableRoles, WritableRolesClient
from entra_sod.core.errors import Forbidden, NotFound, Rejected, Unavailable, Unlicensed
from entra_sod.domain.entra import Catalog
from entra_sod.domain.roles.model import CatalogRole, RoleAssignment, TokenPrincipal
from entra_sod.settings import read_settings
from local.memory.roles import MemoryRoles
from tests.adapters.graph.fixtures import Simulator
from tests.adapters.graph.tenant import FINANCE, TREASURY
from tests.builders import guid
from tests.cli.operations.extensions.hooked import owner_role

APP = guid("f1")
OTHER = guid("f2")


def manager(catalog_id: str = FINANCE, principal_id: str = APP) -> RoleAssignment:
    return RoleAssignment(
        principal_id=principal_id, role_id=CatalogRole.PACKAGE_MANAGER, catalog_id=catalog_id
    )


OWNER = RoleAssignment(principal_id=APP, role_id=CatalogRole.CATALOG_OWNER, catalog_id=FINANCE)


def in_memory() -> MemoryRoles:
    catalogs = [Catalog(id=FINANCE, display_name="Finance")]
    made = MemoryRoles(catalogs, [OWNER], TokenPrincipal(principal_id=APP))
    made.known |= {OTHER}
    return made


@pytest.fixture(params=["memory", "simulator"])
async def roles(
    request: pytest.FixtureRequest,
    simulator: Simulator,
    few_certificates: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[WritableRoles]:
    """The app as an owner of Finance."""
    if request.param == "memory":
        yield in_memory()
        return
    monkeypatch.setenv("SSL_CERT_FILE", str(few_certificates))
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER"):
        monkeypatch.setenv(name, simulator.settings[name])
    simulator.control.replace_roles(msgspec.to_builtins(owner_role(APP, owns=True)))
    client = WritableRolesClient(read_settings(simulator.settings).graph)
    yield client
    await client.close()


async def test_the_caller_is_known_by_its_token(roles: WritableRoles) -> None:
    """The object id, which roles are given to, and not the client id."""
    assert await roles.caller() == TokenPrincipal(principal_id=APP)


async def test_catalogs_and_roles_are_those_that_may_be_read(roles: WritableRoles) -> None:
    """One catalog, and the one role on it."""
    assert await roles.catalogs() == [Catalog(id=FINANCE, display_name="Finance")]
    assert await roles.of_principal(APP) == [OWNER]
    assert await roles.of_principal(OTHER) == []


async def test_a_role_is_given_on_an_own_catalog(roles: WritableRoles) -> None:
    """It is listed right away; given again, it is refused and there once."""
    await roles.assign(manager(principal_id=OTHER))
    assert await roles.of_principal(OTHER) == [manager(principal_id=OTHER)]
    with pytest.raises(Rejected):
        await roles.assign(manager(principal_id=OTHER))
    assert len(await roles.of_principal(OTHER)) == 1


async def test_a_role_elsewhere_is_refused(roles: WritableRoles) -> None:
    """Owning one catalog gives no rights on another, whether it exists or not."""
    for catalog_id in (TREASURY, guid("99")):
        with pytest.raises(Forbidden):
            await roles.assign(manager(catalog_id))


async def test_an_unknown_principal_is_refused(roles: WritableRoles) -> None:
    """As one that Entra does not know yet."""
    with pytest.raises((Rejected, NotFound)):
        await roles.assign(manager(principal_id=guid("77")))


async def test_clocks_are_compared(roles: WritableRoles) -> None:
    """On one machine they agree, to the second that a Date header has."""
    await roles.catalogs()
    skew = roles.clock_skew()
    assert skew is not None
    assert abs(skew.total_seconds()) < 60


@pytest.mark.parametrize("roles", ["simulator"], indirect=True)
async def test_a_missing_licence_is_no_missing_role(
    roles: WritableRoles, simulator: Simulator
) -> None:
    """Every call of entitlement management says so, roles among them."""
    simulator.control.behave(licensed=False)
    with pytest.raises(Unlicensed, match="licence"):
        await roles.catalogs()
    with pytest.raises(Unlicensed):
        await roles.of_principal(APP)


@pytest.mark.parametrize("roles", ["simulator"], indirect=True)
async def test_no_identity_is_no_token(
    roles: WritableRoles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a managed identity there is no caller, and the error says so."""
    monkeypatch.setenv("IDENTITY_HEADER", "wrong")
    with pytest.raises(Unavailable, match="No token"):
        await roles.caller()


def jwt(claims: bytes) -> str:
    payload = base64.urlsafe_b64encode(claims).rstrip(b"=").decode()
    return f"e30.{payload}.c2ln"


@pytest.mark.parametrize(
    ("token", "caller"),
    [
        (
            jwt(b'{"oid": "AA", "scp": "User.Read openid"}'),
            TokenPrincipal(
                principal_id="aa", scopes=frozenset({"User.Read", "openid"}), is_person=True
            ),
        ),
        (
            jwt(b'{"oid": "aa", "roles": ["EntitlementManagement.Read.All"]}'),
            TokenPrincipal(
                principal_id="aa", permissions=frozenset({"EntitlementManagement.Read.All"})
            ),
        ),
        (
            jwt(b'{"oid": "aa", "upn": "ada@example.com", "scp": "x"}'),
            TokenPrincipal(
                principal_id="aa",
                scopes=frozenset(["x"]),
                is_person=True,
                name="ada@example.com",
            ),
        ),
        (jwt(b'{"app_displayname": "Pipeline"}'), TokenPrincipal(name="Pipeline")),
        (jwt(b"[]"), TokenPrincipal()),
        ("a.b.c", TokenPrincipal()),
        ("local", TokenPrincipal()),
        ("", TokenPrincipal()),
    ],
)
def test_a_token_says_who_asks_or_nothing(token: str, caller: TokenPrincipal) -> None:
    """Applications and persons differ. An unreadable token gives no caller, and no error."""
    assert caller_of(token) == caller
