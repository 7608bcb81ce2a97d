"""`entra-sod findings`: what was found, from the app's storage or from a running app."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Annotated, Protocol

import msgspec
import typer
from rich.table import Table

from entra_sod.cli.running_app import RunningApp, open_app
from entra_sod.cli.storage import open_storage
from entra_sod.cli.sweep import SweepUrl
from entra_sod.cli.terminal import err, out, shown
from entra_sod.core.errors import SodError
from entra_sod.domain.findings.views import FindingDetail, FindingView, as_csv, detail, view
from entra_sod.ports.storage import Storage
from entra_sod.services.findings.query import (
    MAX_PAGE_SIZE,
    FindingsQuery,
    names_subject,
    parameters,
    parse_query,
    read_page,
)
from entra_sod.stores.findings import FindingStore

MAX_SHOWN = 200


class FindingsFormat(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"


# Not `type` statements: typer does not look behind them.
FindingsAs = Annotated[FindingsFormat, typer.Option("--format", help="For people, or programs.")]
FindingName = Annotated[str, typer.Argument(metavar="[ID]", help="One finding, with its history.")]
RuleFilter = Annotated[str, typer.Option("--rule", help="The id of a rule.")]
StateFilter = Annotated[str, typer.Option("--state", help="One or more, with commas between.")]
SeverityFilter = Annotated[
    str, typer.Option("--severity", help="One or more, with commas between.")
]
PackageFilter = Annotated[str, typer.Option("--package", help="The id of an access package.")]
KindFilter = Annotated[
    str, typer.Option("--kind", help="What makes the conflict; one or more, with commas between.")
]
SubjectFilter = Annotated[
    str, typer.Option("--subject", help="Either id of a subject, or a user principal name.")
]
ProcessFilter = Annotated[str, typer.Option("--process", help="The process of a rule.")]
TagFilter = Annotated[str, typer.Option("--tag", help="A tag of a rule.")]
FrameworkFilter = Annotated[
    str, typer.Option("--framework", help="A framework, such as SOX, or a clause of it.")
]
OwnerFilter = Annotated[str, typer.Option("--owner", help="Who answers for a rule.")]
SinceFilter = Annotated[str, typer.Option("--since", help="Date of the last change of state.")]


class _Source(Protocol):
    """Where findings are asked for."""

    def findings(self, query: FindingsQuery) -> AsyncIterator[FindingView]: ...

    async def finding(self, finding_id: str) -> FindingDetail | None: ...


class _Stored:
    def __init__(self, store: FindingStore, storage: Storage | None = None) -> None:
        self._store, self._storage = store, storage

    async def findings(self, query: FindingsQuery) -> AsyncIterator[FindingView]:
        following: FindingsQuery | None = query
        if names_subject(query):
            # slow, and ids need no Graph
            from entra_sod.cli.subjects import open_subjects
            from entra_sod.services.findings.by_name import with_subject

            async with open_subjects(os.environ, self._storage) as resolver:
                following = await with_subject(query, resolver)
        while following:
            page = await read_page(self._store, following)
            for finding in page.findings:
                yield view(finding)
            following = page.next

    async def finding(self, finding_id: str) -> FindingDetail | None:
        kept = await self._store.get(finding_id)
        return detail(kept.finding) if kept else None


class _Served:
    def __init__(self, app: RunningApp) -> None:
        self._app = app

    async def findings(self, query: FindingsQuery) -> AsyncIterator[FindingView]:
        given: Mapping[str, str] = dict(parameters(query))
        while given:
            page = await self._app.found(given)
            for finding in page.findings:
                yield finding
            given = page.following

    async def finding(self, finding_id: str) -> FindingDetail | None:
        return await self._app.finding(finding_id)


def findings(  # noqa: PLR0917 - an option for each filter
    finding_id: FindingName = "",
    rule: RuleFilter = "",
    state: StateFilter = "",
    severity: SeverityFilter = "",
    kind: KindFilter = "",
    package: PackageFilter = "",
    subject: SubjectFilter = "",
    since: SinceFilter = "",
    process: ProcessFilter = "",
    tag: TagFilter = "",
    framework: FrameworkFilter = "",
    owner: OwnerFilter = "",
    how: FindingsAs = FindingsFormat.TABLE,
    url: SweepUrl = "",
) -> None:
    """List findings; from the app's storage, or with --url from a running app.

    Exit code 0: whatever there is. 1: an error, or no such finding.
    """
    filters = {
        "rule": rule,
        "state": state,
        "severity": severity,
        "kind": kind,
        "package": package,
        "subject": subject,
        "since": since,
        "process": process,
        "tag": tag,
        "framework": framework,
        "owner": owner,
        "pageSize": str(MAX_PAGE_SIZE),
    }
    try:
        query = parse_query({name: value for name, value in filters.items() if value})
        is_found = asyncio.run(_show(query, finding_id, how, url))
    except SodError as error:
        err.print(f"entra-sod: {str(error).removeprefix(': ')}", style="red")
        raise typer.Exit(1) from error
    raise typer.Exit(0 if is_found else 1)


async def _show(query: FindingsQuery, finding_id: str, how: FindingsFormat, url: str) -> bool:
    async with _open(url) as source:
        if finding_id:
            return _show_one(await source.finding(finding_id), finding_id)
        found = [each async for each in source.findings(query)]
    if how is FindingsFormat.CSV:
        typer.echo(as_csv(found), nl=False)
    elif how is FindingsFormat.JSON:
        typer.echo(msgspec.json.format(msgspec.json.encode(found)))
    else:
        out.print(_table(found))
    return True


def _show_one(found: FindingDetail | None, finding_id: str) -> bool:
    if found is None:
        err.print(f"entra-sod: there is no finding {finding_id}", style="red")
        return False
    typer.echo(msgspec.json.format(msgspec.json.encode(found)))
    return True


@asynccontextmanager
async def _open(url: str) -> AsyncIterator[_Source]:
    if url:
        async with open_app(url, lambda why: err.print(why, style="yellow")) as app:
            yield _Served(app)
    else:
        async with open_storage(os.environ) as storage:
            yield _Stored(FindingStore(storage), storage)


def _table(found: Sequence[FindingView]) -> Table:
    more = f", the first {MAX_SHOWN} of them" if len(found) > MAX_SHOWN else ""
    table = Table(title=f"{len(found)} findings{more}", title_justify="left")
    for column in ("finding", "severity", "rule", "who", "state", "since", "first seen"):
        table.add_column(column)
    for each in found[:MAX_SHOWN]:
        who = shown(each.display_name or each.object_id or each.subject_id)
        state = each.state if each.exception is None else f"{each.state} ({each.exception})"
        cells = (each.id, each.severity, each.rule, who, state)
        table.add_row(*cells, each.since[:10], each.first_seen[:10])
    return table
