"""Reads of a catalog what a hook plan needs."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from entra_sod.cli.operations.extensions.model import HookRefused
from entra_sod.cli.operations.extensions.plan import ExtensionState
from entra_sod.cli.operations.extensions.port import Extensions
from entra_sod.domain.entra import Catalog
from entra_sod.domain.text import fold


async def find_catalog(graph: Extensions, wanted: str) -> Catalog:
    """Find a catalog by its id, or by its name without regard to case.

    Raises:
        HookRefused: there is none that the identity may read, or there are several.
        GraphError: the catalogs could not be read.
    """
    known = await graph.catalogs()
    found = [each for each in known if _is(each, wanted)]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(each.id for each in found)
        raise HookRefused(f"Several catalogs are called {wanted}: name one by its id: {ids}.")
    raise HookRefused(
        f"No catalog {wanted} is among the {len(known)} that this identity may read. Fix: compare "
        "the name with `entra-sod packages`, or give the identity Catalog reader on the catalog."
    )


async def read_catalog(
    graph: Extensions, catalog: Catalog, *, only: Collection[str] | None = None
) -> ExtensionState:
    """Read a catalog's packages and extensions, and the policies of all packages or of some.

    Raises:
        GraphError: something could not be read.
    """
    packages = await graph.packages(catalog.id)
    policies = [
        await graph.policy(package.id, policy_id)
        for package in packages
        if only is None or package.id in only
        for policy_id in package.policy_ids
    ]
    return ExtensionState(
        catalog=catalog,
        packages=packages,
        extensions=await graph.extensions(catalog.id),
        policies={each.id: each for each in policies},
    )


def _is(catalog: Catalog, wanted: str) -> bool:
    try:
        return catalog.id == str(UUID(wanted))
    except ValueError:
        return fold(catalog.display_name) == fold(wanted)
