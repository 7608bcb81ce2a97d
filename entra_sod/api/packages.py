"""Access packages by name, so that people need not paste their ids. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from entra_sod.api.responses import PackageChoice, PackageList
from entra_sod.core.errors import FieldError, InvalidRequest
from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.text import fold

MAX_PACKAGES = 1000
MAX_SEARCH_LENGTH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageQuery:
    """Which packages: those with `search` in their name or catalog, and at most so many."""

    search: str = ""
    limit: int = MAX_PACKAGES


def parse_package_query(params: Mapping[str, str]) -> PackageQuery:
    """Read the query of `GET /packages`.

    Raises:
        InvalidRequest: naming each wrong parameter.
    """
    search, limit = params.get("search", ""), params.get("limit", str(MAX_PACKAGES))
    errors = []
    if len(search) > MAX_SEARCH_LENGTH:
        errors.append(f"search must have at most {MAX_SEARCH_LENGTH} characters")
    if not re.fullmatch("[0-9]{1,4}", limit) or not 1 <= int(limit) <= MAX_PACKAGES:
        errors.append(f"limit must be a whole number from 1 to {MAX_PACKAGES}")
    if errors:
        raise InvalidRequest([FieldError(pointer="", detail=each) for each in errors])
    return PackageQuery(search=search, limit=int(limit))


def select_packages(packages: Collection[AccessPackage], query: PackageQuery) -> PackageList:
    """Those that fit, by their titles; a search compares text as people see it."""
    wanted = fold(query.search)
    titles = ((fold(each.title), each) for each in map(_view, packages))
    found = sorted(
        (each for each in titles if wanted in each[0]), key=lambda each: (each[0], each[1].id)
    )
    return PackageList(packages=[each for _, each in found[: query.limit]], total=len(found))


def _view(package: AccessPackage) -> PackageChoice:
    catalog = f" ({package.catalog_name})" if package.catalog_name else ""
    return PackageChoice(
        id=package.id,
        display_name=package.display_name,
        catalog_name=package.catalog_name,
        title=package.display_name + catalog,
    )
