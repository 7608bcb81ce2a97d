"""A whole local world: a simulated tenant, storage, and the app on its host.

with World() as world:
    host = world.start_host(ENFORCEMENT="apply")
    httpx.get(f"{host.url}/api/health")
    world.graph.requests()
"""

import contextlib
import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from local.graph.log import RequestKind
from local.processes import CHECKOUT, Process, free_port, free_ports
from local.storage import connection_string

_READY_SECONDS = 60
_STORAGE_PORTS = 3


class GraphControl:
    """What a test may ask of the simulated Graph behind the app's back."""

    def __init__(self, root: str) -> None:
        self.root = root
        self._client = httpx.Client(base_url=f"{root}/__simulator", timeout=30, trust_env=False)

    def close(self) -> None:
        self._client.close()

    def behave(self, **behaviour: object) -> None:
        """Changes the named ways of behaving; the others stay."""
        self._put("behaviour", behaviour)

    def add_faults(self, *faults: Mapping[str, object]) -> None:
        """Orders faults, behind those already ordered."""
        self._client.post("/faults", json=faults).raise_for_status()

    def clear_faults(self) -> None:
        self._client.delete("/faults").raise_for_status()

    def requests(self) -> list[dict[str, Any]]:
        """Every Graph request so far."""
        requests: list[dict[str, Any]] = self._get("requests")["requests"]
        return requests

    def timeline(self) -> list[tuple[float, int | None, RequestKind]]:
        """Of every Graph request so far its time, its status and its kind."""
        seen: list[list[Any]] = self._get("timeline")["timeline"]
        return [(time, status, kind) for time, status, kind in seen]

    def clear_requests(self) -> None:
        self._client.delete("/requests").raise_for_status()

    def tenant(self) -> dict[str, Any]:
        return self._get("tenant")

    def replace_tenant(self, tenant: Mapping[str, object]) -> None:
        self._put("tenant", tenant)

    def replace_roles(self, *roles: Mapping[str, object]) -> None:
        self._put("roles", roles)

    def move_packages(self, moves: Mapping[str, str]) -> None:
        """Moves packages, by their ids, to the catalogs with these ids."""
        self._client.post("/moves", json=moves).raise_for_status()

    def reset(self) -> None:
        """Tenant and behaviour as at the start; no faults, no requests."""
        self._client.post("/reset").raise_for_status()

    def _get(self, path: str) -> dict[str, Any]:
        answer: dict[str, Any] = self._client.get(path).raise_for_status().json()
        return answer

    def _put(self, path: str, content: object) -> None:
        self._client.put(path, json=content).raise_for_status()


# The `func` of Azure Functions Core Tools, whose host then takes the place of the local one.
CORE_TOOLS = "CORE_TOOLS"
_FOR_CORE_TOOLS = {
    "FUNCTIONS_WORKER_RUNTIME": "python",
    "languageWorkers__python__defaultExecutablePath": sys.executable,
}


class HostProcess(Process):
    """The app on a host of its own."""

    def __init__(
        self, environment: Mapping[str, str], *, port: int, auth: bool, app: Path, log: Path | None
    ) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.function_key = environment["LOCAL_HOST_FUNCTION_KEY"]
        self.master_key = environment["LOCAL_HOST_MASTER_KEY"]
        if core_tools := environment.get(CORE_TOOLS):
            argv = [core_tools, "start", "--port", str(port)]
            super().__init__(argv, env={**environment, **_FOR_CORE_TOOLS}, log=log, cwd=app)
            return
        arguments = ["--port", str(port), "--app", str(app), *(["--auth"] if auth else [])]
        argv = [sys.executable, "-m", "local.host", *arguments]
        super().__init__(argv, env=environment, log=log)

    def wait_running(self, seconds: float = _READY_SECONDS) -> None:
        self.wait_ready(f"{self.url}/admin/host/status", seconds)

    def run_by_hand(self, function: str, given: str = "") -> None:
        """Runs a timer or queue function once, in the background."""
        httpx.post(
            f"{self.url}/admin/functions/{function}",
            json={"input": given},
            headers={"x-functions-key": self.master_key},
            trust_env=False,
        ).raise_for_status()


