"""Where the command line reads findings: the app's storage, or a running app."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Protocol

from entra_sod.cli.choices import NoSuchChoice, choose_id
from entra_sod.cli.lists import tell
from entra_sod.cli.running_app import RunningApp, open_app
from entra_sod.cli.session import open_graph
from entra_sod.cli.storage import open_storage
from entra_sod.cli.subjects import open_subjects
from entra_sod.cli.terminal import err, shown
from entra_sod.core.errors import SodError
from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.findings.views import FindingDetail, FindingView, detail, view
from entra_sod.ports.storage import Storage
from entra_sod.services.findings.by_name import with_subject
from entra_sod.services.findings.query import (
    FindingsQuery,
    names_subject,
    parameters,
    read_page,
)
from entra_sod.services.rules.provider import read_tenant
from entra_sod.settings import read_settings
from entra_sod.stores.findings import FindingStore

LISTS = "entra-sod findings"
MAX_SHARING = 20  # findings with one beginning of their ids that are read to name them
_LENGTH = 32
_DIGITS = re.compile(r"[0-9a-f]{1,32}")

type Packages = Mapping[str, AccessPackage]


class FindingsSource(Protocol):
    """Where findings are asked for."""

    def findings(self, query: FindingsQuery) -> AsyncGenerator[FindingView]: ...

    async def finding(self, finding_id: str) -> FindingDetail | None: ...

    async def packages(self) -> Packages:
        """Read access packages with their names.

        Raises:
            SodError: they cannot be read.
        """
        ...


class StoredFindings:
    """The findings in the app's storage."""

    def __init__(self, storage: Storage) -> None:
        self._store, self._storage = FindingStore(storage), storage

    async def findings(self, query: FindingsQuery) -> AsyncGenerator[FindingView]:
        following: FindingsQuery | None = await self._by_ids(query)
        while following:
            page = await read_page(self._store, following)
            for finding in page.findings:
                yield view(finding)
            following = page.next

    async def _by_ids(self, query: FindingsQuery) -> FindingsQuery:
        """Resolve the name of a subject; ids need no Graph."""
        if not names_subject(query):
            return query
        async with open_subjects(os.environ, self._storage) as resolver:
            return await with_subject(query, resolver)

    async def finding(self, finding_id: str) -> FindingDetail | None:
        kept = await self._store.get(finding_id)
        return detail(kept.finding) if kept else None

    async def packages(self) -> Packages:
        graph = open_graph(os.environ, read_settings(os.environ).graph)
        try:
            return (await read_tenant(graph)).packages
        finally:
            await graph.close()


class ServedFindings:
    """The findings that a running app answers with."""

    def __init__(self, app: RunningApp) -> None:
        self._app = app

    async def findings(self, query: FindingsQuery) -> AsyncGenerator[FindingView]:
        given: Mapping[str, str] = dict(parameters(query))
        while given:
            page = await self._app.found(given)
            for finding in page.findings:
                yield finding
            given = page.following

    async def finding(self, finding_id: str) -> FindingDetail | None:
        return await self._app.finding(finding_id)

    async def packages(self) -> Packages:
        return {
            each.id: AccessPackage(
                id=each.id, display_name=each.display_name, catalog_name=each.catalog_name
            )
            for each in await self._app.packages()
        }


@asynccontextmanager
async def open_findings(url: str) -> AsyncIterator[FindingsSource]:
    """Open the findings of a running app, or without an address those in the app's storage."""
    if url:
        async with open_app(url, lambda why: err.print(why, style="yellow")) as app:
            yield ServedFindings(app)
    else:
        async with open_storage(os.environ) as storage:
            yield StoredFindings(storage)


async def read_packages(source: FindingsSource) -> Packages:
    """Read access packages for their names; where they cannot be read, ids have to do."""
    try:
        return await source.packages()
    except SodError as error:
        tell(f"names of access packages are not known, so ids stand for them: {error}", "dim")
        return {}


async def find_finding(source: FindingsSource, wanted: str) -> FindingDetail:
    """Return the finding that an id, or the beginning of one, is of.

    Raises:
        NoSuchChoice: there is none.
        AmbiguousChoice: several begin so.
    """
    text = wanted.strip().lower()
    if not _DIGITS.fullmatch(text):
        raise NoSuchChoice(
            f"{shown(wanted)} is not the id of a finding: an id has 32 digits and letters from a "
            f"to f, of which the first few will do. To list findings: {LISTS}"
        )
    known = {text: ""} if len(text) == _LENGTH else await _beginning(source, text)
    chosen = choose_id(text, known, what="finding", lists=LISTS)
    found = await source.finding(chosen)
    if found is None:
        raise NoSuchChoice(f"There is no finding {chosen}. To list findings: {LISTS}")
    return found


async def _beginning(source: FindingsSource, text: str) -> Mapping[str, str]:
    """Read the first findings whose ids begin with a text, with words about each."""
    found: dict[str, str] = {}
    query = FindingsQuery(after=_id_before(text), page_size=MAX_SHARING)
    async with aclosing(source.findings(query)) as findings:
        async for each in findings:
            if not each.id.startswith(text) or len(found) == MAX_SHARING:
                break
            found[each.id] = f"{who(each)}, rule {each.rule}, {each.state}"
    return found


def _id_before(text: str) -> str:
    """Return the last id that comes before all ids with a beginning; empty if there is none."""
    first = int(text.ljust(_LENGTH, "0"), 16)
    return f"{first - 1:0{_LENGTH}x}" if first else ""


def who(finding: FindingView) -> str:
    """Return a subject's name, or the id that stands for it."""
    return finding.display_name or finding.object_id or finding.subject_id
