"""The steps of the story: each does one thing in the local world and returns what came of it."""

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import msgspec

from entra_sod.cli.operations.plan_document import PlanDocument
from entra_sod.domain.results.check import CheckResult
from entra_sod.domain.results.sweep import SweepResult
from local.demo import answers
from local.demo.before import Gatekeeper
from local.demo.facts import (
    Asked,
    Checked,
    Commanded,
    Decided,
    Disturbed,
    Granted,
    Pair,
    Reference,
    Refused,
    Resumed,
    Reviewed,
    Started,
    Swept,
    TakenBack,
    TenantSeen,
)
from local.demo.helpdesk import HelpDesk
from local.demo.names import Snapshot
from local.processes import CHECKOUT
from local.world import HostProcess, World

# Callers are told to come back after 5 seconds; a demo is in more of a hurry.
POLL_SECONDS = 0.2
MAX_SECONDS = 60
_UNDER_WAY = 202

type Report = Callable[[int, int], None]


class NotDoneError(Exception):
    """Something did not come to its end in time, or got an answer that ends the story."""


def new_world(storage_port: int, now: datetime) -> World:
    """A world with settings of its own: nothing is left to the shell that the demo is run from."""
    return World(
        storage_port=storage_port,
        RULES="rules",
        MAX_REFERENCE_WRITES="50",
        PRUNE="false",
        GRAPH_CLOUD="global",
        LOCAL_HOST_LOG="text",
        # Half a day away: the timer fires when the story says so, and at no other time.
        SWEEP_SCHEDULE=f"0 0 {(now.hour + 12) % 24} * * *",
    )


class Story:
    """A running world and the app in it, on one host at a time."""

    def __init__(self, world: World, pairs: Collection[tuple[str, str]]) -> None:
        """Each step tells who holds both packages of these pairs, by the tenant's own account."""
        self._world = world
        self._pairs = pairs
        self._help_desk = HelpDesk(world)
        self._host: HostProcess | None = None

    def log(self) -> str:
        """What the host that was started last has written."""
        return self._host.output() if self._host else ""

    def look(self) -> Snapshot:
        """The tenant, behind the app's back."""
        return Snapshot(self._world.graph.tenant())

    def start_app(self, enforcement: str) -> Started:
        """Stops the app where it runs, and starts it with this setting."""
        if self._host is not None:
            self._host.stop()
        self._host = self._world.start_host(ENFORCEMENT=enforcement)
        answer = self._call("GET", "/api/ready")
        return Started(
            enforcement=enforcement,
            address=self._host.url,
            status=answer.status_code,
            ready=_json(answer, "GET /api/ready")["checks"],
        )

    def check(self, first: str, second: str, *, ticket: str) -> Checked:
        """A check of two packages, as a ticket asks for it."""
        before = self.look()
        body = {
            "accessPackageId": first,
            "incompatibleAccessPackageId": second,
            "reference": ticket,
        }
        accepted = self._call("POST", "/api/checks", body)
        location = _location(accepted)
        answer = poll(lambda: httpx.get(location, timeout=MAX_SECONDS), "the check")
        result = msgspec.json.decode(answer.content, type=CheckResult)
        after = self.look()
        return Checked(
            pair=Pair.of(after.name(first), after.name(second)),
            accepted=accepted.status_code,
            location=location,
            retry_after=accepted.headers.get("Retry-After", ""),
            outcome=result.outcome,
            reference=result.reference,
            enforcement=result.enforcement,
            holders=answers.holders(result, after),
            holder_count=result.holder_count,
            rules=answers.rules(result),
            references=answers.references(result.references, after),
            gaps=answers.gaps(result.coverage.skipped, after),
            tenant=self._seen(before, after),
        )

    def ask(self, wanted: str, *, held: str | None) -> Asked:
        """The help desk asks for a package, for a person who has `held` and nothing else."""
        return self._help_desk.ask(wanted, held=held)

    def decide(self, request_id: str, *, ticket: str) -> Decided:
        """A ticket asks whether the requester may get what it wants."""
        return Gatekeeper(self._world, self._running().url).decide(request_id, ticket=ticket)

    def resume(self, request_id: str) -> Resumed:
        """Entra waits for the Logic App's answer to a request."""
        return Gatekeeper(self._world, self._running().url).resume(request_id)

    def sweep(self, report: Report) -> Swept:
        """The nightly timer, run by hand; `report` hears how many parts are done, of how many."""
        before = self.look()
        known = self._call("GET", "/api/sweeps/latest").content
        self._running().run_by_hand("start_sweep")

        def ask() -> httpx.Response:
            answer = self._call("GET", "/api/sweeps/latest")
            if answer.content == known:
                answer.status_code = _UNDER_WAY  # still the sweep of the night before
                return answer
            if answer.status_code == _UNDER_WAY:
                parts = _json(answer, "the sweep")["parts"]
                report(parts["done"], parts["total"])
            return answer

        # 404 until the timer has made the sweep's row
        answer = poll(ask, "the sweep", waiting=(_UNDER_WAY, 404))
        result = msgspec.json.decode(answer.content, type=SweepResult)
        after = self.look()
        return Swept(
            status=result.status,
            pairs=answers.pairs(result, after),
            references=answers.references(result.references, after),
            checked=sum(result.strategy.ways.values()),
            gaps=answers.gaps(result.coverage.skipped, after),
            requests=result.requests,
            tenant=self._seen(before, after),
            drift=answers.drift(result.drift, after),
            why_held=answers.why_held(result.references, after),
            stopped=result.stopped.why if result.stopped else "",
            passing=answers.passing(result, after),
        )

    def review(self, plan_file: Path) -> Reviewed:
        """Validate, plan, apply and plan again, as a person does at a terminal."""
        before = self.look()
        validated = self._command("validate", "rules", "--offline")
        planned = self._command("plan", "--format", "json", "--out", str(plan_file))
        applied = self._command("apply", str(plan_file), "--yes")
        planned_again = self._command("plan", "--format", "json")
        after = self.look()
        plan = msgspec.json.decode(plan_file.read_bytes(), type=PlanDocument)
        return Reviewed(
            validated=validated.returncode,
            planned=planned.returncode,
            additions=answers.additions(plan, after),
            applied=applied.returncode,
            told=_last_line(applied),
            planned_again=planned_again.returncode,
            left_to_write=msgspec.json.decode(planned_again.stdout, type=PlanDocument).writes,
            tenant=self._seen(before, after),
        )

    def command(self, *arguments: str) -> Commanded:
        """A command, as a person types it at a terminal."""
        done = self._command(*arguments)
        said = done.stderr if done.returncode == 1 else done.stdout
        return Commanded(shlex.join(["entra-sod", *arguments]), done.returncode, said.strip())

    def take_back(self, run: str) -> TakenBack:
        """What a run wrote, shown first and then taken back."""
        before = self.look()
        shown = self.command("rollback", "--run", run, "--dry-run")
        done = self.command("rollback", "--run", run, "--yes")
        return TakenBack(shown=shown, done=done, tenant=self._seen(before, self.look()))

    def _command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - our own interpreter and command
            [sys.executable, "-m", "entra_sod.cli", *arguments],
            cwd=CHECKOUT,
            # Wide, so that a sentence is one line; the screen breaks it where it has to.
            env={
                **os.environ,
                **self._world.environment,
                "ENFORCEMENT": "apply",
                "COLUMNS": "200",
            },
            capture_output=True,
            text=True,
            check=False,
        )

    def disturb(self, package: str, *, lose: str, gain: str) -> Disturbed:
        """A person edits a package by hand: one reference to a package goes, a group comes."""
        tenant = self._world.graph.tenant()
        (edited,) = [each for each in tenant["accessPackages"] if each["id"] == package]
        edited["incompatibleAccessPackages"] = [
            each for each in edited["incompatibleAccessPackages"] if each["id"] != lose
        ]
        edited["incompatibleGroups"].append({"id": gain})
        self._world.graph.replace_tenant(tenant)
        names = self.look()
        on = names.name(package)
        return Disturbed(
            removed=Reference(on, "package", names.name(lose)),
            added=Reference(on, "group", names.name(gain)),
        )

    def grant(self, package: str, group: str) -> Granted:
        """The manager of a package adds a group, as one more that the package grants."""
        tenant = self._world.graph.tenant()
        (edited,) = [each for each in tenant["accessPackages"] if each["id"] == package]
        edited["resourceRoleScopes"].append(_with_group(edited["resourceRoleScopes"][0], group))
        self._world.graph.replace_tenant(tenant)
        names = self.look()
        return Granted(names.name(package), names.name(group))

    def send(self, body: Mapping[str, str]) -> Refused:
        """A body that is not what is asked for."""
        answer = self._call("POST", "/api/checks", body)
        problem = _json(answer, "POST /api/checks")
        return Refused(
            sent=body,
            status=answer.status_code,
            media_type=answer.headers.get("Content-Type", ""),
            problem=problem,
            pointers=tuple(each["pointer"] for each in problem.get("errors", [])),
        )

    def _call(
        self, method: str, path: str, body: Mapping[str, str] | None = None
    ) -> httpx.Response:
        url = f"{self._running().url}{path}"
        return httpx.request(method, url, json=body, timeout=MAX_SECONDS)

    def _running(self) -> HostProcess:
        if self._host is None:
            raise NotDoneError("the app: expected running, seen never started")
        return self._host

    def _seen(self, before: Snapshot, after: Snapshot) -> TenantSeen:
        return TenantSeen(
            has_changed=before.tenant != after.tenant,
            references=after.references(),
            holders_of_both=after.holders_of_both(self._pairs),
        )


