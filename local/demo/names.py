"""The simulator's tenant at one moment, in names instead of ids."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import msgspec

from local.demo.facts import Pair, Reference, TenantSize
from local.graph.index import Index
from local.graph.tenant import AssignmentRequest, Subject, Tenant

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_REQUEST_ID = re.compile(r" \(request-id [^)]*\)")


class Snapshot:
    """A tenant as it was when the simulator was asked for it."""

    def __init__(self, tenant: Mapping[str, Any]) -> None:
        self.tenant = msgspec.convert(tenant, Tenant)
        self._index = Index(self.tenant)
        self._names = _names(self.tenant)

    def size(self) -> TenantSize:
        return TenantSize(
            catalogs=len(self.tenant.catalogs),
            packages=len(self.tenant.access_packages),
            people=sum(each.subject_type == "user" for each in self.tenant.subjects),
            assignments=len(self.tenant.assignments),
        )

    def name(self, known_id: str) -> str:
        """The name of a package, group or subject; the id itself where it has none."""
        return self._names.get(known_id.lower(), known_id)

    def in_words(self, text: str) -> str:
        """A text of the app or of Graph with names in the place of ids."""
        without = _REQUEST_ID.sub("", text)
        return _GUID.sub(lambda found: self.name(found[0]), without)

    def references(self) -> dict[Reference, int]:
        """Every reference there is, and how often it was added; twice listed counts twice."""
        found: defaultdict[Reference, int] = defaultdict(int)
        for package in self.tenant.access_packages:
            for kind, entries in (
                ("group", package.incompatible_groups),
                ("package", package.incompatible_access_packages),
            ):
                for entry in entries:
                    reference = Reference(package.display_name, kind, self.name(entry.id))
                    found[reference] += max(entry.additions, 1)
        return dict(found)

    def holders(self, package_id: str) -> frozenset[str]:
        """Ids of the subjects with an active assignment."""
        return self._index.targets_of(package_id)

    def holders_of_both(self, pairs: Iterable[tuple[str, str]]) -> dict[Pair, frozenset[str]]:
        """Names, by pairs of packages; the pairs are given by ids."""
        return {
            Pair.of(self.name(one), self.name(other)): frozenset(
                self.name(each) for each in self.holders(one) & self.holders(other)
            )
            for one, other in pairs
        }

    def first_with(self, package_ids: Collection[str]) -> Subject:
        """The first person whose assignments, the ended ones included, are of just these."""
        held: defaultdict[str | None, set[str]] = defaultdict(set)
        for assignment in self.tenant.assignments:
            held[assignment.target_id].add(assignment.access_package_id)
        for subject in self.tenant.subjects:
            if held[subject.id] == set(package_ids) and isinstance(subject.object_id, str):
                return subject
        raise LookupError("no person in the tenant fits the story")

    def request(self, request_id: str) -> AssignmentRequest:
        """An access request, by its id."""
        (found,) = [each for each in self.tenant.assignment_requests if each.id == request_id]
        return found

    def subject(self, subject_id: str) -> Subject:
        return self._index.subjects[subject_id.lower()]

    def policy_of(self, package_id: str) -> str:
        return self._index.packages[package_id.lower()].assignment_policies[0].id


def _names(tenant: Tenant) -> dict[str, str]:
    return {
        **{each.id.lower(): each.display_name for each in tenant.access_packages},
        **{each.id.lower(): each.display_name for each in tenant.groups},
        # A person who was invited and has not come yet has only an address.
        **{each.id.lower(): str(each.display_name or each.email) for each in tenant.subjects},
    }
