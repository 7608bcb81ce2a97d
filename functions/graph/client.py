"""Microsoft Graph as the app uses it, over msgraph-sdk's request adapter.

One client per process, made on first use inside the running loop and kept: an async HTTP client
belongs to the loop that made it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from functools import cached_property
from itertools import batched
from typing import TYPE_CHECKING

import msgspec

from functions.entra import AccessPackage, Group, Reference, ReferenceKind
from functions.errors import GraphError, Unavailable, UnsafeLink
from functions.graph import wire
from functions.graph.failures import graph_error
from functions.graph.port import Page
from functions.graph.urls import GraphUrls, package_path
from functions.settings import GraphSettings

if TYPE_CHECKING:
    from functions.graph.transport import GraphTransport

BATCH_SIZE = 20  # the most that Graph takes in one $batch


class GraphClient:
    """The `Graph` port against a real Graph root."""

    def __init__(self, settings: GraphSettings) -> None:
        self._settings = settings
        self._urls = GraphUrls(settings.root)

    @cached_property
    def _transport(self) -> GraphTransport:
        from functions.graph.transport import GraphTransport

        return GraphTransport(self._settings)

    async def packages(self) -> Sequence[AccessPackage]:
        pages = self._pages(wire.packages_page, self._urls.packages(), "the list of packages")
        return [wire.package(found) async for page in pages for found in page]

    async def package(self, package_id: str) -> AccessPackage:
        url = self._urls.absolute(package_path(package_id))
        answer = await self._transport.read(url, _reading(package_id))
        return wire.package(wire.decode(wire.one_package, answer))

    async def group(self, group_id: str) -> Group:
        what = f"reading group {group_id}"
        answer = await self._transport.read(self._urls.group(group_id), what)
        found = wire.decode(wire.one_group, answer)
        return Group(id=found.id.lower(), is_security_enabled=found.security_enabled)

    async def packages_by_id(
        self, package_ids: Collection[str]
    ) -> Mapping[str, AccessPackage | GraphError]:
        found: dict[str, AccessPackage | GraphError] = {}
        for chunk in batched(sorted(package_ids), BATCH_SIZE, strict=False):
            found.update(await self._package_batch(chunk))
        return found

    async def _package_batch(
        self, package_ids: Sequence[str]
    ) -> Mapping[str, AccessPackage | GraphError]:
        body = wire.batch_body([package_path(package_id) for package_id in package_ids])
        answer = await self._transport.ask(self._urls.batch(), body, "a batch of packages")
        answers = {item.id: item for item in wire.decode(wire.batch_answers, answer).responses}
        return {
            package_id: _package_or_error(package_id, answers.get(str(number)))
            for number, package_id in enumerate(package_ids)
        }

    async def additional_access(
        self, package_id: str, incompatible_package_id: str
    ) -> AsyncIterator[Page]:
        url = self._urls.additional_access(package_id, incompatible_package_id)
        what = f"additionalAccess of {package_id} and {incompatible_package_id}"
        async for page in self._pages(wire.assignments_page, url, what):
            yield wire.assignments(page)

    async def assignments(self, package_id: str) -> AsyncIterator[Page]:
        url = self._urls.assignments(package_id)
        what = f"the assignments of {package_id}"
        async for page in self._pages(wire.assignments_page, url, what):
            yield wire.assignments(page)

    async def references(self, package_id: str, kind: ReferenceKind) -> frozenset[str]:
        url = self._urls.references(package_id, kind)
        what = f"the incompatible {kind}s of {package_id}"
        pages = self._pages(wire.ids_page, url, what)
        return frozenset([found.id.lower() async for page in pages for found in page])

    async def add(self, reference: Reference) -> None:
        body = wire.reference_body(self._urls.target(reference))
        what = f"adding {reference.kind} {reference.target} to {reference.on}"
        await self._transport.write("POST", self._urls.add(reference), what, body)

    async def remove(self, reference: Reference) -> None:
        what = f"removing {reference.kind} {reference.target} from {reference.on}"
        await self._transport.write("DELETE", self._urls.remove(reference), what)

    async def probe(self) -> None:
        await self._transport.read(self._urls.packages(), "the first page of packages")

    async def _pages[T](
        self, decoder: msgspec.json.Decoder[wire.WirePage[T]], url: str, what: str
    ) -> AsyncIterator[list[T]]:
        """Yield pages until there is no nextLink: an empty page with one is not the end."""
        followed: set[str] = set()
        while True:
            followed.add(url)
            page = wire.decode(decoder, await self._transport.read(url, what))
            yield page.value
            if page.next_link is None:
                return
            url = self._urls.next_page(url, page.next_link)
            if url in followed:
                raise UnsafeLink(f"Graph's pages of {what} lead in a circle: not followed again")

    async def close(self) -> None:
        """Close the connections, if any were made; for programs that end, unlike the worker."""
        if "_transport" in self.__dict__:
            await self._transport.close()


def _reading(package_id: str) -> str:
    return f"reading access package {package_id}"


def _package_or_error(
    package_id: str, answer: wire.BatchAnswer | None
) -> AccessPackage | GraphError:
    if answer is None:
        return Unavailable(f"Graph's batch gave no answer to {_reading(package_id)}")
    if not 200 <= answer.status < 300:  # noqa: PLR2004 - success
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return graph_error(_reading(package_id), answer.status, headers)
    try:
        return wire.package(wire.decode(wire.one_package, answer.body))
    except GraphError as error:
        return error
