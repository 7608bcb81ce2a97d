"""What the app asks of Microsoft Graph, whoever answers.

Every method raises the `GraphError`s of `functions.errors` and nothing else.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Protocol

from functions.entra import AccessPackage, Assignment, Group, Reference, ReferenceKind
from functions.errors import GraphError

type Page = Sequence[Assignment]


class Graph(Protocol):
    async def packages(self) -> Sequence[AccessPackage]:
        """Every package the identity may read, with its catalog; its groups stay empty."""
        ...

    async def package(self, package_id: str) -> AccessPackage:
        """One package with the groups it grants; its catalog stays empty."""
        ...

    async def packages_by_id(
        self, package_ids: Collection[str]
    ) -> Mapping[str, AccessPackage | GraphError]:
        """Many packages, as `package` gives them, 20 to a request; what failed, by its error."""
        ...

    async def group(self, group_id: str) -> Group:
        """One group; Forbidden without a directory permission, which the app's role is not."""
        ...

    def additional_access(
        self, package_id: str, incompatible_package_id: str
    ) -> AsyncIterator[Page]:
        """Page the assignments of the first package whose target also holds the second."""
        ...

    def assignments(self, package_id: str) -> AsyncIterator[Page]:
        """Page all assignments of one package, expired ones included."""
        ...

    async def references(self, package_id: str, kind: ReferenceKind) -> frozenset[str]:
        """Ids of the groups or packages that are marked incompatible on a package."""
        ...

    async def add(self, reference: Reference) -> None:
        """Write one reference; sent once, never repeated, so that doubt is settled by reading."""
        ...

    async def remove(self, reference: Reference) -> None: ...

    async def probe(self) -> None:
        """Ask for something harmless, to learn whether Graph answers this identity."""
        ...
