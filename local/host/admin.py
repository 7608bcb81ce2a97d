"""The admin paths of the host: run a function by hand, list functions, say that it runs."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus

import msgspec
from starlette.responses import JSONResponse, Response

from local.host import queue_trigger
from local.host.bindings import Function, HttpTrigger, QueueTrigger, TimerTrigger
from local.host.invocations import Invocations
from local.host.timers import Timer


class RunByHand(msgspec.Struct, frozen=True):
    """The body of POST /admin/functions/{name}."""

    input: str = ""


class Admin:
    """What a person with the master key may ask of the host."""

    def __init__(
        self,
        functions: Mapping[str, Function],
        routes: Mapping[str, str],
        timers: Mapping[str, Timer],
        invocations: Invocations,
    ) -> None:
        self._functions = {name.casefold(): each for name, each in functions.items()}
        self._routes = routes
        self._timers = timers
        self._invocations = invocations
        self._background: set[asyncio.Task[object]] = set()

    async def answer(self, method: str, path: str, body: bytes) -> Response:
        match method, path.strip("/").split("/")[1:]:
            case "GET", ["host", "status"]:
                return JSONResponse({"state": "Running", "functionCount": len(self._functions)})
            case "GET", ["functions"]:
                return JSONResponse([self._describe(each) for each in self._functions.values()])
            case "POST", ["functions", name]:
                return self._run(name, body)
            case _:
                return Response(status_code=HTTPStatus.NOT_FOUND)

    def _describe(self, function: Function) -> dict[str, str | None]:
        kind = function.trigger.__struct_config__.tag
        return {
            "name": function.name,
            "trigger": str(kind),
            "route": self._routes.get(function.name),
        }

    def _run(self, name: str, body: bytes) -> Response:
        function = self._functions.get(name.casefold())
        if function is None:
            return Response(status_code=HTTPStatus.NOT_FOUND)
        try:
            given = msgspec.json.decode(body or b"{}", type=RunByHand).input
        except msgspec.MsgspecError as error:
            return Response(f'send {{"input": "…"}}: {error}', HTTPStatus.BAD_REQUEST)
        return self._start(function, given)

    def _start(self, function: Function, given: str) -> Response:
        match function.trigger:
            case HttpTrigger():
                return Response("an HTTP function is run by its route", HTTPStatus.BAD_REQUEST)
            case TimerTrigger():
                run = asyncio.create_task(self._run_timer(function, given))
            case QueueTrigger() as trigger:
                run = asyncio.create_task(self._run_queue(function, trigger, given))
        self._background.add(run)
        run.add_done_callback(self._background.discard)
        return Response(status_code=HTTPStatus.ACCEPTED)

    async def _run_timer(self, function: Function, given: str) -> None:
        await self._timers[function.name].run("by hand", given)

    async def _run_queue(self, function: Function, trigger: QueueTrigger, given: str) -> None:
        await self._invocations.run(function, queue_trigger.by_hand(trigger, given))
