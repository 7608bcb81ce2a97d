"""Giving roles, which only operators do: the port and the client of the command line."""

from __future__ import annotations

from typing import Protocol

import msgspec

from entra_sod.adapters.graph.roles import ASSIGNMENTS, RolesClient
from entra_sod.domain.roles.model import CATALOG_SCOPE, RoleAssignment
from entra_sod.ports.roles import Roles


class WritableRoles(Roles, Protocol):
    async def assign(self, wanted: RoleAssignment) -> None:
        """Give a role; sent once, never repeated, so that doubt is settled by reading."""
        ...


class WritableRolesClient(RolesClient):
    """The `WritableRoles` port; one request at a time."""

    async def assign(self, wanted: RoleAssignment) -> None:
        body = {
            "principalId": wanted.principal_id,
            "roleDefinitionId": wanted.role_id,
            "appScopeId": CATALOG_SCOPE + wanted.catalog_id,
        }
        what = f"giving {wanted.principal_id} a role on catalog {wanted.catalog_id}"
        url = self._urls.absolute(ASSIGNMENTS)
        await self._transport.write("POST", url, what, msgspec.json.encode(body))
