"""`entra-sod grants`: which access package grants what, and which rules select by it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from entra_sod.cli.commands import run
from entra_sod.cli.exit_code import ExitCode
from entra_sod.cli.lists import ListAs, ListFormat, WholeIds, print_list, tell
from entra_sod.cli.operations.package_grants import GrantFilter, GrantRow, as_builtins, grant_rows
from entra_sod.cli.progress import counting
from entra_sod.cli.session import open_graph, say_who_asks
from entra_sod.cli.show_grants import grants_list, summed_up
from entra_sod.core.clock import SystemClock
from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.results.coverage import Reason, Skipped
from entra_sod.domain.rules.grants import GrantIndex
from entra_sod.domain.rules.parse import ParsedRules, parse_rules
from entra_sod.domain.rules.resolve import Tenant
from entra_sod.ports.graph import Graph
from entra_sod.services.rules.grants import TenantGrants
from entra_sod.services.rules.provider import read_tenant
from entra_sod.settings import read_settings
from entra_sod.stores.rule_files import FolderRules

# Not `type` statements: typer does not look behind them.
OnePackage = Annotated[
    str | None, typer.Option("--package", help="Name of an access package, or its id or short id.")
]
OneGroup = Annotated[str | None, typer.Option("--group", help="Object id or name of a group.")]
OneApp = Annotated[
    str | None, typer.Option("--app", help="Name of an app, or object id of its service principal.")
]
SelectingRules = Annotated[
    Path, typer.Option("--rules", envvar="RULES", help="Folder of the rules files, if any.")
]


@dataclass(frozen=True, slots=True)
class GrantsReading:
    """What is shown, and what could not be read."""

    rows: Sequence[GrantRow]
    gaps: Sequence[Skipped]


def grants(
    *,
    package: OnePackage = None,
    group: OneGroup = None,
    app: OneApp = None,
    rules: SelectingRules = Path("rules"),
    long: WholeIds = False,
    how: ListAs = ListFormat.TABLE,
) -> None:
    """Show which access packages grant what, and which rules select packages by it.

    Exit code 0: all of it was read. 3: not everything could be read. 1: an error, or no such
    package.
    """
    wanted = GrantFilter(package=package, group=group, app=app)
    work = _grants(wanted, rules if rules.is_dir() else None, how, whole_ids=long)
    raise typer.Exit(run(work, refused=ExitCode.UNKNOWN))


async def _grants(
    wanted: GrantFilter, folder: Path | None, how: ListFormat, *, whole_ids: bool
) -> ExitCode:
    parsed = parse_rules(await FolderRules(folder).files()) if folder else None
    found = await _read(wanted, parsed)
    listing = grants_list(found.rows, found.gaps, whole_ids=whole_ids)
    print_list(listing, how, as_builtins(found.rows))
    if found.rows and how is not ListFormat.JSON:
        tell(summed_up(found.rows), "dim")
    return ExitCode.of((), found.gaps)


async def _read(wanted: GrantFilter, parsed: ParsedRules | None) -> GrantsReading:
    graph = open_graph(os.environ, read_settings(os.environ).graph)
    try:
        await say_who_asks(graph)
        tenant = await read_tenant(graph)
        packages = wanted.packages(tenant.packages)
        index = await _read_grants(graph, packages)
    finally:
        await graph.close()
    rows = grant_rows(packages, index, wanted, parsed)
    return GrantsReading(rows, _gaps(tenant, index))


async def _read_grants(graph: Graph, packages: Mapping[str, AccessPackage]) -> GrantIndex:
    with counting("reading what packages grant", None):
        return await TenantGrants(graph, SystemClock()).read(packages)


def _gaps(tenant: Tenant, index: GrantIndex) -> list[Skipped]:
    gaps = [
        Skipped.of(f"what access package {key} grants", each)
        for key, each in sorted(index.unread.items())
    ]
    if tenant.unlisted:
        what = "the rest of the list of access packages"
        gaps.append(Skipped(what=what, why=tenant.unlisted, reason=Reason.UNREADABLE_ITEM))
    return gaps
