"""Microsoft Entra's own words, as values: packages, assignments, subjects, references.

Ids are GUIDs in lower case throughout, so that they compare as strings.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import msgspec


# Structs where there are millions: made ten times faster than frozen dataclasses. They cannot be
# part of a cycle, so the garbage collector need not go through them.
class Subject(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who holds an assignment: a person, a service principal or an agent.

    `id` is the subject's id in entitlement management. It is always there, and may become another
    one without notice; `object_id` stays, and is null until a guest exists in the tenant.

    Attributes:
        subject_type: as Graph writes it, such as `user` and `servicePrincipal`.
        principal_name: the user principal name. It may become another one's. So it is no part of
            what tells subjects apart.
    """

    id: str
    object_id: str | None = None
    display_name: str | None = None
    subject_type: str | None = None
    principal_name: str | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Subject) and self._compared == other._compared

    def __hash__(self) -> int:
        return hash(self._compared)

    @property
    def _compared(self) -> tuple[str | None, ...]:
        return (self.id, self.object_id, self.display_name, self.subject_type)

    @property
    def key(self) -> str:
        """What tells one subject from another."""
        return self.object_id or self.id

    @property
    def ids(self) -> tuple[str, ...]:
        return (self.id, self.object_id) if self.object_id else (self.id,)


class Assignment(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One assignment of one access package; `state` in whatever case Graph wrote it.

    Attributes:
        package_id: where it was asked for; a list of one package does not repeat it.
        start: when the access begins, where it was asked for and Graph says so.
        end: when it ends, likewise; None is without an end, as far as is known.
    """

    id: str
    subject: Subject
    state: str | None = None
    package_id: str | None = None
    start: datetime | None = None
    end: datetime | None = None

    @property
    def is_held(self) -> bool:
        return is_held_in(self.state)


def is_held_in(state: str | None) -> bool:
    """Whether the subject of an assignment holds the package. Only if it expired it does not.

    An unknown or missing state counts as held: a wrong conflict is looked at by a person, a
    wrong all-clear is looked at by no person.
    """
    return state is None or state.lower() != "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    id: str
    display_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessPackage:
    """A package, and the groups that it makes people members, or eligible members, of.

    Attributes:
        other_roles: that it grants, of groups, applications, sites and whatever else has roles.
        modified: when it was changed last, as Graph writes it; only the list of packages shows it.
    """

    id: str
    display_name: str = ""
    catalog_id: str | None = None
    catalog_name: str = ""
    member_groups: frozenset[str] = frozenset()
    eligible_groups: frozenset[str] = frozenset()
    other_roles: frozenset[str] = frozenset()
    modified: str | None = field(default=None, compare=False)

    @property
    def groups(self) -> frozenset[str]:
        """Those that its holders are in, or may come to be in."""
        return self.member_groups | self.eligible_groups

    @property
    def grants(self) -> frozenset[str]:
        """All that it grants; membership that is eligible is as good as one that is active."""
        return self.groups | self.other_roles


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group of the directory; only a security-enabled one can be incompatible with a package.

    Attributes:
        display_name: for people; groups are compared without it.
    """

    id: str
    is_security_enabled: bool
    display_name: str = field(default="", compare=False)


class ReferenceKind(StrEnum):
    GROUP = "group"
    PACKAGE = "package"


class Reference(msgspec.Struct, frozen=True, order=True, gc=False):
    """One entry of `incompatibleGroups` or `incompatibleAccessPackages` of the package `on`.

    It works in one direction: holders of `target` can no longer get `on`.
    """

    on: str
    kind: ReferenceKind
    target: str

    @property
    def packages(self) -> tuple[str, ...]:
        """The packages that it is on and to."""
        return (self.on, self.target) if self.kind is ReferenceKind.PACKAGE else (self.on,)


class Pair(msgspec.Struct, frozen=True, order=True, gc=False):
    """Two packages to be kept apart, in no order: build it with `Pair.of`."""

    low: str
    high: str

    @classmethod
    def of(cls, one: str, other: str) -> Pair:
        if one == other:
            raise ValueError(f"a package never conflicts with itself: {one}")
        return cls(*sorted((one, other)))

    def __iter__(self) -> Iterator[str]:
        return iter((self.low, self.high))
