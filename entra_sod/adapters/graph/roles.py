"""Roles of entitlement management, and who asks, against a real Graph root."""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from entra_sod.adapters.graph.extensions_wire import catalog, catalogs_page
from entra_sod.adapters.graph.paging import pages
from entra_sod.adapters.graph.urls import GraphUrls
from entra_sod.adapters.graph.wire import WirePage
from entra_sod.adapters.rate_limit.limiters import LocalRateLimiter
from entra_sod.domain.extensions.model import Catalog
from entra_sod.domain.roles.model import CATALOG_SCOPE, Caller, RoleAssignment
from entra_sod.ports.rate_limit import RateLimiter
from entra_sod.settings import GraphSettings

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

    from entra_sod.adapters.graph.transport import GraphTransport

_CATALOGS = "/identityGovernance/entitlementManagement/catalogs"
_ASSIGNMENTS = "/roleManagement/entitlementManagement/roleAssignments"


class WireRoleAssignment(msgspec.Struct, rename="camel"):
    principal_id: str
    role_definition_id: str
    app_scope_id: str | None = None


class WireClaims(msgspec.Struct):
    """Of a token only what tells who asks; its signature is Graph's to check."""

    oid: str = ""
    roles: list[str] = []
    scp: str = ""


assignments_page = msgspec.json.Decoder(WirePage[WireRoleAssignment])
_claims = msgspec.json.Decoder(WireClaims)


class RolesClient:
    """The `Roles` port; one request at a time."""

    def __init__(
        self,
        settings: GraphSettings,
        limiter: RateLimiter | None = None,
        credential: AsyncTokenCredential | None = None,
    ) -> None:
        """Make a client; without a credential, it asks as the settings say."""
        self._settings, self._limiter, self._credential = (
            settings,
            limiter or LocalRateLimiter(),
            credential,
        )
        self._urls = GraphUrls(settings.root)

    @cached_property
    def _transport(self) -> GraphTransport:
        from entra_sod.adapters.graph.transport import GraphTransport

        return GraphTransport(self._settings, self._limiter, self._credential)

    async def caller(self) -> Caller:
        return caller_of(await self._transport.token())

    async def catalogs(self) -> Sequence[Catalog]:
        url = self._urls.absolute(_CATALOGS)
        found = self._pages(catalogs_page, url, "the list of catalogs")
        return [catalog(each) async for page in found for each in page]

    async def of_principal(self, principal_id: str) -> Sequence[RoleAssignment]:
        wanted = quote(f"principalId eq '{principal_id}'", safe="/'")
        url = self._urls.absolute(f"{_ASSIGNMENTS}?$filter={wanted}")
        found = self._pages(assignments_page, url, f"the roles of {principal_id}")
        return [_assignment(each) async for page in found for each in page]

    async def assign(self, wanted: RoleAssignment) -> None:
        body = {
            "principalId": wanted.principal_id,
            "roleDefinitionId": wanted.role_id,
            "appScopeId": CATALOG_SCOPE + wanted.catalog_id,
        }
        what = f"giving {wanted.principal_id} a role on catalog {wanted.catalog_id}"
        url = self._urls.absolute(_ASSIGNMENTS)
        await self._transport.write("POST", url, what, msgspec.json.encode(body))

    def clock_skew(self) -> timedelta | None:
        return self._transport.clock_skew

    def _pages[T](
        self, decoder: msgspec.json.Decoder[WirePage[T]], url: str, what: str
    ) -> AsyncIterator[list[T]]:
        return pages(self._transport.read, self._urls, decoder, url, what)

    async def close(self) -> None:
        """Close the connections, if any were made."""
        if "_transport" in self.__dict__:
            await self._transport.close()


def caller_of(token: str) -> Caller:
    """Read who a token is for; a token that is no JWT says nothing."""
    payload = token.split(".")[1] if token.count(".") > 1 else ""
    try:
        claims = _claims.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (binascii.Error, msgspec.DecodeError, UnicodeDecodeError):
        return Caller()
    return Caller(
        principal_id=claims.oid.lower(),
        permissions=frozenset(claims.roles),
        scopes=frozenset(claims.scp.split()),
        is_person=bool(claims.scp),
    )


def _assignment(found: WireRoleAssignment) -> RoleAssignment:
    scope = found.app_scope_id or ""
    catalog_id = scope.removeprefix(CATALOG_SCOPE) if scope.startswith(CATALOG_SCOPE) else ""
    return RoleAssignment(
        principal_id=found.principal_id.lower(),
        role_id=found.role_definition_id.lower(),
        catalog_id=catalog_id.strip("/").lower(),
    )
