"""A caller whom the app knows, and the roles that say what they may do."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """App roles, by the values that the app registration gives them."""

    CHECK = "SoD.Check"  # ask for a check that writes nothing
    DECIDE = "SoD.Decide"  # ask for a decision
    ENFORCE = "SoD.Enforce"  # ask for work that may write references
    READ = "SoD.Read"  # read what was found
    ADMIN = "SoD.Admin"  # all of it


class Kind(StrEnum):
    """How the app knows a caller."""

    PRINCIPAL = "principal"  # Entra signed them in, and the platform says so
    KEY = "key"  # they hold one of the app's keys
    ANYONE = "anyone"  # nobody is told apart: a local world


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls.

    Attributes:
        kind: how the app knows them.
        id: the principal's object id, or the key's name; never a person's name.
        roles: what they may do.
    """

    kind: Kind
    id: str
    roles: frozenset[Role]

    @property
    def name(self) -> str:
        """For logs and limits: `principal:OBJECT-ID` or `key:NAME`."""
        return f"{self.kind}:{self.id}"

    def may(self, roles: Collection[Role]) -> bool:
        """Whether the caller has one of the roles, or the one that covers all."""
        return Role.ADMIN in self.roles or not self.roles.isdisjoint(roles)


@dataclass(frozen=True, slots=True)
class Stranger:
    """A caller whom the app does not know; `why` is for the log and names no credential."""

    why: str


EVERY_ROLE = frozenset({Role.ADMIN})
