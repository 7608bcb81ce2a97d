"""One sweep in a world of its own: a scaled tenant, storage, and the app on one host or several."""

from __future__ import annotations

import re
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psutil

from benchmarks.processes import peak_memory
from benchmarks.sweep.cases import WINDOW_SECONDS, Case
from benchmarks.sweep.closing import Check, Closing, ClosingWatch
from benchmarks.sweep.tenants import package_ids, pairs, rules_file
from benchmarks.sweep.traffic import Traffic, traffic
from entra_sod.domain.messages import CHECK_QUEUE
from local.graph.scale import PREFIX, Scale
from local.processes import Process, free_ports
from local.storage import connection_string
from local.world import HostProcess, World

_STORAGE_PORTS = 3
_SENT = re.compile(r'"POST /devstoreaccount1/([a-z0-9-]+)/messages[^ "]* HTTP/1.1" 201')
# Every look at a sweep that runs lists its parts, so that frequent ones would be measured, too.
_MIN_PAUSE, _MAX_PAUSE, _PAUSE_SHARE = 0.2, 2.0, 0.01
_CHECK_PATIENCE_SECONDS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one sweep took.

    Attributes:
        result: the app's own; None where the sweep did not end in time.
        idle: resident memory of a worker before, the largest, in bytes.
        peak: the most that a worker held, in bytes.
        cpu_seconds: of all workers together.
        messages: sent to the queues of the sweep, by all who send any.
        check: None where none was answered before the sweep had ended.
        closing: what it took, and whether others were answered.
    """

    case: Case
    result: Mapping[str, Any] | None
    seconds: float
    traffic: Traffic
    idle: int
    peak: int
    cpu_seconds: float
    messages: int
    check: Check | None
    closing: Closing


def measure(case: Case) -> Measured:
    """Run one sweep to its end, or to the end of patience."""
    with _storage() as azurite, _running(case, azurite) as (world, hosts):
        for _ in range(case.nights_before):
            _Follower(case, hosts, world.storage).follow()
        sent_before = sent_messages(azurite.process.output())
        idle, cpu = max(map(_resident, hosts)), sum(map(_cpu_seconds, hosts))
        world.graph.clear_requests()
        followed = _Follower(case, hosts, world.storage).follow()
        return Measured(
            case=case,
            result=followed.result,
            seconds=followed.seconds,
            traffic=traffic(world.graph.timeline()),
            idle=idle,
            peak=max(map(_peak, hosts)),
            cpu_seconds=sum(map(_cpu_seconds, hosts)) - cpu,
            messages=sent_messages(azurite.process.output()) - sent_before,
            check=followed.check,
            closing=followed.closing,
        )


def sent_messages(log: str) -> int:
    """Messages of storage's log that were sent for a sweep: to any queue but that of checks."""
    return sum(not queue.startswith(CHECK_QUEUE) for queue in _SENT.findall(log))


def tenant_option(scale: Scale) -> str:
    return PREFIX + msgspec.json.encode(scale).decode()


@dataclass(frozen=True, slots=True)
class _Azurite:
    process: Process
    port: int


@contextmanager
def _storage() -> Iterator[_Azurite]:
    port = free_ports(_STORAGE_PORTS)
    argv = [sys.executable, "-m", "local.storage", "--port", str(port), "--requests"]
    with Process(argv) as azurite:
        azurite.wait_ready(lambda: "AzureWebJobsStorage=" in azurite.output(), 60)
        yield _Azurite(azurite, port)


