"""Roles of entitlement management, and who has which on what catalog, as values.

A role is given to an object id on one catalog. The ids are those that Microsoft documents; the name
that Graph gives may differ from the portal's.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

CATALOG_SCOPE = "/AccessPackageCatalog/"
READ_ALL = "EntitlementManagement.Read.All"
READ_WRITE_ALL = "EntitlementManagement.ReadWrite.All"
COUNT_MEMBERS = "GroupMember.ReadBasic.All"  # the least of those that count members of groups
COUNTING = frozenset(
    {COUNT_MEMBERS, "GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"}
)


class CatalogRole(StrEnum):
    """A role by its documented id."""

    CATALOG_OWNER = "ae79f266-94d4-4dab-b730-feca7e132178"
    CATALOG_READER = "44272f93-9762-48e8-af59-1b5351b1d6b3"
    PACKAGE_MANAGER = "7f480852-ebdc-47d4-87de-0d8498384a83"
    ASSIGNMENT_MANAGER = "e2182095-804a-4656-ae11-64734e9b7ae5"

    @property
    def portal_name(self) -> str:
        """The name that the portal shows."""
        return _PORTAL_NAMES[self]

    @property
    def writes_references(self) -> bool:
        return self in (CatalogRole.CATALOG_OWNER, CatalogRole.PACKAGE_MANAGER)


_PORTAL_NAMES = {
    CatalogRole.CATALOG_OWNER: "Catalog owner",
    CatalogRole.CATALOG_READER: "Catalog reader",
    CatalogRole.PACKAGE_MANAGER: "Access package manager",
    CatalogRole.ASSIGNMENT_MANAGER: "Access package assignment manager",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleAssignment:
    """One role of one principal; `catalog_id` is empty for the whole tenant.

    Attributes:
        principal_id: object id of the service principal, never the client id.
        role_id: may be of a role that is none of ours.
    """

    principal_id: str
    role_id: str
    catalog_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPrincipal:
    """Who a token is for, as far as it says.

    Attributes:
        principal_id: object id; empty where the token does not say.
        permissions: application permissions (`roles`).
        scopes: delegated ones (`scp`); empty for an application.
        is_person: whether a person signed in.
        name: of the person or the application; empty where the token does not say.
        tenant_id: of the tenant that the token is for; empty where it does not say.
    """

    principal_id: str = ""
    permissions: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    is_person: bool = False
    name: str = ""
    tenant_id: str = ""
