"""Hosts that are killed and started anew, and a caller who finds one that lives."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import httpx

from local.processes import NotReadyError
from local.world import HostProcess, World

# A message of a worker that was killed comes back at once, and one that failed soon.
SETTINGS: Mapping[str, str] = {
    "ENFORCEMENT": "apply",
    "MAX_REFERENCE_WRITES": "10000",
    "MAX_REFERENCE_WRITES_PER_DAY": "10000",
    "MAX_SUBJECTS_AFFECTED": "1000000",
    # No limit to a seed that has none of its own; storms come from the simulator.
    "GRAPH_REQUESTS_PER_10S": "5000",
    "LOCAL_HOST_LOG": "json",
    "LOCAL_HOST_INVISIBILITY_SECONDS": "2",
    "AzureFunctionsJobHost__extensions__queues__visibilityTimeout": "00:00:03",
    "AzureFunctionsJobHost__extensions__queues__maxPollingInterval": "00:00:00.500",
}
ANSWERED_WITHIN_SECONDS = 90
WARM_WITHIN_SECONDS = 60
PAUSE_SECONDS = 0.1


class Hosts:
    """Some hosts of one world, by their numbers; each start is a new process."""

    def __init__(
        self, world: World, count: int, *, rate: int | None = None, budget: int | None = None
    ) -> None:
        self._world = world
        limit = {} if rate is None else {"GRAPH_REQUESTS_PER_10S": str(rate)}
        writes = {} if budget is None else {"MAX_REFERENCE_WRITES_PER_DAY": str(budget)}
        self._settings = {**SETTINGS, **limit, **writes}
        self._now = [self._launch() for _ in range(count)]
        self._all = list(self._now)
        # where a timer was run last, and how much that host had written by then
        self._timer_run: tuple[HostProcess, int] | None = None

    def wait_running(self) -> None:
        """Wait for all of them. A host that ended because storage was missing is started again."""
        self.revive()
        for number in range(len(self._now)):
            try:
                self._now[number].wait_running()
            except NotReadyError:
                self.revive()
                self._now[number].wait_running()

    def warm_up(self) -> None:
        """Have each read rules and tenant once, so that a sweep starts before it is disturbed."""
        for host in self._now:
            httpx.get(f"{host.url}/api/ready", timeout=WARM_WITHIN_SECONDS, trust_env=False)

    def kill(self, number: int) -> None:
        self._now[number].kill()

    def revive(self) -> None:
        """Start those that have ended."""
        for number, host in enumerate(self._now):
            if host.returncode is not None:
                self._now[number] = self._launch()
                self._all.append(self._now[number])

    def run_timer(self, function: str) -> None:
        """Run a timer by hand on the first host that lives; on none, where none does."""
        for host in self._now:
            written = len(host.output())
            with suppress(httpx.HTTPError):
                host.run_by_hand(function)
                self._timer_run = host, written
                return

    def timer_came_to_nothing(self, function: str) -> bool:
        """Whether the latest run of a timer failed, or its host died."""
        if self._timer_run is None:
            return True
        host, written = self._timer_run
        lines = host.output()[written:].splitlines()
        has_failed = any(f"finished {function}" in line and ": failed" in line for line in lines)
        return has_failed or host.returncode is not None

    def have_said(self, text: str) -> bool:
        """Whether a host, dead or alive, has written a line with this text."""
        return any(text in host.output() for host in self._all)

    def ask(self, method: str, path: str, **request: Any) -> httpx.Response | None:
        """The first answer that is no server error, of any host; None after a while without."""
        deadline = time.monotonic() + ANSWERED_WITHIN_SECONDS
        while time.monotonic() < deadline:
            for host in tuple(self._now):
                answer = _answer(method, f"{host.url}{path}", request)
                if answer is not None:
                    return answer
            time.sleep(PAUSE_SECONDS)
        return None

    def _launch(self) -> HostProcess:
        return self._world.launch_host(settings=self._settings)


def _answer(method: str, url: str, request: Mapping[str, Any]) -> httpx.Response | None:
    try:
        answer = httpx.request(method, url, timeout=30, trust_env=False, **request)
    except httpx.HTTPError:
        return None
    return None if answer.is_server_error else answer
