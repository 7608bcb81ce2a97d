"""Which roles are to be given: what is wanted, less what is there. Pure.

Nothing is ever taken away: a role that goes beyond what is wanted is named, for a person to decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from entra_sod.domain.enforcement.result import Enforcement
from entra_sod.domain.entra import Catalog
from entra_sod.domain.roles.model import CatalogRole, RoleAssignment
from entra_sod.domain.text import fold


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedRoles:
    """What was asked for.

    Attributes:
        catalogs: names or ids.
        app: object id of the app's identity, and the role that it needs.
        logic_app: object id of the Logic App's identity; None where there is none.
    """

    catalogs: Sequence[str]
    app: str
    app_role: CatalogRole
    logic_app: str | None = None

    @property
    def roles(self) -> Sequence[tuple[str, str, CatalogRole]]:
        """Whose, their object id, and the role."""
        of_app = [("the app", self.app, self.app_role)]
        if self.logic_app is None:
            return of_app
        return [*of_app, ("the Logic App", self.logic_app, CatalogRole.ASSIGNMENT_MANAGER)]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleGrant:
    """One role that is to be given, or is there already."""

    who: str
    principal_id: str
    role: CatalogRole
    catalog: Catalog

    @property
    def assignment(self) -> RoleAssignment:
        return RoleAssignment(
            principal_id=self.principal_id, role_id=self.role, catalog_id=self.catalog.id
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantPlan:
    """What is to be done.

    Attributes:
        missing: to be given.
        present: there already, by this role or one that includes it.
        unknown: of the catalogs asked for, why each of these is none.
        beyond: in words, roles that go further than what is wanted.
    """

    missing: Sequence[RoleGrant]
    present: Sequence[RoleGrant]
    unknown: Sequence[str]
    beyond: Sequence[str]


# What serves in a role's place. A manager of packages assigns them, too, by the documented actions
# of the role; that is not relied on.
_SERVES = {
    CatalogRole.CATALOG_READER: set(CatalogRole),
    CatalogRole.PACKAGE_MANAGER: {CatalogRole.PACKAGE_MANAGER, CatalogRole.CATALOG_OWNER},
    CatalogRole.ASSIGNMENT_MANAGER: {CatalogRole.ASSIGNMENT_MANAGER, CatalogRole.CATALOG_OWNER},
}


def role_for(enforcement: Enforcement) -> CatalogRole:
    """The least role with which the app can do what it is set to."""
    writes = enforcement is Enforcement.APPLY
    return CatalogRole.PACKAGE_MANAGER if writes else CatalogRole.CATALOG_READER


def plan_grants(
    wanted: WantedRoles, catalogs: Sequence[Catalog], held: Sequence[RoleAssignment]
) -> GrantPlan:
    """Compare what is wanted with the roles that are held."""
    found, unknown = _find(wanted.catalogs, catalogs)
    grants = [
        RoleGrant(who=who, principal_id=principal, role=role, catalog=catalog)
        for catalog in found
        for who, principal, role in wanted.roles
    ]
    present = [each for each in grants if is_served(each, held)]
    return GrantPlan(
        missing=[each for each in grants if each not in present],
        present=present,
        unknown=unknown,
        beyond=[words for each in present for words in _beyond(each, held)],
    )


def is_served(grant: RoleGrant, held: Sequence[RoleAssignment]) -> bool:
    """Whether a role on the catalog itself gives what is wanted; one at the root is not believed.

    Whether Graph takes a catalog role for the whole tenant is not documented.
    """
    serving = _SERVES[grant.role]
    return any(each.role_id in serving for each in _of(grant, held))


def _of(grant: RoleGrant, held: Sequence[RoleAssignment]) -> list[RoleAssignment]:
    return [
        each
        for each in held
        if (each.principal_id, each.catalog_id) == (grant.principal_id, grant.catalog.id)
    ]


def _beyond(grant: RoleGrant, held: Sequence[RoleAssignment]) -> list[str]:
    has = {each.role_id for each in _of(grant, held)}
    further = [
        role
        for role in (CatalogRole.CATALOG_OWNER, CatalogRole.PACKAGE_MANAGER)
        if role in has and role != grant.role
    ]
    return [
        f"{grant.who} is {role.portal_name} on {grant.catalog.display_name}, and needs no more "
        f"than {grant.role.portal_name}"
        for role in further
    ]


def _find(names: Sequence[str], catalogs: Sequence[Catalog]) -> tuple[list[Catalog], list[str]]:
    found: dict[str, Catalog] = {}
    unknown: list[str] = []
    for name in names:
        fitting = [each for each in catalogs if is_catalog(each, name)]
        if len(fitting) == 1:
            found.setdefault(fitting[0].id, fitting[0])
        elif fitting:
            ids = ", ".join(each.id for each in fitting)
            unknown.append(f"several catalogs are called {name}: name one by its id: {ids}")
        else:
            unknown.append(f"no catalog {name} is among the {len(catalogs)} that you may read")
    return list(found.values()), unknown


def is_catalog(catalog: Catalog, wanted: str) -> bool:
    """Whether a name or an id stands for this catalog."""
    try:
        return catalog.id == str(UUID(wanted))
    except ValueError:
        return fold(catalog.display_name) == fold(wanted)
