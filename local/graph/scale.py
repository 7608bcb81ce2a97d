"""A tenant of any size, made from a few numbers instead of being read from a large file.

Teams are catalogs with packages of two duties, `Requester N` and `Approver N`, that rules may keep
apart; the packages left over are in a catalog of their own. One package in a hundred is heavy: all
heavy ones together have a tenth of the assignments. Those of the first duty go to one half of the
people and those of the second to the other half, so no person holds both but the few that are
planted: in each team, `PLANTED` holders of its first Requester package also hold its first Approver
package.
"""

from collections.abc import Iterator
from functools import lru_cache
from uuid import UUID

import msgspec

from local.graph.tenant import (
    AccessPackage,
    Assignment,
    AssignmentPolicy,
    Catalog,
    Identity,
    Resource,
    ResourceRoleScope,
    Role,
    Scope,
    Subject,
    Tenant,
)

PREFIX = "scale:"
PLANTED = 3
# Who could not have a package any more is still listed with it.
ONE_EXPIRED_IN = 50
CLIENT_ID = "5ca1e000-0000-4000-8000-000000000001"

_HEAVY_EVERY = 100
_HEAVY_SHARE = 10
_PACKAGES_OF_A_PERSON = 5
_FIRST = ("Ada", "Björn", "Chiara", "Daniel", "Elif", "Farah", "Hugo", "Inès", "Keiko", "Lars")
_LAST = ("Abara", "Berg", "Costa", "Demir", "Eriksen", "Fischer", "García", "Haddad", "Ito")
_SCATTER = 0x9E3779B97F4A7C15F39CC0605CEDC835
_SCHEDULE: dict[str, object] = {
    "startDateTime": "2025-03-11T08:22:07.137Z",
    "recurrence": None,
    "expiration": {"endDateTime": None, "duration": None, "type": "noExpiration"},
}


