"""Carries out disturbances on a world, each at its moment; then lets the world come to rest."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from uuid import uuid4

import httpx

from local.world import World
from tests.chaos.give_up import asked_by, parts_with, poisoned, work_left, worn_out
from tests.chaos.hosts import Hosts
from tests.chaos.schedule import (
    HOUR,
    Check,
    ClockJump,
    Disturbance,
    Duplicate,
    Faults,
    FreezeWriting,
    GiveUp,
    Kill,
    Needless,
    RestartStorage,
    Schedule,
    Storm,
)
from tests.chaos.stored import Message, Watcher, is_settled, jump_clock, newest_planned
from tests.chaos.traits import Trait

# What a jumping clock would get wrong: the shared rate, who works until when, and who writes.
TIMES: Mapping[str, Collection[str] | None] = {
    "throttle": None,
    "sweeps": {"until"},
    "checks": {"until"},
    "ledger": {"until"},
}
TIMER = "start_sweep"
# What a host logs when all messages of a sweep are sent: the action of docs/how-to/operate.md.
STARTED = '"action": "sweep_started"'
STARTED_WITHIN_SECONDS = 60
SETTLED_WITHIN_SECONDS = 240
PAUSE_SECONDS = 0.1
QUIET_SECONDS = 1.5
CALLERS = 6
HEALTHY: dict[str, object] = {
    "latency_ms": 2.0,
    "page_size": 100,
    "empty_pages": 0,
    "lag_reads": 0,
}
# Of the two ways to learn who holds a package: by itself, and together with another.
HOLDERS_OF = ("eq%20'{}'", "(accessPackageId='{}'", "incompatibleAccessPackageId='{}'")
FOR_GOOD = 10**6

type Step = tuple[float, Callable[[], object]]
type Deed = Callable[[], bool]


class Chaos:
    """One run while it lasts.

    Attributes:
        tally: what was done, and how often.
        check_ids: of the checks that were asked for; None for one that no host took.
        last_tries: packages of parts whose message came with no try left.
    """

    def __init__(
        self, world: World, hosts: Hosts, watcher: Watcher, throttle: Mapping[str, float] | None
    ) -> None:
        """`throttle` is Graph's limit in quiet times."""
        self._world, self._hosts, self._watcher = world, hosts, watcher
        self._throttle = throttle
        self._asked: list[Future[str | None]] = []
        self._waiting: list[Deed] = []
        self.tally = Counter[str]()
        self.last_tries = set[str]()

    @property
    def check_ids(self) -> Sequence[str | None]:
        return [asked.result() for asked in self._asked]

    def disturb(self, schedule: Schedule) -> None:
        """Start a sweep and disturb it; one thing after the other, late where one takes long."""
        # Hosts die with the thread that started them, so all but the callers is done by this one.
        with ThreadPoolExecutor(CALLERS) as callers:
            steps = [step for each in schedule.disturbances for step in self._steps(each, callers)]
            self._block(schedule.blocked)
            self._hosts.run_timer(TIMER)
            start = time.monotonic()
            for moment, act in sorted(steps, key=lambda step: step[0]):
                self._wait_until(start + moment)
                self._start_again_if_cut_off()
                act()
            self._heal()
            if Trait.WAITED_OUT not in schedule.traits:
                self._end_working_leases()

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
            self._do_what_waits()

    def duplicate(self, duplicate: Duplicate) -> None:
        seen = self._watcher.seen
        if seen:
            message = seen[int(duplicate.which * len(seen))]
            for _ in range(duplicate.copies):
                self.tally["duplicates"] += self._watcher.send(message)

    def _wait_until(self, moment: float) -> None:
        while (left := moment - time.monotonic()) > 0:
            self._do_what_waits()
            time.sleep(min(left, PAUSE_SECONDS))

    def _let_wait(self, deed: Deed) -> None:
        self._waiting.append(deed)

    def _do_what_waits(self) -> None:
        """Try each deed that waits for its occasion; what comes off waits no more."""
        self._waiting = [deed for deed in self._waiting if not deed()]

    def _start_again_if_cut_off(self) -> None:
        """Run the timer again where its run came to nothing: this stands for the timer's next run.

        That is the night after, when a start that was cut off is gone on with: nothing before it
        sends the message that is missing. A sweep that was said to have started has its message on
        the queue, and must go on by itself.
        """
        has_failed = self._hosts.timer_came_to_nothing(TIMER)
        if has_failed and not self._hosts.have_said(STARTED):
            self.tally["timer runs again"] += 1
            self._hosts.run_timer(TIMER)

    def _heal(self) -> None:
        """Clear the weather; faults that are left are few, and still to hit what comes."""
        self._world.graph.behave(**HEALTHY, throttle=self._throttle)
        self._hosts.wait_running()

    def _end_working_leases(self) -> None:
        """Let no time pass until a lease is over whose holder may have died, or works on."""
        for table in ("sweeps", "checks"):
            self.tally["leases ended"] += jump_clock(
                self._world.storage, table, -HOUR, TIMES[table]
            )

    def _steps(  # noqa: C901 - one case for each kind
        self, disturbance: Disturbance, callers: ThreadPoolExecutor
    ) -> Iterator[Step]:
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
                yield at, partial(self._storm, limit)
                yield at + seconds, partial(self._world.graph.behave, throttle=self._throttle)
            case Faults():
                yield at, partial(self._order, disturbance)
            case ClockJump():
                yield at, partial(self._let_wait, partial(self._jump, disturbance))
            case GiveUp():
                yield at, partial(self._let_wait, partial(self._give_up, disturbance))
            case Needless(which=which):
                yield at, partial(self._let_wait, partial(self._give_up_needlessly, which))
            case FreezeWriting(seconds=seconds):
                yield at, self.freeze
                yield at + seconds, self.unfreeze
            case Check():
                yield at, lambda: self._asked.append(callers.submit(self._ask, disturbance))

    def _kill(self, host: int) -> None:
        self.tally["kills"] += 1
        self._hosts.kill(host)

    def _restart_storage(self) -> None:
        self.tally["storage restarts"] += 1
        self._world.restart_storage()

    def _storm(self, limit: int) -> None:
        self.tally["storms"] += 1
        self._world.graph.behave(throttle={"limit": limit, "window_seconds": 1.0})

    def freeze(self) -> None:
        self.tally["freezes"] += 1
        self._hosts.ask("PUT", "/api/freeze", json={"reason": "chaos"})

    def unfreeze(self) -> None:
        self._hosts.ask("DELETE", "/api/freeze")

    def sweep_in_peace(self) -> httpx.Response | None:
        """Sweep once more, when nothing fails; the answer of the sweep."""
        self._world.graph.clear_faults()
        before = self._latest()
        self._hosts.run_timer(TIMER)
        deadline = time.monotonic() + SETTLED_WITHIN_SECONDS
        while (latest := self._latest()) == before or not self._has_ended(latest):
            if time.monotonic() > deadline:
                return None
            time.sleep(PAUSE_SECONDS)
        self.wait_settled()
        return self._hosts.ask("GET", f"/api/sweeps/{latest}")

    def _latest(self) -> str | None:
        answer = self._hosts.ask("GET", "/api/sweeps/latest")
        return str(answer.json()["id"]) if answer is not None and answer.is_success else None

    def _has_ended(self, sweep_id: str | None) -> bool:
        answer = self._hosts.ask("GET", f"/api/sweeps/{sweep_id}") if sweep_id else None
        return answer is not None and answer.status_code == httpx.codes.OK

    def _block(self, packages: Iterable[str]) -> None:
        """Have Graph fail for good to say who holds these packages."""
        self._world.graph.add_faults(
            *(
                {
                    "kind": "status",
                    "status": 503,
                    "times": FOR_GOOD,
                    "match": {"path_contains": path.format(package)},
                }
                for package in packages
                for path in HOLDERS_OF
            )
        )

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

    def _jump(self, jump: ClockJump) -> bool:
        moved = sum(
            jump_clock(self._world.storage, table, jump.seconds, TIMES[table])
            for table in jump.tables
        )
        self.tally["jumps"] += moved > 0
        return moved > 0

    def _give_up(self, give_up: GiveUp) -> bool:
        planned = newest_planned(self._world.storage)
        if planned is None:
            return False
        change = worn_out if give_up.way == "worn-out" else poisoned
        parts = parts_with(planned, give_up.package)
        if give_up.way == "worn-out":
            self.last_tries |= asked_by(planned, parts)
        # Where storage goes away in between, those behind are sent with the next try.
        return all(self._send_given_up(change(part)) for part in parts)

    def _give_up_needlessly(self, which: float) -> bool:
        planned = newest_planned(self._world.storage)
        work = work_left(planned) if planned else ()
        return bool(work) and self._send_given_up(poisoned(work[int(which * len(work))]))

    def _send_given_up(self, message: Message) -> bool:
        is_sent = self._watcher.send(message)
        self.tally["given up"] += is_sent
        return is_sent

    def _ask(self, check: Check) -> str | None:
        """Ask until a host takes it; the key makes one check of all the tries."""
        body = {"accessPackageId": check.first, "incompatibleAccessPackageId": check.second}
        key = {"Idempotency-Key": str(uuid4())}
        answer = self._hosts.ask("POST", "/api/checks", json=body, headers=key)
        self.tally["checks"] += 1
        return None if answer is None else str(answer.raise_for_status().json()["id"])
