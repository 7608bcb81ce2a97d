"""Plans of roles for people, and the commands for an administrator. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

from entra_sod.cli.operations.roles.plan import GrantPlan, RoleGrant, WantedRoles
from entra_sod.cli.terminal import shown
from entra_sod.domain.roles.model import READ_WRITE_ALL, CatalogRole, TokenPrincipal
from entra_sod.settings import CLOUDS, GraphSettings

_POWERSHELL_CLOUDS = {"global": "Global", "usgov": "USGov", "usgov-dod": "USGovDoD"}
_V1 = "/v1.0"
_ASSIGNMENTS = f"{_V1}/roleManagement/entitlementManagement/roleAssignments"
_CATALOGS = f"{_V1}/identityGovernance/entitlementManagement/catalogs"


def plan_lines(plan: GrantPlan) -> list[str]:
    """What would be done, what is there, and what needs a person's eye."""
    lines = [f"+ {_words(each)}" for each in plan.missing]
    lines += [f"= {_words(each)}: there already" for each in plan.present]
    lines += [f"! {each}" for each in (*plan.unknown, *plan.beyond)]
    return lines if plan.missing else [*lines, "nothing to give"]


def why_refused(caller: TokenPrincipal) -> str:
    """Why the caller may not do this, as far as the token says."""
    if caller.is_person and READ_WRITE_ALL not in caller.scopes:
        return (
            f"The token of this sign-in has no {READ_WRITE_ALL}: the Azure CLI's and azd's never "
            "have, whatever roles you hold, Global Administrator among them. --device-code signs "
            "you in with an application that asks for it."
        )
    return (
        "This sign-in may not give roles on the catalog. It takes an owner of the catalog, an "
        "Identity Governance Administrator, or an application with "
        f"{READ_WRITE_ALL}."
    )


def commands_for(grants: Sequence[RoleGrant], settings: GraphSettings) -> list[str]:
    """PowerShell for an administrator, which gives exactly these roles."""
    wanted = [(each.catalog.id, each.principal_id, each.role) for each in grants]
    return list(_script(wanted, settings))


def commands_unseen(wanted: WantedRoles, settings: GraphSettings) -> list[str]:
    """The same where the catalogs could not even be read: names are looked up by the commands."""
    roles = [
        (name, principal, role) for name in wanted.catalogs for _, principal, role in wanted.roles
    ]
    return list(_script(roles, settings))


def _script(
    wanted: Sequence[tuple[str, str, CatalogRole]], settings: GraphSettings
) -> Iterator[str]:
    cloud = next((name for name, (root, _) in CLOUDS.items() if root == settings.root), "")
    environment = _POWERSHELL_CLOUDS.get(cloud, "China" if cloud == "china" else "Global")
    yield f"Connect-MgGraph -Environment {environment} -Scopes {READ_WRITE_ALL}"
    for name, principal, role in wanted:
        yield f"$catalog = {_catalog(name, settings.root)}"
        yield (
            f'Invoke-MgGraphRequest -Method POST -Uri "{settings.root}{_ASSIGNMENTS}" -Body @{{ '
            f'principalId = "{principal}"; roleDefinitionId = "{role}"; '
            f'appScopeId = "/AccessPackageCatalog/$catalog" }}  # {role.portal_name}'
        )


def _catalog(name: str, root: str) -> str:
    try:
        return f'"{UUID(name)}"'
    except ValueError:
        # Doubled for OData, and doubled again for PowerShell's single quotes.
        wanted = name.replace("'", "''''")
        uri = f"{root}{_CATALOGS}?$filter=displayName eq ''{wanted}''"
        return f"(Invoke-MgGraphRequest -Uri '{uri}').value[0].id"


def _words(grant: RoleGrant) -> str:
    where = f"{shown(grant.catalog.display_name)} ({grant.catalog.id})"
    return f"{grant.role.portal_name} on {where} to {grant.who} ({grant.principal_id})"
