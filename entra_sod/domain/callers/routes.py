"""What every route asks of its callers. A route that is not here is closed to everybody."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from entra_sod.domain.callers.caller import Role


class Open(Enum):
    """Routes that take callers whom the app does not know."""

    PUBLIC = "everybody"  # tells nothing, does nothing
    OWN = "its own"  # the route verifies its callers itself, such as by a signature


type Access = Open | frozenset[Role]


def any_of(*roles: Role) -> Access:
    """Ask for one of these roles; `SoD.Admin` and the app's keys have them all."""
    return frozenset(roles)


ROUTES: Mapping[str, Access] = {
    "POST checks": any_of(Role.CHECK, Role.ENFORCE),
    "GET checks/{id}": any_of(Role.CHECK, Role.ENFORCE, Role.READ),
    "POST decisions": any_of(Role.DECIDE),
    "POST decisions/batch": any_of(Role.DECIDE),
    # A sweep goes as far as ENFORCEMENT lets it, so starting one may write.
    "POST sweeps": any_of(Role.ENFORCE),
    "GET sweeps/{id}": any_of(Role.READ, Role.ENFORCE),
    "GET findings": any_of(Role.READ),
    "GET findings/{id}": any_of(Role.READ),
    # Somebody's word goes into the history that auditors read.
    "POST findings/{id}/claims": any_of(Role.ENFORCE),
    # A subscription is told every result there is.
    "POST subscriptions": any_of(Role.READ),
    "DELETE subscriptions/{id}": any_of(Role.READ),
    "POST webhooks/{source}": Open.OWN,
    "OPTIONS webhooks/{source}": Open.OWN,
    "GET packages": any_of(Role.CHECK, Role.DECIDE, Role.ENFORCE, Role.READ),
    # The same for everybody who runs the app, and a connector may be imported from it.
    "GET openapi.json": Open.PUBLIC,
    "GET report": any_of(Role.READ),
    "GET ready": any_of(Role.READ),
    "GET health": Open.PUBLIC,
}


def access_to(method: str, route: str) -> Access | None:
    """What a route asks for; None where nobody said."""
    return ROUTES.get(f"{method.upper()} {route}")
