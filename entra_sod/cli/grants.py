"""`entra-sod grants`: which access package grants what, and which rules select by it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from entra_sod.adapters.graph.client import GraphClient
from entra_sod.cli.exit_code import ExitCode
from entra_sod.cli.operations.package_grants import GrantFilter, GrantRow, as_builtins, grant_rows
from entra_sod.cli.show_grants import grants_csv, grants_lines
from entra_sod.cli.terminal import err
from entra_sod.core.clock import SystemClock
from entra_sod.core.errors import SodError
from entra_sod.core.names import visible
from entra_sod.domain.results.coverage import Reason, Skipped
from entra_sod.domain.rules.grants import GrantIndex
from entra_sod.domain.rules.parse import ParsedRules, parse_rules
from entra_sod.domain.rules.resolve import Tenant
from entra_sod.services.rules.grants import TenantGrants
from entra_sod.services.rules.provider import read_tenant
from entra_sod.settings import read_settings
from entra_sod.stores.rule_files import FolderRules


class GrantsFormat(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"


# Not `type` statements: typer does not look behind them.
OnePackage = Annotated[
    str | None, typer.Option("--package", help="Id or name of an access package.")
]
OneGroup = Annotated[str | None, typer.Option("--group", help="Object id or name of a group.")]
OneApp = Annotated[
    str | None, typer.Option("--app", help="Name of an app, or object id of its service principal.")
]
SelectingRules = Annotated[
    Path, typer.Option("--rules", envvar="RULES", help="Folder of the rules files, if any.")
]
GrantsAs = Annotated[GrantsFormat, typer.Option("--format", help="For people, or for programs.")]


@dataclass(frozen=True, slots=True)
class GrantsReading:
    """What is shown, and what could not be read."""

    rows: Sequence[GrantRow]
    gaps: Sequence[Skipped]


def grants(
    package: OnePackage = None,
    group: OneGroup = None,
    app: OneApp = None,
    rules: SelectingRules = Path("rules"),
    how: GrantsAs = GrantsFormat.TABLE,
) -> None:
    """Show which access packages grant what, and which rules select packages by it.

    Exit code 0: all of it was read. 3: not everything could be read. 1: an error, or no such
    package.
    """
    wanted = GrantFilter(package=package, group=group, app=app)
    try:
        parsed = parse_rules(asyncio.run(FolderRules(rules).files())) if rules.is_dir() else None
        found = asyncio.run(_read(wanted, parsed))
    except SodError as error:
        err.print(f"entra-sod: {str(error).removeprefix(': ')}", style="red")
        raise typer.Exit(ExitCode.ERROR) from error
    _show(found, how)
    raise typer.Exit(ExitCode.of((), found.gaps))


async def _read(wanted: GrantFilter, parsed: ParsedRules | None) -> GrantsReading:
    graph = GraphClient(read_settings(os.environ).graph)
    try:
        tenant = await read_tenant(graph)
        packages = wanted.packages(tenant.packages)
        index = await TenantGrants(graph, SystemClock()).read(packages)
    finally:
        await graph.close()
    rows = grant_rows(packages, index, wanted, parsed)
    return GrantsReading(rows, _gaps(tenant, index))


def _gaps(tenant: Tenant, index: GrantIndex) -> list[Skipped]:
    gaps = [
        Skipped.of(f"what access package {key} grants", each)
        for key, each in sorted(index.unread.items())
    ]
    if tenant.unlisted:
        what = "the rest of the list of access packages"
        gaps.append(Skipped(what=what, why=tenant.unlisted, reason=Reason.UNREADABLE_ITEM))
    return gaps


def _show(found: GrantsReading, how: GrantsFormat) -> None:
    if how is GrantsFormat.JSON:
        view = {"grants": as_builtins(found.rows), "notRead": found.gaps}
        typer.echo(msgspec.json.format(msgspec.json.encode(view)))
        return
    if how is GrantsFormat.CSV:
        typer.echo(grants_csv(found.rows), nl=False)
    else:
        typer.echo("\n".join(grants_lines(found.rows)))
    for gap in found.gaps:
        typer.echo(visible(f"not known: {gap.what}: {gap.why}"), err=True)
