"""Things of a tenant by id and name, as callers read them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from entra_sod.core.names import cut
from entra_sod.domain.entra import AccessPackage


class NamedItem(msgspec.Struct, frozen=True, kw_only=True):
    """An access package, or a group.

    Attributes:
        id: in Entra.
        name: empty if it is not known.
    """

    id: str
    name: str = ""


def named_package(package_id: str, listed: Mapping[str, AccessPackage]) -> NamedItem:
    """Name a package by the tenant's list."""
    found = listed.get(package_id)
    return NamedItem(id=package_id, name=cut(found.display_name) if found else "")


def named_packages(
    package_ids: Iterable[str], listed: Mapping[str, AccessPackage]
) -> list[NamedItem]:
    """Name packages by the tenant's list, in the order of their names."""
    found = [named_package(each, listed) for each in package_ids]
    return sorted(found, key=lambda each: (each.name, each.id))
