"""What the app answers a caller about the caller. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from entra_sod.core.names import cut
from entra_sod.domain.callers.caller import Caller, CallerKind
from entra_sod.domain.callers.routes import ROUTES, OpenAccess, Route

# Easy Auth writes it beside the principal, and nothing is decided by it.
_DISPLAY_NAME = "x-ms-client-principal-name"


class CallerView(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Who calls, as the app sees it.

    Attributes:
        name: as logs and records name the caller.
        kind: `principal`: Entra signed the caller in. `key`: the caller has a key of the app.
            `anyone`: authentication is turned off on a local machine.
        id: the principal's object id, or the key's name.
        display_name: of a principal, as the platform says it.
        roles: app roles. `SoD.Admin` covers all of them.
        may: each route that the caller may call, as its method and its path below `/api/`.
    """

    name: str
    kind: CallerKind
    id: str
    display_name: str | None
    roles: list[str]
    may: list[str]


def caller_view(caller: Caller, headers: Mapping[str, str]) -> CallerView:
    """Describe a caller.

    Args:
        caller: that was let in.
        headers: of the request, found by names in any case.
    """
    shown = headers.get(_DISPLAY_NAME) if caller.kind is CallerKind.PRINCIPAL else None
    return CallerView(
        name=caller.name,
        kind=caller.kind,
        id=caller.id,
        display_name=cut(shown) if shown else None,
        roles=sorted(caller.roles),
        may=[str(each) for each in ROUTES.values() if _may(caller, each)],
    )


def _may(caller: Caller, route: Route) -> bool:
    if isinstance(route.access, OpenAccess):
        return route.access is not OpenAccess.OWN
    return caller.may(route.access)
