"""Who calls, by the headers of the request and by what the settings trust."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from entra_sod.domain.callers.caller import EVERY_ROLE, Caller, CallerKind, UnknownCaller
from entra_sod.domain.callers.keys import HEADER, CallerKey, find_key
from entra_sod.domain.callers.principal import read_principal


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerSettings:
    """Whom the app believes.

    Attributes:
        trusts_platform: the platform writes the principal's headers, and strips them from callers.
        keys: of the callers who have one; none are taken where there is none.
        is_open: everybody may do everything, in a local world.
        requests_per_minute: of one caller, at one instance.
    """

    trusts_platform: bool = False
    keys: tuple[CallerKey, ...] = ()
    is_open: bool = False
    requests_per_minute: int = 600


def identify(headers: Mapping[str, str], settings: CallerSettings) -> Caller | UnknownCaller:
    """Tell who calls: by the platform's principal, or else by a key.

    A principal that was sent is what counts, whatever key came with it: two credentials never give
    more than the one that says who it is.

    Args:
        headers: of the request, found by names in any case.
        settings: whom to believe.
    """
    if settings.trusts_platform and (principal := read_principal(headers)):
        return principal
    if settings.is_open:
        return Caller(kind=CallerKind.ANYONE, id="local", roles=EVERY_ROLE)
    presented = headers.get(HEADER)
    if not presented:
        return UnknownCaller("no credential that is taken here")
    key = find_key(settings.keys, presented)
    if key is None:
        return UnknownCaller("the key is not known" if settings.keys else "keys are refused")
    return Caller(kind=CallerKind.KEY, id=key.name, roles=EVERY_ROLE)
