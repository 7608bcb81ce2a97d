"""Addresses of Microsoft Graph v1.0, written out by hand.

msgraph-sdk's own builder drops the comma of `additionalAccess(a,b)`, and its template engine would
do the same to ours, so nothing here goes through a URL template.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

from entra_sod.core.errors import UnsafeLink
from entra_sod.domain.entra import Reference, ReferenceKind

_COLLECTIONS = {
    ReferenceKind.GROUP: "incompatibleGroups",
    ReferenceKind.PACKAGE: "incompatibleAccessPackages",
}
_ENTITLEMENT = "/identityGovernance/entitlementManagement"
_SUBJECT = "$select=id,objectId,displayName,subjectType"
_HOLDERS = f"$expand=target({_SUBJECT},principalName)"
_HOLDER_IDS = "$select=id,state&$expand=target($select=id)"
_GRANTS = "$expand=resourceRoleScopes($expand=role,scope)"
_NAMED_GRANTS = "$expand=resourceRoleScopes($expand=role($expand=resource),scope)"


@dataclass(frozen=True, slots=True)
class GraphUrls:
    """The addresses under one Graph root, such as `https://graph.microsoft.com`."""

    root: str

    @property
    def base(self) -> str:
        return f"{self.root}/v1.0"

    def absolute(self, path: str) -> str:
        return self.base + path

    def batch(self) -> str:
        return self.absolute("/$batch")

    def packages(self) -> str:
        return self.absolute(f"{_ENTITLEMENT}/accessPackages?$expand=catalog")

    def group(self, group_id: str) -> str:
        return self.absolute(f"/groups/{group_id}?$select=id,securityEnabled,displayName")

    def additional_access(self, package_id: str, incompatible_package_id: str) -> str:
        path = _additional_access(package_id, incompatible_package_id)
        return self.absolute(f"{path}?$expand=target")

    def assignments(self, package_id: str) -> str:
        return self.absolute(f"{_assignments(package_id)}&$expand=target")

    def references(self, package_id: str, kind: ReferenceKind) -> str:
        return self.absolute(references_path(package_id, kind))

    def add(self, reference: Reference) -> str:
        return self.references(reference.on, reference.kind) + "/$ref"

    def remove(self, reference: Reference) -> str:
        return f"{self.references(reference.on, reference.kind)}/{reference.target}/$ref"

    def target(self, reference: Reference) -> str:
        """The `@odata.id` that a new reference points to."""
        if reference.kind is ReferenceKind.GROUP:
            return self.absolute(f"/groups/{reference.target}")
        return self.absolute(f"{_ENTITLEMENT}/accessPackages/{reference.target}")

    def next_page(self, present: str, link: str) -> str:
        """Resolve a nextLink, which must stay under this root: a token goes with it.

        Raises:
            UnsafeLink: the link points to another scheme, host or port, or nowhere.
        """
        try:
            following = urljoin(present, link)
        except ValueError as error:
            raise UnsafeLink("Graph answered with a next page on no address at all") from error
        if _origin(following) != _origin(self.root):
            raise UnsafeLink(
                f"Graph answered with a next page on {urlsplit(following).netloc}, which is not "
                f"{urlsplit(self.root).netloc}: not followed, the token stays here"
            )
        return following

    def relative(self, url: str) -> str:
        """An address under the version root, as `$batch` wants it.

        Raises:
            UnsafeLink: it is of another version, which no batch of this one reaches.
        """
        if not url.startswith(f"{self.base}/"):
            raise UnsafeLink("Graph answered with a next page of another version: not followed")
        return url.removeprefix(self.base)


def package_path(package_id: str) -> str:
    """A package with what it grants, relative to the version root, as `$batch` wants it."""
    return f"{_ENTITLEMENT}/accessPackages/{package_id}?{_GRANTS}"


def named_grants_path(package_id: str) -> str:
    """The same with the name of each resource, which `_GRANTS` leaves out."""
    return f"{_ENTITLEMENT}/accessPackages/{package_id}?$select=id&{_NAMED_GRANTS}"


def references_path(package_id: str, kind: ReferenceKind) -> str:
    return f"{_ENTITLEMENT}/accessPackages/{package_id}/{_COLLECTIONS[kind]}"


def assignments_path(package_id: str) -> str:
    """All assignments of a package, with what we read of them and no more."""
    return f"{_assignments(package_id)}&$select=id,state,schedule&{_HOLDERS}"


def holders_path(package_id: str) -> str:
    """The same with no more than who holds the package."""
    return f"{_assignments(package_id)}&{_HOLDER_IDS}"


def additional_access_path(package_id: str, incompatible_package_id: str) -> str:
    return f"{_additional_access(package_id, incompatible_package_id)}?$select=id,state&{_HOLDERS}"


def subject_path(object_id: str, package_id: str | None = None) -> str:
    """All assignments of a subject, or those of one package, with their package and dates."""
    wanted = f"target/objectId eq '{object_id}'"
    if package_id is not None:
        wanted = f"accessPackage/id eq '{package_id}' and {wanted}"
    return (
        f"{_ENTITLEMENT}/assignments?$filter={quote(wanted, safe="/'")}&$select=id,state,schedule"
        f"&{_HOLDERS},accessPackage($select=id)"
    )


def subject_by_object_id_path(object_id: str) -> str:
    """A subject by the alternate key of its resource type."""
    return f"{_ENTITLEMENT}/subjects(objectId='{object_id}')?{_SUBJECT}"


def subject_by_id_path(subject_id: str) -> str:
    """A subject by its id in entitlement management, which is the key of its resource type."""
    return f"{_ENTITLEMENT}/subjects/{subject_id}?{_SUBJECT}"


def member_count_path(group_id: str) -> str:
    return f"/groups/{group_id}/transitiveMembers/$count"


def user_path(object_id: str) -> str:
    return f"/users/{object_id}?$select=id,displayName"


def user_by_name_path(name: str) -> str:
    """A user by its user principal name, which for guests has `#EXT#` in it."""
    return f"/users/{quote(name, safe='')}?$select=id,displayName,userPrincipalName"


def service_principal_path(object_id: str) -> str:
    return f"/servicePrincipals/{object_id}?$select=id,displayName"


def _assignments(package_id: str) -> str:
    wanted = quote(f"accessPackage/id eq '{package_id}'", safe="/'")
    return f"{_ENTITLEMENT}/assignments?$filter={wanted}"


def _additional_access(package_id: str, incompatible_package_id: str) -> str:
    return (
        f"{_ENTITLEMENT}/assignments/additionalAccess(accessPackageId='{package_id}',"
        f"incompatibleAccessPackageId='{incompatible_package_id}')"
    )


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()
