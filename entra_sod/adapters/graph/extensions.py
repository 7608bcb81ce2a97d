"""Custom extensions and policies against a real Graph root."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from entra_sod.adapters.graph import extensions_wire as wire
from entra_sod.adapters.graph.paging import pages
from entra_sod.adapters.graph.urls import GraphUrls
from entra_sod.adapters.graph.wire import WirePage, decode
from entra_sod.adapters.rate_limit.limiters import LocalRateLimiter
from entra_sod.domain.extensions.model import (
    Catalog,
    Extension,
    NewExtension,
    PackagePolicies,
    Policy,
)
from entra_sod.settings import GraphSettings

if TYPE_CHECKING:
    from entra_sod.adapters.graph.transport import GraphTransport

_ENTITLEMENT = "/identityGovernance/entitlementManagement"
# Both are relations: PUT replaces them with the rest, and GET shows them where asked alone.
_WHOLE = "$expand=questions,customExtensionStageSettings($expand=customExtension)"


class ExtensionsClient:
    """The `Extensions` port; for the command line, so one request at a time."""

    def __init__(self, settings: GraphSettings) -> None:
        self._settings = settings
        self._urls = GraphUrls(settings.root)

    @cached_property
    def _transport(self) -> GraphTransport:
        from entra_sod.adapters.graph.transport import GraphTransport

        return GraphTransport(self._settings, LocalRateLimiter())

    async def catalogs(self) -> Sequence[Catalog]:
        url = self._url("catalogs")
        return [
            wire.catalog(each)
            async for each in self._items(wire.catalogs_page, url, "the list of catalogs")
        ]

    async def packages(self, catalog_id: str) -> Sequence[PackagePolicies]:
        wanted = quote(f"catalog/id eq '{catalog_id}'", safe="/'")
        url = self._url(f"accessPackages?$filter={wanted}&$expand=assignmentPolicies")
        what = f"the packages of catalog {catalog_id}"
        return [wire.package(each) async for each in self._items(wire.packages_page, url, what)]

    async def extensions(self, catalog_id: str) -> Sequence[Extension]:
        url = self._extensions(catalog_id)
        what = f"the custom extensions of catalog {catalog_id}"
        return [wire.extension(each) async for each in self._items(wire.extensions_page, url, what)]

    async def policy(self, package_id: str, policy_id: str) -> Policy:
        url = self._url(f"assignmentPolicies/{policy_id}?{_WHOLE}")
        answer = await self._transport.read(url, f"reading policy {policy_id}")
        return wire.policy(package_id, decode(wire.one_policy, answer))

    async def create(self, catalog_id: str, new: NewExtension) -> None:
        what = f"making the extension {new.display_name} in catalog {catalog_id}"
        url = self._extensions(catalog_id)
        await self._transport.write("POST", url, what, wire.extension_body(new))

    async def delete(self, catalog_id: str, extension_id: str) -> None:
        url = f"{self._extensions(catalog_id)}/{extension_id}"
        await self._transport.write("DELETE", url, f"deleting extension {extension_id}")

    async def replace(self, policy: Policy) -> None:
        url = self._url(f"assignmentPolicies/{policy.id}")
        what = f"writing policy {policy.id}"
        await self._transport.write("PUT", url, what, wire.policy_body(policy))

    def _url(self, path: str) -> str:
        return self._urls.absolute(f"{_ENTITLEMENT}/{path}")

    def _extensions(self, catalog_id: str) -> str:
        return self._url(f"catalogs/{catalog_id}/customWorkflowExtensions")

    async def _items[T](
        self, decoder: msgspec.json.Decoder[WirePage[T]], url: str, what: str
    ) -> AsyncIterator[T]:
        async for page in pages(self._transport.read, self._urls, decoder, url, what):
            for item in page:
                yield item

    async def close(self) -> None:
        """Close the connections, if any were made."""
        if "_transport" in self.__dict__:
            await self._transport.close()
