"""A caller whom the app knows, and the roles that say what they may do and how far they may go."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from entra_sod.core.errors import NotAllowed

type Wish = Literal["off", "plan", "apply"]


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

    @property
    def is_signed_in(self) -> bool:
        """Whether Entra signed them in before the app; who holds a key of the app's is not."""
        return self.kind is Kind.PRINCIPAL

    def may(self, roles: Collection[Role]) -> bool:
        """Whether the caller has one of the roles, or the one that covers all."""
        return Role.ADMIN in self.roles or not self.roles.isdisjoint(roles)


@dataclass(frozen=True, slots=True)
class Stranger:
    """A caller whom the app does not know; `why` is for the log and names no credential."""

    why: str


EVERY_ROLE = frozenset({Role.ADMIN})


def within_reach(wish: Wish | None, caller: Caller) -> Wish | None:
    """Return how far to go at most; None leaves it to the app's own setting.

    Who may not write, and does not say how far to go, gets a plan.

    Raises:
        NotAllowed: the caller wishes to write, and may not.
    """
    if caller.may({Role.ENFORCE}):
        return wish
    if wish == "apply":
        raise NotAllowed(f"enforcement `apply` takes the app role {Role.ENFORCE}; ask for `plan`.")
    return wish or "plan"
