"""The real GraphClient, and what it talks to: the simulator, or servers that keep what they see."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol

import certifi
import msgspec
import pytest
from kiota_http.middleware import retry_handler

from entra_sod.adapters.graph.client import GraphClient
from entra_sod.adapters.rate_limit.limiters import LocalRateLimiter
from entra_sod.core.clock import Clock, SystemClock
from entra_sod.ports.rate_limit import RateLimiter
from entra_sod.settings import read_settings
from local.memory.clock import ManualClock
from local.processes import Process, free_port
from local.world import GraphControl, printed_settings
from tests.adapters.graph.server import RecordingServer
from tests.adapters.graph.tenant import simulated_tenant

SECRET = "secret-of-the-managed-identity"


class Connect(Protocol):
    def __call__(self, limiter: RateLimiter | None = None, **settings: str) -> GraphClient: ...


def token_answer(*, seconds: int) -> dict[str, str]:
    """What App Service's identity endpoint says, for a token that lives so long."""
    return {
        "access_token": SECRET,
        "expires_on": str(int(time.time()) + seconds),
        "resource": "https://graph.microsoft.com",
        "token_type": "Bearer",
    }


@dataclass(frozen=True, slots=True)
class Simulator:
    """A simulated Graph in a process of its own, and the settings that lead to it."""

    control: GraphControl
    settings: dict[str, str]

    def requests(self, method: str | None = None) -> list[dict[str, Any]]:
        """What Graph was asked, without what a batch carried."""
        return [
            request
            for request in self.control.requests()
            if request["batch"] is None and method in (None, request["method"])
        ]

    def targets(self) -> list[str]:
        return [request["target"] for request in self.requests()]

    def fail(self, status: int, retry_after: str | int | None = None, times: int = 100) -> None:
        """Answer the next requests with this status, whatever they are."""
        self.control.add_faults(
            {"kind": "status", "status": status, "retry_after": retry_after, "times": times}
        )


@pytest.fixture(scope="session")
def started_simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    tenant: Path = tmp_path_factory.mktemp("graph") / "tenant.json"
    tenant.write_bytes(msgspec.json.encode(simulated_tenant()))
    port = free_port()
    argv = [sys.executable, "-m", "local.graph", "--port", str(port), "--tenant", str(tenant)]
    with Process(argv) as process:
        root = f"http://127.0.0.1:{port}"
        process.wait_ready(f"{root}/__simulator/health", 60)
        control = GraphControl(root)
        yield Simulator(control, printed_settings(process.output()))
        control.close()


@pytest.fixture(scope="session")
def few_certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One authority in place of all: nothing here speaks TLS, and reading them all is slow."""
    end = "-----END CERTIFICATE-----\n"
    first = Path(certifi.where()).read_text(encoding="utf-8").partition(end)[0]
    file = tmp_path_factory.mktemp("certificates") / "one.pem"
    file.write_text(first + end, encoding="utf-8")
    return file


@pytest.fixture
def simulator(started_simulator: Simulator) -> Simulator:
    """The simulator as at its start, with nothing in its log."""
    started_simulator.control.reset()
    return started_simulator


@pytest.fixture
async def connect(
    simulator: Simulator,
    few_certificates: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> AsyncIterator[Connect]:
    """Clients of the simulator, or of what their settings say; closed after the test."""
    clients: list[GraphClient] = []
    clock: Clock = SystemClock()
    if "waits" in request.fixturenames:
        clock = ManualClock()
        clock.slept = request.getfixturevalue("waits")
    monkeypatch.setenv("SSL_CERT_FILE", str(few_certificates))
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER"):
        monkeypatch.setenv(name, simulator.settings[name])

    def make(limiter: RateLimiter | None = None, **settings: str) -> GraphClient:
        read = read_settings({**simulator.settings, **settings}).graph
        graph = GraphClient(read, limiter or LocalRateLimiter(clock), clock)
        clients.append(graph)
        return graph

    yield make
    for graph in clients:
        await graph.close()


@pytest.fixture
def client(connect: Connect) -> GraphClient:
    """The app's own client of the simulator."""
    return connect()


@pytest.fixture
async def server() -> AsyncIterator[RecordingServer]:
    async with RecordingServer() as running:
        yield running


@pytest.fixture
async def other_server() -> AsyncIterator[RecordingServer]:
    async with RecordingServer() as running:
        yield running


@pytest.fixture
async def identity(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RecordingServer]:
    """An identity endpoint that gives SECRET to everybody, and keeps who asked."""
    async with RecordingServer() as running:
        running.will_answer(token_answer(seconds=3600))
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{running.root}/token")
        monkeypatch.setenv("IDENTITY_HEADER", "header")
        yield running


@pytest.fixture
def served(connect: Connect, identity: RecordingServer, server: RecordingServer) -> GraphClient:
    """A client whose Graph is `server` and whose token is SECRET."""
    assert identity.received == []
    return connect(GRAPH_ROOT=server.root)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the SDK's retries and the rate limiter wait; the waiting itself is left out."""
    waited: list[float] = []

    async def note(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(retry_handler, "asyncio", SimpleNamespace(sleep=note))
    return waited
