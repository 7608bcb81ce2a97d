"""Ways to find things in a tenant without reading all of it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from local.graph.tenant import (
    AccessPackage,
    Assignment,
    Catalog,
    DirectoryObject,
    Group,
    Identity,
    Subject,
    Tenant,
)

# Every other state, also one of the future, is access that a person has, or is being given.
ENDED_STATES = frozenset({"expired", "deliveryfailed"})


def is_active(assignment: Assignment) -> bool:
    return assignment.state.lower() not in ENDED_STATES


class Index:
    """Ids compare without regard to case, as in Graph."""

    def __init__(self, tenant: Tenant) -> None:
        self.catalogs: dict[str, Catalog] = _by_id(tenant.catalogs)
        self.packages: dict[str, AccessPackage] = _by_id(tenant.access_packages)
        self.groups: dict[str, Group] = _by_id(tenant.groups)
        self.subjects: dict[str, Subject] = _by_id(tenant.subjects)
        self.subjects_by_object = {
            subject.object_id.lower(): subject
            for subject in tenant.subjects
            if isinstance(subject.object_id, str) and not subject.is_deleted
        }
        self.newcomers: dict[str, DirectoryObject] = _by_id(tenant.newcomers)
        self.users_by_name = {name.lower(): object_id for name, object_id in _user_names(tenant)}
        self.identities: dict[str, Identity] = {
            identity.client_id.lower(): identity for identity in tenant.identities
        }
        # object ids of principals that may get a role
        self.principals: frozenset[str] = frozenset(
            {
                *(identity.principal_id.lower() for identity in tenant.identities),
                *(group.id.lower() for group in tenant.groups),
                *self.subjects_by_object,
            }
        )
        self._assignments: defaultdict[str, list[Assignment]] = defaultdict(list)
        for assignment in tenant.assignments:
            self.add_assignment(assignment)

    def add_assignment(self, assignment: Assignment) -> None:
        self._assignments[assignment.access_package_id.lower()].append(assignment)

    def assignments_of(self, package_id: str) -> list[Assignment]:
        return self._assignments.get(package_id.lower(), [])

    def targets_of(self, package_id: str, *, states: str = "active") -> frozenset[str]:
        """Subject ids that have the package; with `all`, in whatever state."""
        return frozenset(
            assignment.target_id.lower()
            for assignment in self.assignments_of(package_id)
            if assignment.target_id is not None and (states == "all" or is_active(assignment))
        )

    def catalog_of(self, package_id: str) -> str | None:
        package = self.packages.get(package_id.lower())
        return package.catalog_id.lower() if package else None


def _by_id[T: Catalog | AccessPackage | Group | Subject | DirectoryObject](
    records: Iterable[T],
) -> dict[str, T]:
    return {record.id.lower(): record for record in records}


def _user_names(tenant: Tenant) -> Iterator[tuple[str, str]]:
    """The user principal names of the directory, each with the object id of its user."""
    for subject in tenant.subjects:
        name, object_id = subject.principal_name, subject.object_id
        if isinstance(name, str) and isinstance(object_id, str) and not subject.is_deleted:
            yield name, object_id.lower()
    for newcomer in tenant.newcomers:
        if isinstance(newcomer.user_principal_name, str):
            yield newcomer.user_principal_name, newcomer.id.lower()
