"""Microsoft Graph as the app uses it, over msgraph-sdk's request adapter."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from entra_sod.adapters.graph import wire
from entra_sod.adapters.graph.batches import Batches, BatchRead
from entra_sod.adapters.graph.door import GraphDoor
from entra_sod.adapters.graph.urls import (
    additional_access_path,
    assignments_path,
    holders_path,
    member_count_path,
    named_grants_path,
    package_path,
    references_path,
    service_principal_path,
    subject_by_id_path,
    subject_by_object_id_path,
    subject_path,
    user_by_name_path,
    user_path,
)
from entra_sod.adapters.rate_limit.limiters import LocalRateLimiter
from entra_sod.core.clock import Clock, SystemClock
from entra_sod.core.errors import Forbidden, GraphError, NotFound, Rejected
from entra_sod.domain.entra import AccessPackage, Group, Reference, ReferenceKind, Subject
from entra_sod.domain.grants import Grants
from entra_sod.ports.graph import AssignmentPage, HolderPage
from entra_sod.ports.rate_limit import RateLimiter
from entra_sod.settings import GraphSettings

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

_PROBED = 20  # packages of the first batch
READING_PACKAGE = "reading access package %s"  # as errors say it


class GraphClient(GraphDoor):
    """The `Graph` port against a real Graph root."""

    def __init__(
        self,
        settings: GraphSettings,
        limiter: RateLimiter | None = None,
        clock: Clock | None = None,
        credential: AsyncTokenCredential | None = None,
    ) -> None:
        self._clock = clock or SystemClock()
        super().__init__(settings, limiter or LocalRateLimiter(self._clock), credential)

    @property
    def _batches(self) -> Batches:
        return Batches(
            transport=self._transport, urls=self._urls, limiter=self._limiter, clock=self._clock
        )

    async def packages(self) -> Sequence[AccessPackage]:
        return await self._items(wire.packages_page, self._urls.packages(), "the list of packages")

    async def package(self, package_id: str) -> AccessPackage:
        url = self._urls.absolute(package_path(package_id))
        answer = await self._transport.read(url, READING_PACKAGE % package_id)
        return wire.decode(wire.one_package, answer)

    async def group(self, group_id: str) -> Group:
        what = f"reading group {group_id}"
        answer = await self._transport.read(self._urls.group(group_id), what)
        return wire.decode(wire.one_group, answer)

    async def member_counts(self, group_ids: Collection[str]) -> Mapping[str, int | GraphError]:
        reads = _reads(group_ids, member_count_path, "counting the members of group %s")
        return {key: count async for key, count in self._batches.each(reads, wire.count)}

    async def packages_by_id(
        self, package_ids: Collection[str]
    ) -> Mapping[str, AccessPackage | GraphError]:
        reads = _reads(package_ids, package_path, READING_PACKAGE)
        found = self._batches.each(reads, wire.one_package)
        return {key: package async for key, package in found}

    async def grants_of(
        self, package_ids: Collection[str]
    ) -> AsyncIterator[tuple[str, Grants | GraphError]]:
        keys = sorted(set(package_ids))
        first, others, refused = keys[:_PROBED], keys[_PROBED:], list[str]()
        async for key, grants in self._grants(first, named_grants_path):
            if isinstance(grants, Rejected):
                refused.append(key)
            else:
                yield key, grants
        # The names of resources are an expansion within an expansion. Where Graph refuses it, the
        # documented one still shows the ids.
        path_of = package_path if refused else named_grants_path
        for wanted, path in ((refused, package_path), (others, path_of)):
            async for key, grants in self._grants(wanted, path):
                yield key, grants

    def _grants(
        self, keys: Collection[str], path_of: Callable[[str], str]
    ) -> AsyncIterator[tuple[str, Grants | GraphError]]:
        reads = _reads(keys, path_of, "reading what access package %s grants")
        return self._batches.each(reads, wire.package_grants)

    async def additional_access(
        self, package_id: str, incompatible_package_id: str
    ) -> AsyncIterator[AssignmentPage]:
        url = self._urls.additional_access(package_id, incompatible_package_id)
        what = f"additionalAccess of {package_id} and {incompatible_package_id}"
        async for page in self._pages(wire.assignments_page, url, what):
            yield page

    async def assignments(self, package_id: str) -> AsyncIterator[AssignmentPage]:
        url = self._urls.assignments(package_id)
        what = f"the assignments of {package_id}"
        async for page in self._pages(wire.assignments_page, url, what):
            yield page

    def assignments_of(
        self, package_ids: Collection[str]
    ) -> AsyncIterator[tuple[str, AssignmentPage | GraphError]]:
        reads = _reads(package_ids, assignments_path, "the assignments of %s")
        return self._batches.pages(reads, wire.assignments_page)

    async def holders_of(
        self, package_ids: Collection[str]
    ) -> AsyncIterator[tuple[str, HolderPage | GraphError]]:
        reads = _reads(package_ids, holders_path, "the holders of %s")
        async for key, page in self._batches.pages(reads, wire.holders_page):
            yield key, page if isinstance(page, GraphError) else [each for each in page if each]

    def assignments_of_subjects(
        self, object_ids: Collection[str]
    ) -> AsyncIterator[tuple[str, AssignmentPage | GraphError]]:
        reads = _reads(object_ids, subject_path, "the assignments of subject %s")
        return self._batches.pages(reads, wire.assignments_page)

    def assignments_of_subjects_in(
        self, wanted: Collection[tuple[str, str]]
    ) -> AsyncIterator[tuple[tuple[str, str], AssignmentPage | GraphError]]:
        what = "the assignments of subject %s of %s"
        reads = _reads(wanted, lambda key: subject_path(*key), what)
        return self._batches.pages(reads, wire.assignments_page)

    async def subjects(self, ids: Collection[str]) -> Mapping[str, Subject | GraphError]:
        return await self._first_found(ids, subject_by_object_id_path, subject_by_id_path)

    async def directory_subjects(
        self, object_ids: Collection[str]
    ) -> Mapping[str, Subject | GraphError]:
        return await self._first_found(object_ids, user_path, service_principal_path)

    async def users_by_name(self, names: Collection[str]) -> Mapping[str, Subject | GraphError]:
        reads = _reads(names, user_by_name_path, "reading a user by name")
        return {key: user async for key, user in self._batches.each(reads, wire.one_user)}

    async def _first_found(
        self, ids: Collection[str], *paths: Callable[[str], str]
    ) -> Mapping[str, Subject | GraphError]:
        """Look for each id in one place, then in the next; whom one refuses, all would."""
        found: dict[str, Subject | GraphError] = {}
        for path_of in paths:
            left = [key for key in ids if not isinstance(found.get(key), Subject | Forbidden)]
            reads = _reads(left, path_of, "reading subject %s")
            async for key, each in self._batches.each(reads, wire.one_subject):
                if isinstance(each, Subject) or isinstance(found.setdefault(key, each), NotFound):
                    found[key] = each
        return found

    def additional_access_of(
        self, pairs: Collection[tuple[str, str]]
    ) -> AsyncIterator[tuple[tuple[str, str], AssignmentPage | GraphError]]:
        what = "additionalAccess of %s and %s"
        reads = _reads(pairs, lambda pair: additional_access_path(*pair), what)
        return self._batches.pages(reads, wire.assignments_page)

    async def references_of(
        self, package_ids: Collection[str]
    ) -> Mapping[tuple[str, ReferenceKind], frozenset[str] | GraphError]:
        reads = [
            BatchRead((key, kind), references_path(key, kind), f"the incompatible {kind}s of {key}")
            for key in sorted(set(package_ids))
            for kind in ReferenceKind
        ]
        found: dict[tuple[str, ReferenceKind], frozenset[str] | GraphError] = {}
        async for key, page in self._batches.pages(reads, wire.ids_page):
            before = found.get(key, frozenset[str]())
            if isinstance(page, GraphError):
                found[key] = page
            elif not isinstance(before, GraphError):
                found[key] = before.union(page)
        return found

    async def references(self, package_id: str, kind: ReferenceKind) -> frozenset[str]:
        url = self._urls.references(package_id, kind)
        what = f"the incompatible {kind}s of {package_id}"
        return frozenset(await self._items(wire.ids_page, url, what))

    async def add(self, reference: Reference) -> None:
        body = wire.reference_body(self._urls.target(reference))
        what = f"adding {reference.kind} {reference.target} to {reference.on}"
        await self._transport.write("POST", self._urls.add(reference), what, body)

    async def remove(self, reference: Reference) -> None:
        what = f"removing {reference.kind} {reference.target} from {reference.on}"
        await self._transport.write("DELETE", self._urls.remove(reference), what)

    async def probe(self) -> None:
        await self._transport.read(self._urls.packages(), "the first page of packages")


def _reads[K: (str, tuple[str, str])](
    keys: Collection[K], path_of: Callable[[K], str], what: str
) -> list[BatchRead[K]]:
    """One read for each key; `what` has a place for each part of a key, or none."""
    said = (lambda key: what % key) if "%s" in what else (lambda _: what)
    return [BatchRead(key, path_of(key), said(key)) for key in sorted(set(keys))]
