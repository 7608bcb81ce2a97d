"""What the hook asks of Microsoft Graph, or of a test double.

Every method raises the `GraphError`s of `entra_sod.core.errors` and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from entra_sod.cli.operations.extensions.model import (
    Extension,
    NewExtension,
    PackagePolicies,
    Policy,
)
from entra_sod.domain.entra import Catalog


class Extensions(Protocol):
    async def catalogs(self) -> Sequence[Catalog]:
        """Every catalog that the identity may read."""
        ...

    async def packages(self, catalog_id: str) -> Sequence[PackagePolicies]:
        """The packages of a catalog that the identity may read."""
        ...

    async def extensions(self, catalog_id: str) -> Sequence[Extension]:
        """The custom extensions of a catalog."""
        ...

    async def policy(self, package_id: str, policy_id: str) -> Policy:
        """One policy of a package, with its stage settings and all else that it says."""
        ...

    async def create(self, catalog_id: str, new: NewExtension) -> None:
        """Make an extension; Graph gives it its id."""
        ...

    async def delete(self, catalog_id: str, extension_id: str) -> None:
        """Delete an extension; Rejected while a policy uses it."""
        ...

    async def replace(self, policy: Policy) -> None:
        """Write a policy back: all that it does not say is lost."""
        ...
