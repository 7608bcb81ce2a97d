"""Catalogs, extensions and policies in memory, as strict as Graph: for tests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from entra_sod.cli.operations.extensions.model import (
    REQUEST_EXTENSION,
    Extension,
    NewExtension,
    PackagePolicies,
    Policy,
)
from entra_sod.core.errors import Forbidden, NotFound, Rejected
from entra_sod.domain.entra import Catalog


class MemoryExtensions:
    """One catalog, its packages with their policies, its extensions.

    Attributes:
        may_write_policies: whether the identity manages the catalog's packages.
        may_own: whether it owns the catalog, as making and deleting extensions wants it.
        written: every policy that was replaced, in order.
    """

    def __init__(
        self,
        catalog: Catalog,
        packages: Sequence[PackagePolicies],
        policies: Iterable[Policy],
        extensions: Iterable[Extension] = (),
    ) -> None:
        self._catalog, self._packages = catalog, packages
        self.policies = {each.id: each for each in policies}
        self.known = {each.id: each for each in extensions}
        self.may_write_policies = self.may_own = True
        self.written: list[Policy] = []
        self._made = 0

    async def catalogs(self) -> Sequence[Catalog]:
        return [self._catalog]

    async def packages(self, catalog_id: str) -> Sequence[PackagePolicies]:
        return self._packages if catalog_id == self._catalog.id else []

    async def extensions(self, catalog_id: str) -> Sequence[Extension]:
        self._require_catalog(catalog_id)
        return list(self.known.values())

    async def policy(self, package_id: str, policy_id: str) -> Policy:
        found = self.policies.get(policy_id)
        if found is None or found.package_id != package_id:
            raise Forbidden(f"may not read {policy_id}", status=403)
        return found

    async def create(self, catalog_id: str, new: NewExtension) -> None:
        self._require_catalog(catalog_id)
        self._require(may=self.may_own)
        self._made += 1
        made = Extension(
            id=f"{self._made:08x}-0000-4000-8000-000000000000",
            display_name=new.display_name,
            kind=REQUEST_EXTENSION,
            waits=True,
            logic_app=new.logic_app,
        )
        self.known[made.id] = made

    async def delete(self, catalog_id: str, extension_id: str) -> None:
        self._require_catalog(catalog_id)
        self._require(may=self.may_own)
        if any(
            each.extension_id == extension_id
            for policy in self.policies.values()
            for each in policy.settings
        ):
            raise Rejected("a policy uses the extension", status=400)
        if self.known.pop(extension_id, None) is None:
            raise NotFound(f"no extension {extension_id}", status=404)

    async def replace(self, policy: Policy) -> None:
        await self.policy(policy.package_id, policy.id)
        self._require(may=self.may_write_policies)
        if any(each.extension_id not in self.known for each in policy.settings):
            raise Rejected("a stage setting names no extension of the catalog", status=400)
        self.policies[policy.id] = policy
        self.written.append(policy)

    def _require_catalog(self, catalog_id: str) -> None:
        # As in Graph, a refusal does not tell whether the thing exists.
        self._require(may=catalog_id == self._catalog.id)

    @staticmethod
    def _require(*, may: bool) -> None:
        if not may:
            raise Forbidden("may not do this", status=403)
