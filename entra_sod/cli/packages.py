"""`entra-sod packages`: the access packages that the identity may read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from entra_sod.cli.commands import run
from entra_sod.cli.exit_code import ExitCode
from entra_sod.cli.lists import (
    ListAs,
    ListFormat,
    PrintedList,
    RulesIfAny,
    WholeIds,
    folder_of,
    print_list,
    tell,
)
from entra_sod.cli.made_by import made_by
from entra_sod.cli.operations.find_packages import find_packages, rules_naming
from entra_sod.cli.read_references import unlisted
from entra_sod.cli.session import Session, open_session
from entra_sod.cli.terminal import shown
from entra_sod.core.errors import ConfigurationError, RulesError
from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.near_names import did_you_mean
from entra_sod.domain.results.coverage import Reason, Skipped
from entra_sod.domain.rules.resolve import Tenant
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.services.rules.provider import read_tenant

PackageSearch = Annotated[
    str,
    typer.Argument(
        metavar="SEARCH",
        help="Part of a name, a pattern (Pay*), or the beginning of an id.",
    ),
]
InCatalog = Annotated[
    str, typer.Option("--catalog", help="Name of a catalog, or a pattern (Fin*).")
]


def packages(
    search: PackageSearch = "",
    catalog: InCatalog = "",
    rules: RulesIfAny = None,
    long: WholeIds = False,  # noqa: FBT002 - a flag
    how: ListAs = ListFormat.TABLE,
) -> None:
    """List the access packages that you may read: name, catalog, id, and the rules that name each.

    Reads no assignments. Names compare as in rules: without regard to case, composed or not.
    Commands accept the short ids of a terminal. Rules files need whole ids: --long.

    Exit code 0: the list is complete, as far as you may read. 3: it is not complete, or you may
    read no package at all. 1: an error.
    """
    work = _packages(search, catalog, folder_of(rules), how, whole_ids=long)
    raise typer.Exit(run(work, refused=ExitCode.UNKNOWN))


async def _packages(
    search: str, catalog: str, folder: Path | None, how: ListFormat, *, whole_ids: bool
) -> ExitCode:
    async with open_session() as session:
        tenant = await read_tenant(session.graph)
        rules, gaps = await _rules(session, folder)
        who = "" if tenant.packages else await made_by(session)
    gaps = [*gaps, *unlisted(tenant, who)]
    found = find_packages(tenant.packages.values(), search, catalog)
    naming = rules_naming(rules) if rules else None
    listing = replace(_list(found, naming, gaps), whole_ids=whole_ids)
    print_list(listing, how, _values(found, naming))
    if tenant.packages and not found:
        tell(_nothing_fits(tenant, search, catalog))
    return ExitCode.of((), gaps)


async def _rules(session: Session, folder: Path | None) -> tuple[RuleSet | None, list[Skipped]]:
    """Read the rules, or say why they are not known: people list packages to mend rules, too."""
    if folder is None:
        return None, []
    try:
        return await session.rules_as_written(folder), []
    except (RulesError, ConfigurationError) as error:
        why = f"{error}. Fix: entra-sod validate {folder} --offline"
        what = "which rules name each access package"
        return None, [Skipped(what=what, why=why, reason=Reason.RULES_REFUSED)]


def _list(
    found: Sequence[AccessPackage],
    naming: Mapping[str, Sequence[str]] | None,
    gaps: Sequence[Skipped],
) -> PrintedList:
    columns = ["name", "catalog", "id", *(["rules"] if naming is not None else [])]
    rows = [
        [
            each.display_name,
            each.catalog_name,
            each.id,
            *([", ".join(naming.get(each.id, ()))] if naming is not None else []),
        ]
        for each in found
    ]
    return PrintedList(
        key="packages",
        columns=columns,
        rows=rows,
        below={"name": "id"},
        not_read=gaps,
    )


def _values(
    found: Sequence[AccessPackage], naming: Mapping[str, Sequence[str]] | None
) -> Iterator[Mapping[str, object]]:
    for each in found:
        yield {
            "id": each.id,
            "name": each.display_name,
            "catalog": each.catalog_name,
            "catalogId": each.catalog_id,
            "rules": None if naming is None else naming.get(each.id, ()),
        }


def _nothing_fits(tenant: Tenant, search: str, catalog: str) -> str:
    """Say that the list is empty because of what was asked for, and what is like it."""
    known = tenant.packages.values()
    asked = [f'"{shown(search)}"'] if search else []
    asked += [f'catalog "{shown(catalog)}"'] if catalog else []
    text = f"no access package fits {' in '.join(asked)}; you may read {len(known):,}"
    near = did_you_mean(search, {each.display_name for each in known}) if search else ""
    near = near or (did_you_mean(catalog, {each.catalog_name for each in known}) if catalog else "")
    return f"{text}.{near}"
