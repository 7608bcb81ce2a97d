"""The guard before every HTTP function: `domain/callers/routes.py` says whom it lets through.

The host is told `anonymous`, for it knows function keys alone: with any other level a caller with a
token of Entra would need a key as well. So who calls is this app's own question, and no function of
a `GuardedBlueprint` is reached before it was answered. A function that is registered in another way
keeps the level `function`, whose keys nobody was given.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import azure.functions as func

from entra_sod import bootstrap
from entra_sod.domain.callers.caller import Caller, UnknownCaller
from entra_sod.domain.callers.routes import ELSEWHERE, ROUTES, OpenAccess, Route
from functions.http.responses import own_hosts, with_problem_details

type Answering = Awaitable[func.HttpResponse]
type HttpHandler[C] = Callable[[func.HttpRequest, C], Answering]


class GuardedBlueprint(func.Blueprint):
    """A blueprint whose functions have a line in the table of routes, under their own names."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # its stubs are partial

    def answers(self, handler: Callable[[func.HttpRequest], Answering]) -> Any:  # noqa: ANN401 - the base's
        """Register a function for its route; it is given admitted requests only."""
        return self._register(handler.__name__, lambda req, _: handler(req))

    def answers_caller(self, handler: HttpHandler[Caller]) -> Any:  # noqa: ANN401 - the base's
        """The same for a function that is told who calls, on a route that takes known callers."""

        def answer(req: func.HttpRequest, caller: Caller | UnknownCaller) -> Answering:
            if not isinstance(caller, Caller):
                raise TypeError(f"{handler.__name__} is open to strangers")
            return handler(req, caller)

        return self._register(handler.__name__, answer)

    def answers_anybody(self, handler: HttpHandler[Caller | UnknownCaller]) -> Any:  # noqa: ANN401 - the base's
        """The same for a function that verifies its callers itself."""
        return self._register(handler.__name__, handler)

    def _register(self, name: str, handler: HttpHandler[Caller | UnknownCaller]) -> Any:  # noqa: ANN401
        route = ELSEWHERE if name == ELSEWHERE.function else ROUTES[name]
        methods = [route.method] if route.method else None
        trigger = self.route(route=route.path, methods=methods, auth_level=func.AuthLevel.ANONYMOUS)
        return self.function_name(name)(trigger(_guarded(route, handler)))


def _guarded(
    route: Route, handler: HttpHandler[Caller | UnknownCaller]
) -> Callable[[func.HttpRequest], Answering]:
    async def admitted(req: func.HttpRequest) -> func.HttpResponse:
        # What is public tells that the app lives, also where its settings are wrong.
        if route.access is OpenAccess.PUBLIC:
            return await handler(req, UnknownCaller("nobody looked"))
        hosts, target = own_hosts(req), req.route_params.get("id", "")
        admission = bootstrap.app.admission
        caller = admission.admit(route, req.headers, hosts=hosts, target=target)
        return await handler(req, caller)

    async def answer(req: func.HttpRequest) -> func.HttpResponse:
        return await with_problem_details(admitted(req))

    answer.__name__ = route.function
    return answer
