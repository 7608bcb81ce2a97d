"""A caller whom the app knows, and the roles that say what they may do and how far they may go."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from entra_sod.core.errors import NotAllowed

type EnforcementChoice = Literal["off", "plan", "apply"]


class AppRole(StrEnum):
    """App roles, by the values that the app registration gives them."""

    CHECK = "SoD.Check"
    DECIDE = "SoD.Decide"
    ENFORCE = "SoD.Enforce"
    READ = "SoD.Read"
    ADMIN = "SoD.Admin"

    @property
    def meaning(self) -> str:
        """What the role lets its holder do, for the reference."""
        return _ROLE_MEANINGS[self]


_ROLE_MEANINGS: Mapping[AppRole, str] = {
    AppRole.CHECK: "Ask for checks that write nothing, and read them.",
    AppRole.DECIDE: "Ask for decisions.",
    AppRole.ENFORCE: "Ask for work that may write references: checks with `apply`, and sweeps.",
    AppRole.READ: "Read checks, sweeps, findings and the report, and subscribe to results.",
    AppRole.ADMIN: "Everything, also freezing and unfreezing writes. A key has this role.",
}


class CallerKind(StrEnum):
    """How the app knows a caller."""

    PRINCIPAL = "principal"  # Entra signed them in, and the platform says so
    KEY = "key"  # they hold one of the app's keys
    ANYONE = "anyone"  # callers are not told apart: a local world


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls.

    Attributes:
        kind: how the app knows them.
        id: the principal's object id, or the key's name; never a person's name.
        roles: what they may do.
    """

    kind: CallerKind
    id: str
    roles: frozenset[AppRole]

    @property
    def name(self) -> str:
        """For logs and limits: `principal:OBJECT-ID` or `key:NAME`."""
        return f"{self.kind}:{self.id}"

    @property
    def is_signed_in(self) -> bool:
        """Whether Entra signed them in before the app; who holds a key of the app's is not."""
        return self.kind is CallerKind.PRINCIPAL

    def may(self, roles: Collection[AppRole]) -> bool:
        """Whether the caller has one of the roles, or the one that covers all."""
        return AppRole.ADMIN in self.roles or not self.roles.isdisjoint(roles)


@dataclass(frozen=True, slots=True)
class UnknownCaller:
    """A caller whom the app does not know; `why` is for the log and names no credential."""

    why: str


EVERY_ROLE = frozenset({AppRole.ADMIN})


def cap_enforcement(request: EnforcementChoice | None, caller: Caller) -> EnforcementChoice | None:
    """Return how far to go at most; None leaves it to the app's own setting.

    Who may not write, and does not say how far to go, gets a plan.

    Raises:
        NotAllowed: the caller wishes to write, and may not.
    """
    if caller.may({AppRole.ENFORCE}):
        return request
    if request == "apply":
        raise NotAllowed(
            f"enforcement `apply` takes the app role {AppRole.ENFORCE}; ask for `plan`."
        )
    return request or "plan"
