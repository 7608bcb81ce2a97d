"""A running app, as the command line sees it: the app in memory, or answers that a test gives."""

from __future__ import annotations

from collections.abc import Callable

import azure.functions as func
import httpx

from entra_sod.cli.running_app import RunningApp
from entra_sod.cli.sweep import follow
from entra_sod.domain.results.status import SweepStatus
from entra_sod.domain.results.sweep import SweepResult
from entra_sod.ports.storage import Row
from entra_sod.services.sweeps.result import failed_result
from entra_sod.stores.sweeps import SweepRecord
from functions.http.findings import get_finding, list_findings
from functions.http.sweeps import get_sweep, start_sweep_by_hand
from local.memory.clock import ManualClock
from tests.app import App, call
from tests.builders import held, package, rule, side

ADDRESS = "https://app.example.com/api"
PACKAGES = [package("a"), package("b")]
RULES = [rule("r", side("a"), side("b"))]
BOTH = {"a": held("a", "xy"), "b": held("b", "xyz")}

type Handler = Callable[[httpx.Request], httpx.Response]


class InMemory(httpx.AsyncBaseTransport):
    """The app in memory behind HTTP; each look at a sweep lets a worker do one message first."""

    def __init__(self, app: App) -> None:
        self._app, self.seen = app, list[httpx.Request]()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        function, route = start_sweep_by_hand, dict[str, str]()
        _, _, last = request.url.path.rpartition("/")
        if "/findings" in request.url.path:
            function, route = (
                (list_findings, {}) if last == "findings" else (get_finding, {"id": last})
            )
        elif request.method == "GET":
            function, route = get_sweep, {"id": last}
            if self._app.storage.sent:
                await self._app.work_one()
        asked = func.HttpRequest(
            request.method,
            str(request.url),
            headers=dict(request.headers),
            params=dict(request.url.params),
            route_params=route,
            body=await request.aread(),
        )
        answer = await call(function, asked)
        return httpx.Response(
            answer.status_code, headers=dict(answer.headers), content=answer.get_body()
        )


class Asked:
    """A running app whose answers a test gives."""

    def __init__(self, transport: httpx.AsyncBaseTransport, key: str = "") -> None:
        self.clock, self.told = ManualClock(), list[str]()
        headers = {"x-functions-key": key} if key else {}
        self.http = httpx.AsyncClient(transport=transport, headers=headers)
        self.app = RunningApp(ADDRESS, self.http, self.clock, self.told.append)


def answering(handler: Handler, key: str = "") -> Asked:
    return Asked(httpx.MockTransport(handler), key)


async def swept(app: App) -> SweepResult:
    asked = Asked(InMemory(app))
    started = await asked.app.start_sweep()
    return (await follow(asked.app, started.id, asked.clock, lambda _: None)).result


CLOCK = ManualClock()
FAILED = failed_result(
    SweepRecord(
        id="s",
        status=SweepStatus.RUNNING,
        parts=None,
        started_at=CLOCK.now(),
        row=Row(partition="s", key="sweep"),
    ),
    "the rules [red]have mistakes[/red]",
    CLOCK.now(),
)
STARTED = {"id": "s", "status": "queued", "self": f"{ADDRESS}/sweeps/s", "joined": False}