def poll(
    ask: Callable[[], httpx.Response],
    what: str,
    *,
    waiting: Collection[int] = (_UNDER_WAY,),
    seconds: float = MAX_SECONDS,
) -> httpx.Response:
    """Asks until the answer is 200.

    Raises:
        NotDoneError: for an answer that is neither 200 nor one to wait on, or after too long.
    """
    deadline = time.monotonic() + seconds
    while (answer := ask()).status_code in waiting:
        if time.monotonic() > deadline:
            raise NotDoneError(f"{what}: expected an end in {seconds} s, seen {answer.text}")
        time.sleep(POLL_SECONDS)
    if not answer.is_success:
        raise NotDoneError(f"{what}: expected 200, seen {answer.status_code} {answer.text}")
    return answer


def _with_group(granted: Mapping[str, Any], group: str) -> dict[str, Any]:
    """The same grant of another group; Graph has the group's id in each part of it."""
    text = json.dumps(granted).replace(granted["scope"]["originId"], group)
    found: dict[str, Any] = json.loads(text)
    return found | {"id": str(uuid4())}


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    """What a command says at its end, or why it failed."""
    said = done.stderr if done.returncode == 1 else done.stdout
    return said.strip().rpartition("\n")[2]


def _json(answer: httpx.Response, what: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = answer.json()
    except ValueError:
        seen = f"{answer.status_code} {answer.text}"
        raise NotDoneError(f"{what}: expected JSON, seen {seen}") from None
    return found


def _location(accepted: httpx.Response) -> str:
    location = accepted.headers.get("Location")
    if location is None:
        raise NotDoneError(
            f"the check: expected 202 with a Location, seen {accepted.status_code} {accepted.text}"
        )
    return str(location)
