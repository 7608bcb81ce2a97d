"""A tenant in memory that answers the `Graph` port: for tests, and for trying rules out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import replace
from itertools import batched

import msgspec

from entra_sod.core.errors import PERMANENT, Forbidden, GraphError, NotFound, Rejected
from entra_sod.domain.entra import (
    AccessPackage,
    Assignment,
    Group,
    Reference,
    ReferenceKind,
    Subject,
)
from entra_sod.domain.grants import Grant, GrantKind, Grants, OriginSystem
from entra_sod.ports.graph import AssignmentPage, HolderPage


class MemoryGraph:
    """Packages, assignments and references, plus what to refuse.

    As strict as Graph is to an identity with roles on catalogs; a contract test holds it to that.

    Attributes:
        unreadable: packages that the identity may not read.
        unsuitable_groups: groups that do not exist, or are not security-enabled.
        groups: of the directory; None where the identity may not read them, as by default.
        members: how many each group has; None likewise.
        directory: object ids of its people and service principals; None likewise.
        names: object ids of its users, by user principal names in small letters; None likewise.
        newcomers: subjects that entitlement management knows, and that hold nothing.
        whole_tenant: whether the identity may read all there is, and so learns what does not exist.
        refuses_additional_access: whether additionalAccess is forbidden to the app.
        writes: every reference added, in order.
        grants: what packages grant, where it is more than their groups and roles.
        hidden_grants: packages on the list whose grants are not shown, with the reason.
        tenant: its id.
        grants_read: every package whose grants were asked for, in order.
    """

    def __init__(
        self,
        packages: Sequence[AccessPackage],
        assignments: Mapping[str, Sequence[Assignment]],
        *,
        page_size: int = 100,
    ) -> None:
        self._packages = {package.id: package for package in packages}
        self._assignments = {key: list(held) for key, held in assignments.items()}
        self._page_size = page_size
        self.present: set[Reference] = set()
        self.tenant = ""
        self.unreadable: set[str] = set()
        self.unsuitable_groups: set[str] = set()
        self.whole_tenant = False
        self.groups: dict[str, Group] | None = None
        self.members: dict[str, int] | None = None
        self.directory: set[str] | None = None
        self.names: dict[str, str] | None = None
        self.newcomers: list[Subject] = []
        self.refuses_additional_access = False
        self.writes: list[Reference] = []
        self.grants: dict[str, Grants] = {}
        self.grants_read: list[str] = []
        self.hidden_grants: dict[str, GraphError] = {}

    def put(self, package: AccessPackage) -> None:
        """Add a package, or change the one with its id."""
        self._packages[package.id] = package

    def drop(self, package_id: str) -> None:
        """Delete a package."""
        del self._packages[package_id]

    async def tenant_id(self) -> str:
        return self.tenant

    async def packages(self) -> Sequence[AccessPackage]:
        readable = [each for key, each in self._packages.items() if key not in self.unreadable]
        none: frozenset[str] = frozenset()
        return [replace(each, member_groups=none, eligible_groups=none) for each in readable]

    async def package(self, package_id: str) -> AccessPackage:
        self._require(package_id)
        return self._without_catalog(package_id)

    async def group(self, group_id: str) -> Group:
        if self.groups is None:
            raise Forbidden("no directory permission", status=403)
        if group_id not in self.groups:
            raise NotFound(f"no group {group_id}", status=404)
        return self.groups[group_id]

    async def member_counts(self, group_ids: Collection[str]) -> Mapping[str, int | GraphError]:
        if self.members is None:
            refused = Forbidden("no directory permission", status=403)
            return dict.fromkeys(group_ids, refused)
        unknown = NotFound("no such group", status=404)
        return {each: self.members.get(each, unknown) for each in group_ids}

    async def packages_by_id(
        self, package_ids: Collection[str]
    ) -> Mapping[str, AccessPackage | GraphError]:
        return {package_id: self._package_or_error(package_id) for package_id in package_ids}

    async def grants_of(
        self, package_ids: Collection[str]
    ) -> AsyncIterator[tuple[str, Grants | GraphError]]:
        for package_id in sorted(set(package_ids)):
            self.grants_read.append(package_id)
            found = self.hidden_grants.get(package_id) or self._package_or_error(package_id)
            if isinstance(found, AccessPackage):
                yield package_id, self.grants.get(package_id, _grants(found))
            else:
                yield package_id, found

    async def additional_access(
        self, package_id: str, incompatible_package_id: str
    ) -> AsyncIterator[AssignmentPage]:
        if self.refuses_additional_access:
            raise Forbidden("additionalAccess is not for applications", status=403)
        if package_id == incompatible_package_id:
            raise Rejected("the two packages must be distinct", status=400)
        self._require(package_id)
        self._require(incompatible_package_id)
        others = {each.subject.id for each in self._held(incompatible_package_id)}
        both = [each for each in self._held(package_id) if each.subject.id in others]
        for page in self._paged(both):
            yield page

    async def assignments(self, package_id: str) -> AsyncIterator[AssignmentPage]:
        if not self.whole_tenant:
            self._require(package_id)
        for page in self._paged(self._assignments.get(package_id, [])):
            yield page

    async def assignments_of(
        self, package_ids: Collection[str]
    ) -> AsyncIterator[tuple[str, AssignmentPage | GraphError]]:
        for package_id in sorted(set(package_ids)):
            async for page in _or_error(self.assignments(package_id)):
                yield package_id, page

    async def holders_of(
        self, package_ids: Collection[str]
    ) -> AsyncIterator[tuple[str, HolderPage | GraphError]]:
        async for key, page in self.assignments_of(package_ids):
            if isinstance(page, GraphError):
                yield key, page
            else:
                yield key, [each.subject.id for each in page if each.is_held]

    async def assignments_of_subjects(
        self, object_ids: Collection[str]
    ) -> AsyncIterator[tuple[str, AssignmentPage | GraphError]]:
        for object_id in sorted(set(object_ids)):
            if self.whole_tenant:
                held = [each for key in self._packages for each in self._of(object_id, key)]
                for page in self._paged(held):
                    yield object_id, page
            else:
                yield object_id, Forbidden("may not read all catalogs", status=403)

    async def assignments_of_subjects_in(
        self, wanted: Collection[tuple[str, str]]
    ) -> AsyncIterator[tuple[tuple[str, str], AssignmentPage | GraphError]]:
        for object_id, package_id in sorted(set(wanted)):
            try:
                self._require(package_id)
            except PERMANENT as error:
                yield (object_id, package_id), error
                continue
            for page in self._paged(self._of(object_id, package_id)):
                yield (object_id, package_id), page

    async def subjects(self, ids: Collection[str]) -> Mapping[str, Subject | GraphError]:
        subjects = [each.subject for held in self._assignments.values() for each in held]
        known = {each.id: each for each in (*self.newcomers, *subjects)}
        by_object_id = {each.object_id: each for each in known.values() if each.object_id}
        return {
            key: by_object_id.get(key)
            or known.get(key)
            or NotFound(f"no subject {key}", status=404)
            for key in ids
        }

    async def directory_subjects(
        self, object_ids: Collection[str]
    ) -> Mapping[str, Subject | GraphError]:
        if self.directory is None:
            refused = Forbidden("no directory permission", status=403)
            return dict.fromkeys(object_ids, refused)
        return {
            key: Subject(id=key)
            if key in self.directory
            else NotFound(f"there is no {key}", status=404)
            for key in object_ids
        }

    async def users_by_name(self, names: Collection[str]) -> Mapping[str, Subject | GraphError]:
        if self.names is None:
            return dict.fromkeys(names, Forbidden("no directory permission", status=403))
        found = {name: self.names.get(name.lower()) for name in names}
        return {
            name: Subject(id=key, object_id=key, subject_type="user", principal_name=name)
            if key
            else NotFound("no such user", status=404)
            for name, key in found.items()
        }

    def _of(self, object_id: str, package_id: str) -> list[Assignment]:
        return [
            msgspec.structs.replace(each, package_id=package_id)
            for each in self._assignments.get(package_id, [])
            if each.subject.object_id == object_id
        ]

    async def additional_access_of(
        self, pairs: Collection[tuple[str, str]]
    ) -> AsyncIterator[tuple[tuple[str, str], AssignmentPage | GraphError]]:
        for pair in sorted(set(pairs)):
            async for page in _or_error(self.additional_access(*pair)):
                yield pair, page

    async def references_of(
        self, package_ids: Collection[str]
    ) -> Mapping[tuple[str, ReferenceKind], frozenset[str] | GraphError]:
        found: dict[tuple[str, ReferenceKind], frozenset[str] | GraphError] = {}
        for package_id in package_ids:
            for kind in ReferenceKind:
                try:
                    found[package_id, kind] = await self.references(package_id, kind)
                except PERMANENT as error:
                    found[package_id, kind] = error
        return found

    async def references(self, package_id: str, kind: ReferenceKind) -> frozenset[str]:
        self._require(package_id)
        return frozenset(
            each.target for each in self.present if each.on == package_id and each.kind is kind
        )

    async def add(self, reference: Reference) -> None:
        self._require(reference.on)
        if self._is_unsuitable(reference):
            raise Rejected("there is no such group or package to refer to", status=400)
        if reference in self.present:
            raise Rejected("the reference exists", status=400)
        self.present.add(reference)
        self.writes.append(reference)

    async def remove(self, reference: Reference) -> None:
        self._require(reference.on)
        if reference not in self.present:
            raise NotFound("no such reference", status=404)
        self.present.remove(reference)

    async def probe(self) -> None:
        return

    def _held(self, package_id: str) -> list[Assignment]:
        return [each for each in self._assignments.get(package_id, []) if each.is_held]

    def _paged(self, items: Sequence[Assignment]) -> list[AssignmentPage]:
        return list(batched(items, self._page_size, strict=False)) or [()]

    def _require(self, package_id: str) -> None:
        # As in Graph, a refusal does not tell whether the thing exists.
        if package_id in self.unreadable:
            raise Forbidden(f"may not read {package_id}", status=403)
        if package_id not in self._packages:
            if self.whole_tenant:
                raise NotFound(f"no package {package_id}", status=404)
            raise Forbidden(f"may not read {package_id}", status=403)

    def _is_unsuitable(self, reference: Reference) -> bool:
        if reference.kind is ReferenceKind.GROUP:
            return reference.target in self.unsuitable_groups
        return reference.target == reference.on or reference.target not in self._packages

    def _package_or_error(self, package_id: str) -> AccessPackage | GraphError:
        try:
            self._require(package_id)
        except GraphError as error:
            return error
        return self._without_catalog(package_id)

    def _without_catalog(self, package_id: str) -> AccessPackage:
        return replace(self._packages[package_id], catalog_id=None, catalog_name="")


def _grants(package: AccessPackage) -> Grants:
    """What a package grants, with the names that a test has not given."""
    other = (_other_grant(*each.split(" ", 2)) for each in package.other_roles)
    return tuple(
        sorted(
            [
                *(_membership(each, GrantKind.MEMBER) for each in package.member_groups),
                *(_membership(each, GrantKind.ELIGIBLE) for each in package.eligible_groups),
                *other,
            ]
        )
    )


def _other_grant(system: str, resource: str, role: str) -> Grant:
    known = {each.lower(): each.value for each in OriginSystem}
    eligible = GrantKind.ELIGIBLE if role.startswith("eligible") else GrantKind.ACTIVE
    kind = GrantKind.OWNER if role.startswith("owner_") else eligible
    return Grant(known.get(system, system), resource, resource, role, "", kind)


def _membership(group: str, kind: GrantKind) -> Grant:
    prefix = "member" if kind is GrantKind.MEMBER else "eligiblemember"
    name = "Member" if kind is GrantKind.MEMBER else "Eligible Member"
    return Grant(OriginSystem.GROUP, group, "", f"{prefix}_{group}", name, kind)


async def _or_error(
    pages: AsyncIterator[AssignmentPage],
) -> AsyncIterator[AssignmentPage | GraphError]:
    try:
        async for page in pages:
            yield page
    except PERMANENT as error:
        yield error
