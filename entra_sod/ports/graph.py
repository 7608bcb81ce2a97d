"""What the app asks of Microsoft Graph, or of a stand-in.

Every method raises the `GraphError`s of `entra_sod.core.errors` and nothing else.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Protocol

from entra_sod.core.errors import GraphError
from entra_sod.domain.entra import (
    AccessPackage,
    Assignment,
    Group,
    Reference,
    ReferenceKind,
    Subject,
)
from entra_sod.domain.grants import Grants
from entra_sod.ports.subjects import DirectoryUsers

type AssignmentPage = Sequence[Assignment]
type HolderPage = Sequence[str]


class Graph(DirectoryUsers, Protocol):
    async def tenant_id(self) -> str:
        """The id of the tenant that is read; empty where the identity's token does not say.

        Raises:
            Unavailable: no token was given.
        """
        ...

    async def packages(self) -> Sequence[AccessPackage]:
        """Every package the identity may read, with its catalog; its groups stay empty."""
        ...

    async def package(self, package_id: str) -> AccessPackage:
        """One package with the groups it grants; its catalog stays empty."""
        ...

    async def packages_by_id(
        self, package_ids: Collection[str]
    ) -> Mapping[str, AccessPackage | GraphError]:
        """Many packages, as `package` gives them; what may not be read, by its error.

        Raises:
            Throttled, Unavailable: come again later, as for every way to read many things.
        """
        ...

    def grants_of(
        self, package_ids: Collection[str]
    ) -> AsyncIterator[tuple[str, Grants | GraphError]]:
        """Read what many packages grant, with names, a request each, in batches.

        Yields (package id, grants) in any order; what may not be read, by its error.

        Raises:
            Throttled, Unavailable: come again later.
        """
        ...

    def assignments_of(
        self, package_ids: Collection[str]
    ) -> AsyncIterator[tuple[str, AssignmentPage | GraphError]]:
        """Page all assignments of many packages, up to 20 pages to one `$batch`.

        Yields (package id, page) in any order, until all are read. A package that may not be read
        yields its permanent error (Forbidden, NotFound, Rejected, UnsafeLink), and ends.

        Raises:
            Throttled, Unavailable: come again later.
        """
        ...

    def holders_of(
        self, package_ids: Collection[str]
    ) -> AsyncIterator[tuple[str, HolderPage | GraphError]]:
        """Page who holds many packages now, by the subjects' ids in entitlement management.

        It reads less of each assignment than `assignments_of`, and yields and raises as it does.
        An id occurs once for each assignment.
        """
        ...

    def additional_access_of(
        self, pairs: Collection[tuple[str, str]]
    ) -> AsyncIterator[tuple[tuple[str, str], AssignmentPage | GraphError]]:
        """As `assignments_of`, with what `additional_access` gives for many pairs."""
        ...

    def assignments_of_subjects(
        self, object_ids: Collection[str]
    ) -> AsyncIterator[tuple[str, AssignmentPage | GraphError]]:
        """Page all assignments of many subjects, with package and dates, in batches.

        Yields (object id, page) as `assignments_of` does; Forbidden for an identity that has rights
        on catalogs only.

        Raises:
            Throttled, Unavailable: come again later.
        """
        ...

    def assignments_of_subjects_in(
        self, wanted: Collection[tuple[str, str]]
    ) -> AsyncIterator[tuple[tuple[str, str], AssignmentPage | GraphError]]:
        """The same for pairs of an object id and a package, which rights on a catalog allow."""
        ...

    async def subjects(self, ids: Collection[str]) -> Mapping[str, Subject | GraphError]:
        """Many subjects, by their object ids or by their ids in entitlement management.

        NotFound where neither is; any other error where one of them could not be looked up.

        Raises:
            Throttled, Unavailable: come again later.
        """
        ...

    async def directory_subjects(
        self, object_ids: Collection[str]
    ) -> Mapping[str, Subject | GraphError]:
        """Many people and service principals of the directory, as `subjects` gives them.

        Forbidden without a directory permission, which the app's role is not.
        """
        ...

    async def references_of(
        self, package_ids: Collection[str]
    ) -> Mapping[tuple[str, ReferenceKind], frozenset[str] | GraphError]:
        """Both lists of references of many packages; what may not be read, by its error."""
        ...

    async def group(self, group_id: str) -> Group:
        """One group; Forbidden without a directory permission, which the app's role is not."""
        ...

    async def member_counts(self, group_ids: Collection[str]) -> Mapping[str, int | GraphError]:
        """How many members each group has, those of nested groups and these themselves included.

        Forbidden without a directory permission, as `group`.

        Raises:
            Throttled, Unavailable: come again later.
        """
        ...

    def additional_access(
        self, package_id: str, incompatible_package_id: str
    ) -> AsyncIterator[AssignmentPage]:
        """Page the assignments of the first package whose target also holds the second."""
        ...

    def assignments(self, package_id: str) -> AsyncIterator[AssignmentPage]:
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
