"""The guard before every HTTP function: `domain/callers/routes.py` says whom it lets through.

The host is told `anonymous`, for it knows function keys alone: with any other level a caller with a
token of Entra would need a key as well. So who calls is this app's own question, and no function of
a `GuardedBlueprint` is reached before it was answered. A function that is registered in another way
keeps the level `function`, whose keys nobody was given.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

import azure.functions as func

from entra_sod import bootstrap
from entra_sod.domain.callers.caller import Caller, Role
from entra_sod.domain.callers.routes import Open, access_to
from functions.http.responses import answered

_LONGEST_ROUTE = 100

type Handler = Callable[[func.HttpRequest], Awaitable[func.HttpResponse]]


class GuardedBlueprint(func.Blueprint):
    """A blueprint whose HTTP functions are reached by admitted requests only."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # its stubs are partial

    def route(self, *args: Any, **options: Any) -> Callable[..., Any]:  # noqa: ANN401 - the base's
        """Register as the base does, with `route` by name, behind the guard."""
        options["auth_level"] = func.AuthLevel.ANONYMOUS
        register = super().route(*args, **options)
        return lambda handler: register(guarded(str(options.get("route")), handler))


def guarded(route: str, handler: Handler) -> Handler:
    """Put the guard before a handler."""

    # The worker finds the parameters of what it calls by looking through `wraps`.
    @wraps(handler)
    async def answer(req: func.HttpRequest) -> func.HttpResponse:
        return await answered(_admit_and_answer(route, req, handler))

    return answer


async def _admit_and_answer(
    route: str, req: func.HttpRequest, handler: Handler
) -> func.HttpResponse:
    # What is public tells that the app lives, also where its settings are wrong.
    if access_to(req.method, route) is not Open.PUBLIC:
        bootstrap.admission().admit(req.method, route, req.headers)
    return await handler(req)


def require_caller(req: func.HttpRequest, *roles: Role) -> Caller:
    """Tell who calls; for routes that verify their callers themselves, and for finer questions.

    Raises:
        Unauthenticated: 401, nobody knows the caller.
        NotAllowed: 403, the caller has none of the roles.
    """
    what = f"{req.method} {req.url.partition('?')[0].rpartition('/api/')[2][:_LONGEST_ROUTE]}"
    return bootstrap.admission().require(req.headers, roles, what)
