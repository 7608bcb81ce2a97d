"""The guard before every HTTP function: `domain/callers/routes.py` lists the callers it admits.

The functions have the host's level `anonymous`, because the host checks function keys alone: with
any other level a caller with a token of Entra would need a key as well. So the app authenticates
its callers itself, before it runs any function of a `GuardedBlueprint`. A function that is
registered in another way keeps the level `function`, whose keys were given to no caller.
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
        """The same for a function that receives its caller, which is an authenticated one."""

        def answer(req: func.HttpRequest, caller: Caller | UnknownCaller) -> Answering:
            if not isinstance(caller, Caller):
                raise TypeError(f"{handler.__name__} admits unknown callers")
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
        # A public route reports that the app runs, even if the app's settings are wrong.
        if route.access is OpenAccess.PUBLIC:
            return await handler(req, UnknownCaller("a public route identifies no caller"))
        hosts, target = own_hosts(req), req.route_params.get("id", "")
        admission = bootstrap.app.admission
        caller = admission.admit(route, req.headers, hosts=hosts, target=target)
        return await handler(req, caller)

    async def answer(req: func.HttpRequest) -> func.HttpResponse:
        return await with_problem_details(admitted(req))

    answer.__name__ = route.function
    return answer