class World:
    """Simulator, storage and hosts on free ports; all of them end with it."""

    def __init__(
        self,
        *,
        tenant: str | Path = "demo",
        storage: str | None = None,
        storage_folder: Path | None = None,
        logs: Path | None = None,
        graph_port: int | None = None,
        storage_port: int | None = None,
        **settings: str,
    ) -> None:
        """A connection string as `storage` shares an Azurite; `settings` reach every host.

        With a `storage_folder`, storage keeps its data there, over restarts too.
        """
        self._tenant = tenant
        self._storage = storage
        self._storage_folder = storage_folder
        self._azurite: Process | None = None
        self._logs = logs
        self._graph_port = graph_port or free_port()
        self._storage_port = storage_port or free_ports(_STORAGE_PORTS)
        self._settings = settings
        self._ending = contextlib.ExitStack()
        self.environment: dict[str, str] = {}

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as ending:
            simulator = ending.enter_context(self._start("local.graph", *self._graph_arguments()))
            if self._storage is None:
                self._azurite = self._start_storage(ending)
            root = f"http://127.0.0.1:{self._graph_port}"
            simulator.wait_ready(f"{root}/__simulator/health", _READY_SECONDS)
            self.graph = GraphControl(root)
            ending.callback(self.graph.close)
            self.environment = self._app_settings(simulator.output())
            self._ending = ending.pop_all()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._ending.close()

    @property
    def storage(self) -> str:
        """The connection string of the world's storage."""
        return self._storage or connection_string(self._storage_port)

    def start_host(
        self,
        *,
        port: int | None = None,
        auth: bool = False,
        app: Path = CHECKOUT,
        settings: Mapping[str, str] | None = None,
        **more: str,
    ) -> HostProcess:
        """The app on a host, running and ready; several may share one world.

        Settings come as a mapping, as keywords, or both.
        """
        host = self.launch_host(port=port, auth=auth, app=app, settings=settings, **more)
        host.wait_running()
        return host

    def launch_host(
        self,
        *,
        port: int | None = None,
        auth: bool = False,
        app: Path = CHECKOUT,
        settings: Mapping[str, str] | None = None,
        **more: str,
    ) -> HostProcess:
        """A host that is starting: `wait_running` tells when it is ready."""
        port = port or free_port()
        environment = {**os.environ, **self.environment, **(settings or {}), **more}
        host = HostProcess(
            environment, port=port, auth=auth, app=app, log=self._log(f"host-{port}")
        )
        return self._ending.enter_context(host)

    def restart_storage(self) -> None:
        """Ends storage as a machine that is shut down would, and starts it with its data.

        Raises:
            ValueError: the world has no storage of its own that keeps its data.
        """
        if self._azurite is None or self._storage_folder is None:
            raise ValueError("only storage in a folder of its own can be restarted")
        self._azurite.stop()
        self._azurite = self._start_storage(self._ending)

    def _start_storage(self, ending: contextlib.ExitStack) -> Process:
        azurite = ending.enter_context(self._start("local.storage", *self._storage_at()))
        azurite.wait_ready(lambda: "AzureWebJobsStorage=" in azurite.output())
        return azurite

    def _start(self, module: str, *arguments: str) -> Process:
        argv = [sys.executable, "-m", module, *arguments]
        return Process(argv, log=self._log(module))

    def _graph_arguments(self) -> tuple[str, ...]:
        return ("--port", str(self._graph_port), "--tenant", str(self._tenant))

    def _storage_at(self) -> tuple[str, ...]:
        folder = self._storage_folder
        kept = () if folder is None else ("--folder", str(folder))
        return ("--port", str(self._storage_port), *kept)

    def _log(self, name: str) -> Path | None:
        return None if self._logs is None else self._logs / f"{name}.log"

    def _app_settings(self, printed: str) -> dict[str, str]:
        return {
            "GRAPH_CREDENTIAL": "managed-identity",
            "SWEEP_SCHEDULE": "0 0 2 * * *",
            # The simulated Graph takes what it gets, unless it is told to throttle.
            "GRAPH_REQUESTS_PER_10S": "10000",
            "LOCAL_HOST_FUNCTION_KEY": secrets.token_urlsafe(16),
            "LOCAL_HOST_MASTER_KEY": secrets.token_urlsafe(16),
            "AzureWebJobsStorage": self.storage,
            # All of the world is on loopback, where a company's HTTP_PROXY does not reach.
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
            **printed_settings(printed),
            **self._settings,
        }


def printed_settings(output: str) -> dict[str, str]:
    """The `NAME=value` lines that the simulator prints."""
    lines = (line.partition("=") for line in output.splitlines())
    return {name: value for name, equals, value in lines if equals and name.isidentifier()}
