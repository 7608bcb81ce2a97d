"""Roles of entitlement management, and who asks, against a real Graph root."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import quote

import msgspec

from entra_sod.adapters.graph.door import GraphDoor
from entra_sod.adapters.graph.wire import PageDecoder, catalogs_page
from entra_sod.domain.entra import Catalog
from entra_sod.domain.roles.model import CATALOG_SCOPE, RoleAssignment

_CATALOGS = "/identityGovernance/entitlementManagement/catalogs"
ASSIGNMENTS = "/roleManagement/entitlementManagement/roleAssignments"


class WireRoleAssignment(msgspec.Struct, rename="camel"):
    principal_id: str
    role_definition_id: str
    app_scope_id: str | None = None


class RolesClient(GraphDoor):
    """The `Roles` port; one request at a time."""

    async def catalogs(self) -> Sequence[Catalog]:
        url = self._urls.absolute(_CATALOGS)
        return await self._items(catalogs_page, url, "the list of catalogs")

    async def of_principal(self, principal_id: str) -> Sequence[RoleAssignment]:
        wanted = quote(f"principalId eq '{principal_id}'", safe="/'")
        url = self._urls.absolute(f"{ASSIGNMENTS}?$filter={wanted}")
        return await self._items(assignments_page, url, f"the roles of {principal_id}")

    def clock_skew(self) -> timedelta | None:
        return self._transport.clock_skew


def _assignment(found: WireRoleAssignment) -> RoleAssignment:
    scope = found.app_scope_id or ""
    catalog_id = scope.removeprefix(CATALOG_SCOPE) if scope.startswith(CATALOG_SCOPE) else ""
    return RoleAssignment(
        principal_id=found.principal_id.lower(),
        role_id=found.role_definition_id.lower(),
        catalog_id=catalog_id.strip("/").lower(),
    )


assignments_page = PageDecoder(WireRoleAssignment, _assignment)
