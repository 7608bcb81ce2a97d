"""Custom extensions and policies against a real Graph root."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from entra_sod.adapters.graph.door import GraphDoor
from entra_sod.adapters.graph.wire import catalogs_page, decode
from entra_sod.cli.operations.extensions import wire
from entra_sod.cli.operations.extensions.model import (
    Extension,
    NewExtension,
    PackagePolicies,
    Policy,
)
from entra_sod.domain.entra import Catalog

_ENTITLEMENT = "/identityGovernance/entitlementManagement"
# Both are relations: PUT replaces them with the rest, and GET shows them where asked alone.
_WHOLE = "$expand=questions,customExtensionStageSettings($expand=customExtension)"


class ExtensionsClient(GraphDoor):
    """The `Extensions` port; for the command line, so one request at a time."""

    async def catalogs(self) -> Sequence[Catalog]:
        return await self._items(catalogs_page, self._url("catalogs"), "the list of catalogs")

    async def packages(self, catalog_id: str) -> Sequence[PackagePolicies]:
        wanted = quote(f"catalog/id eq '{catalog_id}'", safe="/'")
        url = self._url(f"accessPackages?$filter={wanted}&$expand=assignmentPolicies")
        what = f"the packages of catalog {catalog_id}"
        return await self._items(wire.packages_page, url, what)

    async def extensions(self, catalog_id: str) -> Sequence[Extension]:
        url = self._extensions(catalog_id)
        what = f"the custom extensions of catalog {catalog_id}"
        return await self._items(wire.extensions_page, url, what)

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
