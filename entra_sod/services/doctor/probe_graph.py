"""Asks Graph one harmless question for each permission that the app needs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise

from entra_sod.core.errors import SodError
from entra_sod.domain.entra import AccessPackage, ReferenceKind
from entra_sod.domain.roles.model import RoleAssignment, TokenPrincipal
from entra_sod.ports.graph import Graph
from entra_sod.ports.roles import Roles
from entra_sod.services.doctor.probe_results import CatalogProbe, GraphProbe
from entra_sod.services.doctor.results import error_of, error_of_first, value_or_error

MAX_CATALOGS = 20


async def probe_graph(graph: Graph, roles: Roles, named: Collection[str]) -> GraphProbe:
    """Look at the token, at what may be read, and at each catalog with packages of the rules.

    Args:
        graph: as the app's identity sees it.
        roles: likewise.
        named: ids of the packages that rules name.
    """
    caller = await value_or_error(roles.caller())
    if isinstance(caller, SodError):
        return GraphProbe(caller=caller)
    packages = await value_or_error(graph.packages())
    held = await _roles_of(roles, caller)
    if isinstance(packages, SodError):
        return GraphProbe(caller=caller, packages=packages, skew=roles.clock_skew())
    listed = {each.id: each for each in packages}
    ours = [listed[each] for each in sorted(named) if each in listed]
    return GraphProbe(
        caller=caller,
        packages=len(packages),
        catalogs=[await _catalog(graph, each) for each in _one_of_each_catalog(ours)],
        unlisted=[each for each in sorted(named) if each not in listed],
        additional_access=await _additional_access(graph, ours),
        roles=held,
        skew=roles.clock_skew(),
    )


async def _roles_of(
    roles: Roles, caller: TokenPrincipal
) -> Sequence[RoleAssignment] | SodError | None:
    if not caller.principal_id:
        return None
    return await value_or_error(roles.of_principal(caller.principal_id))


def _one_of_each_catalog(packages: Sequence[AccessPackage]) -> list[AccessPackage]:
    first: dict[str, AccessPackage] = {}
    for each in packages:
        first.setdefault(each.catalog_id or "", each)
    return list(first.values())[:MAX_CATALOGS]


async def _catalog(graph: Graph, package: AccessPackage) -> CatalogProbe:
    tried: Mapping[str, SodError | None] = {
        "resources": await error_of(graph.package(package.id)),
        "assignments": await error_of_first(graph.assignments(package.id)),
        "references": await error_of(graph.references(package.id, ReferenceKind.GROUP)),
    }
    return CatalogProbe(
        id=package.catalog_id or "",
        name=package.catalog_name or package.catalog_id or "",
        permissions=tried,
    )


async def _additional_access(
    graph: Graph, packages: Sequence[AccessPackage]
) -> bool | SodError | None:
    for first, second in pairwise(packages):
        error = await error_of_first(graph.additional_access(first.id, second.id))
        return error or True
    return None
