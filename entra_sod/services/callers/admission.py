"""Who is let in: every HTTP request but those of public routes passes here before anything else."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Mapping

from entra_sod.core.clock import Clock
from entra_sod.core.errors import (
    CallerRefused,
    CrossSiteRequest,
    NotAllowed,
    TooManyRequests,
    Unauthenticated,
)
from entra_sod.domain.callers.address import address_of
from entra_sod.domain.callers.caller import AppRole, Caller, UnknownCaller
from entra_sod.domain.callers.cross_site import why_cross_site
from entra_sod.domain.callers.identify import CallerSettings, identify
from entra_sod.domain.callers.rate_limit import CallerRateLimiter
from entra_sod.domain.callers.routes import OpenAccess, Route

log = logging.getLogger("entra_sod")

# A caller polls each thing that it asked for many times, and must not be kept from its answer.
READS_FOR_EACH_REQUEST = 10
_READING = "GET"
_ID = re.compile(r"[\w-]{1,64}", re.ASCII)  # what else stands in a path may be anything


class Admission:
    """Identifies callers, and counts their requests in the memory of one process."""

    def __init__(self, settings: CallerSettings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        # Strangers are counted apart, so that their number pushes no known caller out.
        self._limiters = {
            (is_known, is_reading): CallerRateLimiter(
                settings.requests_per_minute * (READS_FOR_EACH_REQUEST if is_reading else 1)
            )
            for is_known in (True, False)
            for is_reading in (True, False)
        }

    def admit(
        self,
        route: Route,
        headers: Mapping[str, str],
        *,
        hosts: Collection[str] = (),
        target: str = "",
    ) -> Caller | UnknownCaller:
        """Admit a request and return its caller, or refuse it.

        An unknown caller is admitted only by routes that verify their callers themselves.

        Args:
            route: that is asked for.
            headers: of the request, found by names in any case.
            hosts: names of this app, with a port if any: where a browser's writes may come from.
            target: the id in the request's path, for the log.

        Raises:
            TooManyRequests: the caller asks too often.
            Unauthenticated: the caller is not authenticated.
            NotAllowed: the caller has none of the route's roles.
            CrossSiteRequest: a browser sends a write, and may do so for another site.
        """
        caller, what = identify(headers, self._settings), str(route)
        self._count(caller, what, headers, is_reading=route.method == _READING)
        if route.takes_strangers:
            return caller
        known = _require_known(caller, what)
        if not isinstance(route.access, OpenAccess):
            require_role(known, route.access, what)
        if route.is_write:
            _require_own_site(known, what, headers, hosts)
            named = {"target": target} if _ID.fullmatch(target) else {}
            extra = {"action": "caller_admitted", "caller": known.name, "route": what, **named}
            log.info("%s: %s", known.name, what, extra=extra)
        return known

    def _count(
        self,
        caller: Caller | UnknownCaller,
        what: str,
        headers: Mapping[str, str],
        *,
        is_reading: bool,
    ) -> None:
        is_known = isinstance(caller, Caller)
        name = caller.name if isinstance(caller, Caller) else address_of(headers)
        limiter = self._limiters[is_known, is_reading]
        wait, is_new = limiter.take(name, self._clock.now().timestamp())
        if not wait:
            return
        error = TooManyRequests(
            f"You ask too often. Wait {wait:.1f} s, as Retry-After says; then ask the same again.",
            retry_after=wait,
        )
        # One line for each flood: a line for each request would be a flood of its own.
        raise _refused(caller, what, error, "too many requests") if is_new else error


def require_role(caller: Caller | UnknownCaller, roles: Collection[AppRole], what: str) -> Caller:
    """Return an authenticated caller who has one of the roles.

    Raises:
        Unauthenticated: the caller is not authenticated.
        NotAllowed: the caller has none of the roles.
    """
    known = _require_known(caller, what)
    if not known.may(roles):
        wanted = " or ".join(sorted(roles))
        raise _refused(known, what, NotAllowed(f"This takes the app role {wanted}."), wanted)
    return known


def _require_known(caller: Caller | UnknownCaller, what: str) -> Caller:
    """Return an authenticated caller.

    Raises:
        Unauthenticated: the caller is not authenticated.
    """
    if isinstance(caller, Caller):
        return caller
    detail = (
        "Send a token of Microsoft Entra ID for this app, or one of the app's keys as "
        "x-functions-key."
    )
    raise _refused(caller, what, Unauthenticated(detail), caller.why)


def _require_own_site(
    caller: Caller, what: str, headers: Mapping[str, str], hosts: Collection[str]
) -> None:
    """Refuse a write that another site has a browser send with the caller's cookie.

    Raises:
        CrossSiteRequest: it may be one.
    """
    if why := why_cross_site(headers, caller.kind, hosts):
        raise _refused(caller, what, CrossSiteRequest(why), "cross-site")


def _refused(
    caller: Caller | UnknownCaller, what: str, error: CallerRefused, why: str
) -> CallerRefused:
    name = caller.name if isinstance(caller, Caller) else "an unknown caller"
    extra = {"action": "caller_refused", "caller": name, "route": what, "why": why}
    log.warning("%s may not %s: %s", name, what, why, extra=extra)
    return error