class Scale(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How large a tenant is, and how its packages fall into teams of two duties."""

    packages: int
    assignments: int
    teams: int
    requesters: int
    approvers: int

    @property
    def pairs(self) -> int:
        """Of a Requester and an Approver package of the same team."""
        return self.teams * self.requesters * self.approvers

    @property
    def people(self) -> int:
        return _people(self)

    def sizes(self) -> list[int]:
        """The number of assignments of each package; together `assignments`."""
        heavy = range(0, self.packages, _HEAVY_EVERY)
        of_heavy = self.assignments // _HEAVY_SHARE // len(heavy)
        others = self.packages - len(heavy)
        share, rest = divmod(self.assignments - of_heavy * len(heavy), max(others, 1))
        sizes: list[int] = []
        for number in range(self.packages):
            is_heavy = number % _HEAVY_EVERY == 0
            sizes.append(of_heavy if is_heavy else share + (rest > 0))
            rest -= not is_heavy
        return sizes

    def side_of(self, package: int) -> int:
        """0 for a Requester package, 1 for an Approver one, 0 for one without a team."""
        team, place = divmod(package, self.requesters + self.approvers)
        return int(team < self.teams and place >= self.requesters)

    def team_of(self, package: int) -> int:
        """The team; `teams`, one past the last, for the packages left over."""
        return min(package // (self.requesters + self.approvers), self.teams)

    def first_of(self, team: int) -> tuple[int, int]:
        """The first Requester package and the first Approver package of a team."""
        start = team * (self.requesters + self.approvers)
        return start, start + self.requesters

    def holders(self, package: int, size: int) -> list[int]:
        """The people with so many assignments of a package, in the order of these."""
        half = self.people // 2
        side, start = self.side_of(package), package * _SCATTER % half
        people = [side * half + (start + each) % half for each in range(size)]
        if self.team_of(package) < self.teams:
            first, second = self.first_of(self.team_of(package))
            if package == second:
                start = first * _SCATTER % half
                planted = [(start + each) % half for each in range(min(PLANTED, size))]
                return planted + people[len(planted) :]
        return people


# Kept: every package asks for it, and the sizes of all of them are looked through.
@lru_cache(maxsize=1)
def _people(scale: Scale) -> int:
    return max(scale.assignments // _PACKAGES_OF_A_PERSON, 2 * max(scale.sizes()))


def parse(text: str) -> Scale:
    """Read `scale:{"packages":…,"assignments":…,"teams":…,"requesters":…,"approvers":…}`."""
    return msgspec.json.decode(text.removeprefix(PREFIX), type=Scale)


def is_expired(assignment: int) -> bool:
    return assignment % ONE_EXPIRED_IN == ONE_EXPIRED_IN - 1


def an_id(kind: str, number: int) -> str:
    """An id as scattered as Graph's, and the same in every run."""
    salt = int.from_bytes(kind.encode())
    return str(UUID(int=(number + 1) * _SCATTER + salt * _SCATTER**2 & (1 << 128) - 1))


def scaled_tenant(scale: Scale) -> Tenant:
    """The whole tenant; its one identity may read and write all of entitlement management."""
    subjects = [_person(number) for number in range(scale.people)]
    return Tenant(
        catalogs=[
            Catalog(id=an_id("catalog", team), display_name=catalog_name(scale, team))
            for team in range(scale.teams + 1)
        ],
        access_packages=[_package(scale, number) for number in range(scale.packages)],
        subjects=subjects,
        assignments=list(_assignments(scale, [each.id for each in subjects])),
        identities=[
            Identity(
                client_id=CLIENT_ID,
                principal_id=an_id("principal", 0),
                display_name="Separation of duties",
                permissions=["EntitlementManagement.ReadWrite.All"],
            )
        ],
    )


def catalog_name(scale: Scale, team: int) -> str:
    return f"Team {team}" if team < scale.teams else "Everybody"


def _package(scale: Scale, number: int) -> AccessPackage:
    team, constraint = scale.team_of(number), ("Requester", "Approver")[scale.side_of(number)]
    return AccessPackage(
        id=an_id("package", number),
        catalog_id=an_id("catalog", team),
        display_name=f"{constraint} {number}" if team < scale.teams else f"Common {number}",
        description="What this access is for, in a sentence of the usual length.",
        is_hidden=False,
        created_date_time="2025-01-07T09:00:00Z",
        modified_date_time="2025-01-07T09:00:00Z",
        resource_role_scopes=[_grant(number)],
        assignment_policies=[AssignmentPolicy(id=_policy_id(number), display_name="By request")],
    )


def _grant(number: int) -> ResourceRoleScope:
    group = an_id("group", number)
    role = Role(
        id=an_id("role", number),
        display_name="Member",
        origin_system="AadGroup",
        origin_id=f"Member_{group}",
        resource=Resource(
            id=an_id("resource", number),
            display_name=f"Group {number}",
            origin_id=group,
            origin_system="AadGroup",
        ),
    )
    scope = Scope(
        id=an_id("scope", number), display_name="Root", origin_id=group, origin_system="AadGroup"
    )
    return ResourceRoleScope(id=f"{role.id}_{scope.id}", role=role, scope=scope)


def _policy_id(package: int) -> str:
    return an_id("policy", package)


def _person(number: int) -> Subject:
    address = f"person.{number}@contoso.com"
    return Subject(
        id=an_id("subject", number),
        object_id=an_id("person", number),
        display_name=f"{_FIRST[number % len(_FIRST)]} {_LAST[number % len(_LAST)]}",
        email=address,
        principal_name=address,
        subject_type="user",
    )


def _assignments(scale: Scale, subject_ids: list[str]) -> Iterator[Assignment]:
    number = 0
    for package, size in enumerate(scale.sizes()):
        package_id, policy_id = an_id("package", package), _policy_id(package)
        for person in scale.holders(package, size):
            expired = is_expired(number)
            yield Assignment(
                id=an_id("assignment", number),
                access_package_id=package_id,
                target_id=subject_ids[person],
                assignment_policy_id=policy_id,
                state="expired" if expired else "delivered",
                status="Expired" if expired else "Delivered",
                expired_date_time="2025-06-30T00:00:00Z" if expired else None,
                schedule=_SCHEDULE,
            )
            number += 1