@contextmanager
def _running(case: Case, azurite: _Azurite) -> Iterator[tuple[World, Sequence[HostProcess]]]:
    with ExitStack() as ending:
        rules = Path(ending.enter_context(tempfile.TemporaryDirectory()))
        (rules / "rules.yaml").write_text(rules_file(case.scale, case.mode), encoding="utf-8")
        world = World(
            tenant=tenant_option(case.scale),
            storage=connection_string(azurite.port),
            RULES=str(rules),
            ENFORCEMENT="plan",
            GRAPH_REQUESTS_PER_10S=str(case.limit),
            # Empty: the app's own modules are compiled once, as in a deployment.
            PYTHONDONTWRITEBYTECODE="",
        )
        ending.enter_context(world)
        world.graph.behave(
            page_size=case.page_size,
            throttle={"limit": case.limit, "window_seconds": WINDOW_SECONDS},
        )
        yield world, [world.start_host() for _ in range(case.workers)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Followed:
    result: Mapping[str, Any] | None
    seconds: float
    check: Check | None
    closing: Closing


class _Follower:
    """Starts a sweep, asks for a check in its middle, and waits for its end."""

    def __init__(self, case: Case, hosts: Sequence[HostProcess], storage: str) -> None:
        self._case, self._hosts = case, hosts
        self._closing = ClosingWatch(
            storage,
            hosts[0].url,
            cpu=lambda: sum(map(_cpu_seconds, hosts)),
            ask=lambda: _ask(hosts[-1].url, case.scale),
        )
        self._running_since: float | None = None
        # A sweep of an earlier night, which has ended.
        self._before = self._newest()
        self._check: Future[Check] | None = None

    def follow(self) -> _Followed:
        with ThreadPoolExecutor(max_workers=2) as pool:
            started = time.monotonic()
            self._hosts[0].run_by_hand("start_sweep")
            result = self._wait(started, pool)
            ended = time.monotonic()
            return _Followed(
                result=result,
                seconds=ended - started,
                check=self._checked(ended),
                closing=self._closing.seen(),
            )

    def _wait(self, started: float, pool: ThreadPoolExecutor) -> Mapping[str, Any] | None:
        while (elapsed := time.monotonic() - started) < self._case.patience_seconds:
            answer = self._latest()
            if answer.status_code == httpx.codes.OK and answer.json()["id"] != self._before:
                result: dict[str, Any] = answer.json()
                return result
            if answer.status_code == httpx.codes.ACCEPTED:
                self._look_at(answer.json(), pool)
                self._closing.look(answer.json(), pool, started + self._case.patience_seconds)
            time.sleep(min(max(elapsed * _PAUSE_SHARE, _MIN_PAUSE), _MAX_PAUSE))
        return None

    def _latest(self) -> httpx.Response:
        """The newest sweep; a host too busy to answer is asked again."""
        try:
            return _get(f"{self._hosts[0].url}/api/sweeps/latest")
        except httpx.TimeoutException:
            return httpx.Response(httpx.codes.GATEWAY_TIMEOUT)

    def _newest(self) -> object:
        answer = self._latest()
        return answer.json()["id"] if answer.is_success else None

    def _look_at(self, under_way: Mapping[str, Any], pool: ThreadPoolExecutor) -> None:
        now = time.monotonic()
        if self._running_since is None and under_way["status"] == "running":
            self._running_since = now
        middle = (self._running_since or now) + self._case.shortest_seconds / 2
        if self._check is None and self._running_since is not None and now >= middle:
            self._check = pool.submit(_ask, self._hosts[-1].url, self._case.scale)

    def _checked(self, sweep_ended: float) -> Check | None:
        check = self._check.result() if self._check else None
        return check if check is not None and check.ended_at <= sweep_ended else None


def _ask(url: str, scale: Scale) -> Check:
    """Asks for a check of the first pair, which has conflicts, and waits for its answer."""
    started = time.monotonic()
    try:
        outcome = _outcome(url, scale, started + _CHECK_PATIENCE_SECONDS)
    except httpx.HTTPError as error:
        outcome = f"no answer: {type(error).__name__}"
    ended = time.monotonic()
    return Check(seconds=ended - started, outcome=outcome, ended_at=ended)


def _outcome(url: str, scale: Scale, deadline: float) -> str:
    first, second = package_ids(next(pairs(scale)))
    body = {"accessPackageId": first, "incompatibleAccessPackageId": second}
    accepted = httpx.post(f"{url}/api/checks", json=body, timeout=30, trust_env=False)
    where = accepted.raise_for_status().headers["location"]
    while (answer := _get(where)).status_code == httpx.codes.ACCEPTED:
        if time.monotonic() > deadline:
            return "no answer"
        time.sleep(0.1)
    return str(answer.raise_for_status().json()["outcome"])


def _get(url: str) -> httpx.Response:
    return httpx.get(url, timeout=60, trust_env=False)


def _tree(host: HostProcess) -> Sequence[psutil.Process]:
    top = psutil.Process(host.pid)
    return [top, *top.children(recursive=True)]


def _resident(host: HostProcess) -> int:
    return sum(each.memory_info().rss for each in _tree(host))


def _peak(host: HostProcess) -> int:
    return sum(peak_memory(each.pid) for each in _tree(host))


def _cpu_seconds(host: HostProcess) -> float:
    times = [each.cpu_times() for each in _tree(host)]
    return sum(each.user + each.system for each in times)
