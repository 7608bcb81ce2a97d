"""What an access package grants: one role on one resource. Pure.

Ids are as Graph writes them, in lower case. Names are as Graph writes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum

import msgspec

from entra_sod.domain.entra import AccessPackage


class OriginSystem(StrEnum):
    """Where a resource is from, by Graph's own words. There may be others."""

    GROUP = "AadGroup"
    APP = "AadApplication"
    SITE = "SharePointOnline"
    DIRECTORY_ROLE = "DirectoryRole"
    AZURE = "AzureResources"


class GrantKind(StrEnum):
    """How a package grants a role; `any` is for rules only.

    A group has members and owners, directory roles and Azure roles are active. All of them may be
    eligible: then the holder can activate the role.
    """

    MEMBER = "member"
    OWNER = "owner"
    ACTIVE = "active"
    ELIGIBLE = "eligible"
    ANY = "any"


# There may be a hundred thousand of them; they refer to strings only.
class Grant(msgspec.Struct, frozen=True, order=True, gc=False):
    """One role on one resource.

    Attributes:
        system: of origin, as Graph writes it.
        resource: id of the group, of the app's service principal, of the directory role; address of
            the site; Azure scope.
        resource_name: of the same; empty where Graph does not show it.
        role: id of the role in its system, such as `member_<group>` and, of a site, `5`.
        role_name: that Graph shows, such as `Member` and `Post payments`.
        kind: how it is granted.
    """

    system: str
    resource: str
    resource_name: str
    role: str
    role_name: str
    kind: GrantKind

    @property
    def role_key(self) -> str:
        """What is equal for two grants that give the same: of a group's members, eligible or not.

        It is what `AccessPackage.grants` has of it.
        """
        if self.system == OriginSystem.GROUP and self.role.startswith(
            ("member_", "eligiblemember_")
        ):
            return self.role.partition("_")[2]
        return f"{self.system} {self.resource} {self.role}".lower()


type Grants = tuple[Grant, ...]


def as_package(listed: AccessPackage, grants: Grants) -> AccessPackage:
    """A package of the list with what it grants, as if it had been read by itself."""
    groups = [each for each in grants if each.system == OriginSystem.GROUP]
    return replace(
        listed,
        member_groups=_groups(groups, "member_"),
        eligible_groups=_groups(groups, "eligiblemember_"),
        other_roles=frozenset(each.role_key for each in grants if " " in each.role_key),
    )


def _groups(grants: Sequence[Grant], prefix: str) -> frozenset[str]:
    return frozenset(
        each.role.removeprefix(prefix) for each in grants if each.role.startswith(prefix)
    )
