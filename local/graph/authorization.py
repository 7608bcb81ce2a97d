"""Which identity may do what: a pure function of its permissions and role assignments."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from local.graph.tenant import Identity, RoleAssignment

CATALOG_OWNER = "ae79f266-94d4-4dab-b730-feca7e132178"
CATALOG_READER = "44272f93-9762-48e8-af59-1b5351b1d6b3"
ACCESS_PACKAGE_MANAGER = "7f480852-ebdc-47d4-87de-0d8498384a83"
ASSIGNMENT_MANAGER = "e2182095-804a-4656-ae11-64734e9b7ae5"
CATALOG_CREATOR = "ba92d953-d8e0-4e39-a797-0cbedb0a89e8"

CATALOG_SCOPE = "/AccessPackageCatalog/"


class Right(StrEnum):
    READ = "read"
    # packages and what they are incompatible with
    MANAGE = "manage"
    ASSIGN = "assign"
    # role assignments of the catalog
    OWN = "own"


EVERY_RIGHT = frozenset(Right)
ROLE_RIGHTS: dict[str, frozenset[Right]] = {
    CATALOG_OWNER: EVERY_RIGHT,
    CATALOG_READER: frozenset({Right.READ}),
    # The role reaches assignments too: its actions are AccessPackage/allTasks.
    ACCESS_PACKAGE_MANAGER: frozenset({Right.READ, Right.MANAGE, Right.ASSIGN}),
    ASSIGNMENT_MANAGER: frozenset({Right.READ, Right.ASSIGN}),
}
PERMISSION_RIGHTS: dict[str, frozenset[Right]] = {
    "EntitlementManagement.Read.All": frozenset({Right.READ}),
    "EntitlementManagement.ReadWrite.All": EVERY_RIGHT,
}
NOTHING: frozenset[Right] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Grants:
    tenant_wide: frozenset[Right]
    by_catalog: dict[str, frozenset[Right]]

    def holds(self, right: Right, catalog_id: str) -> bool:
        return right in self.tenant_wide or right in self.by_catalog.get(
            catalog_id.lower(), NOTHING
        )

    def holds_anywhere(self, right: Right) -> bool:
        return right in self.tenant_wide or any(
            right in rights for rights in self.by_catalog.values()
        )


def grants_of(
    identity: Identity, role_assignments: Iterable[RoleAssignment], *, root_scope_counts: bool
) -> Grants:
    tenant_wide = frozenset[Right]().union(
        *(PERMISSION_RIGHTS.get(permission, NOTHING) for permission in identity.permissions)
    )
    by_catalog: dict[str, frozenset[Right]] = {}
    for role in _roles_of(identity, role_assignments):
        rights = ROLE_RIGHTS.get(role.role_definition_id.lower(), NOTHING)
        if role.app_scope_id == "/" and root_scope_counts:
            tenant_wide |= rights
        elif role.app_scope_id.startswith(CATALOG_SCOPE):
            catalog_id = role.app_scope_id.removeprefix(CATALOG_SCOPE).lower()
            by_catalog[catalog_id] = by_catalog.get(catalog_id, NOTHING) | rights
    return Grants(tenant_wide=tenant_wide, by_catalog=by_catalog)


def _roles_of(
    identity: Identity, role_assignments: Iterable[RoleAssignment]
) -> Iterable[RoleAssignment]:
    # A role is assigned to the service principal; the client id in its place gives nothing.
    principal_id = identity.principal_id.lower()
    return (role for role in role_assignments if role.principal_id.lower() == principal_id)
