"""Carries out disturbances on a world, each at its moment; then lets the world come to rest."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from uuid import uuid4

from local.world import World
from tests.chaos.hosts import Hosts
from tests.chaos.schedule import (
    Check,
    ClockJump,
    Disturbance,
    Duplicate,
    Faults,
    Kill,
    RestartStorage,
    Storm,
)
from tests.chaos.stored import Watcher, is_settled, jump_clock

# Whose times a jumping clock would get wrong: the shared rate, who closes, and who writes.
LEASES: Mapping[str, Collection[str] | None] = {
    "throttle": None,
    "sweeps": {"until"},
    "ledger": {"until"},
}
TIMER = "start_sweep"
# What a host logs when all messages of a sweep are sent: the action of docs/operations.md.
STARTED = '"action": "sweep_started"'
STARTED_WITHIN_SECONDS = 60
SETTLED_WITHIN_SECONDS = 240
PAUSE_SECONDS = 0.2
QUIET_SECONDS = 1.5
CALLERS = 6
HEALTHY: dict[str, object] = {
    "latency_ms": 2.0,
    "page_size": 100,
    "empty_pages": 0,
    "lag_reads": 0,
    "throttle": None,
}

type Step = tuple[float, Callable[[], object]]


class Chaos:
    """One run while it lasts.

    Attributes:
        tally: what was done, and how often.
        check_ids: of the checks that were asked for; None for one that no host took.
    """

    def __init__(self, world: World, hosts: Hosts, watcher: Watcher) -> None:
        self._world, self._hosts, self._watcher = world, hosts, watcher
        self._asked: list[Future[str | None]] = []
        self.tally = Counter[str]()

    @property
    def check_ids(self) -> Sequence[str | None]:
        return [asked.result() for asked in self._asked]

    def disturb(self, disturbances: Iterable[Disturbance]) -> None:
        """Start a sweep and disturb it; one thing after the other, late where one takes long."""
        # Hosts die with the thread that started them, so all but the callers is done by this one.
        with ThreadPoolExecutor(CALLERS) as callers:
            steps = [step for each in disturbances for step in self._steps(each, callers)]
            self._hosts.run_timer(TIMER)
            start = time.monotonic()
            for moment, act in sorted(steps, key=lambda step: step[0]):
                time.sleep(max(0.0, start + moment - time.monotonic()))
                self._start_again_if_cut_off()
                act()
            self._heal()

    def come_to_rest(self) -> None:
        """Wait until the sweep has started, and then for the queues to run empty."""
        deadline = time.monotonic() + STARTED_WITHIN_SECONDS
        while not self._hosts.have_said(STARTED) and time.monotonic() < deadline:
            self._start_again_if_cut_off()
            time.sleep(PAUSE_SECONDS)
        self.wait_settled()

    def wait_settled(self) -> None:
        """Wait until no message is left, or for long enough to say that some will not go."""
        deadline = time.monotonic() + SETTLED_WITHIN_SECONDS
        while not is_settled(self._watcher, quiet_seconds=QUIET_SECONDS):
            if time.monotonic() > deadline:
                return
            self._hosts.revive()

    def duplicate(self, duplicate: Duplicate) -> None:
        seen = self._watcher.seen
        if seen:
            message = seen[int(duplicate.which * len(seen))]
            for _ in range(duplicate.copies):
                self.tally["duplicates"] += self._watcher.send(message)

    def _start_again_if_cut_off(self) -> None:
        """As the next night would: a sweep that did start must go on by itself."""
        has_failed = self._hosts.timer_came_to_nothing(TIMER)
        if has_failed and not self._hosts.have_said(STARTED):
            self.tally["timer runs again"] += 1
            self._hosts.run_timer(TIMER)

    def _heal(self) -> None:
        """Clear the weather; faults that are left are few, and still to hit what comes."""
        self._world.graph.behave(**HEALTHY)
        self._hosts.wait_running()

    def _steps(self, disturbance: Disturbance, callers: ThreadPoolExecutor) -> Iterator[Step]:
        at = disturbance.at
        match disturbance:
            case Kill(host=host, down_seconds=seconds):
                yield at, partial(self._kill, host)
                yield at + seconds, self._hosts.revive
            case Duplicate():
                yield at, partial(self.duplicate, disturbance)
            case RestartStorage():
                yield at, self._restart_storage
            case Storm(limit=limit, seconds=seconds):
                yield at, partial(self._throttle, {"limit": limit, "window_seconds": 1.0})
                yield at + seconds, partial(self._throttle, None)
            case Faults():
                yield at, partial(self._order, disturbance)
            case ClockJump(hours=hours):
                yield at, partial(self._jump, hours)
            case Check():
                yield at, lambda: self._asked.append(callers.submit(self._ask, disturbance))

    def _kill(self, host: int) -> None:
        self.tally["kills"] += 1
        self._hosts.kill(host)

    def _restart_storage(self) -> None:
        self.tally["storage restarts"] += 1
        self._world.restart_storage()

    def _throttle(self, throttle: dict[str, float] | None) -> None:
        self.tally["storms"] += throttle is not None
        self._world.graph.behave(throttle=throttle)

    def _order(self, faults: Faults) -> None:
        match = {} if faults.method is None else {"method": faults.method}
        status = {} if not faults.status else {"status": faults.status}
        self._world.graph.add_faults(
            *(
                {
                    "kind": faults.kind,
                    "match": match,
                    "skip": skip,
                    "retry_after": faults.retry_after,
                    **status,
                }
                for skip in faults.skips
            )
        )

    def _jump(self, hours: int) -> None:
        for table, names in LEASES.items():
            moved = jump_clock(self._world.storage, table, hours, names)
            self.tally["rows moved in time"] += moved

    def _ask(self, check: Check) -> str | None:
        """Ask until a host takes it; the key makes one check of all the tries."""
        body = {"accessPackageId": check.first, "incompatibleAccessPackageId": check.second}
        key = {"Idempotency-Key": str(uuid4())}
        answer = self._hosts.ask("POST", "/api/checks", json=body, headers=key)
        self.tally["checks"] += 1
        return None if answer is None else str(answer.raise_for_status().json()["id"])
