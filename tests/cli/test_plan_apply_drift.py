"""The way of a rule: plan, apply, plan again, drift; as a person runs it, against the simulator."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from entra_sod.adapters.storage.azure import AzureStorage
from entra_sod.core.clock import SystemClock
from entra_sod.domain.rules.language import RulesFile
from entra_sod.settings import StorageSettings
from entra_sod.stores.write_controls import WriteControls
from local.graph.demo import APPROVE_INVOICES, GROUP_EXTERNAL_AUDITORS, PAY_INVOICES
from local.processes import CHECKOUT
from local.world import World
from tests.adapters.storage.test_storage_contract import no_identity
from tests.builders import rule, side
from tests.host.client import Caller
from tests.leftovers import clear_leftovers

pytestmark = [pytest.mark.slow, pytest.mark.host]

ERROR, UNKNOWN = 1, 3
DEMO_ADDITIONS = 12


@pytest.fixture
def world(azurite: str) -> Iterator[World]:
    clear_leftovers(azurite)
    with World(storage=azurite) as world:
        yield world


def run(world: World, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **world.environment, "COLUMNS": "200", **settings}
    return subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "entra_sod.cli", *arguments],
        cwd=CHECKOUT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def apply(
    world: World, file: str, *options: str, **settings: str
) -> subprocess.CompletedProcess[str]:
    return run(world, "apply", file, "--yes", *options, ENFORCEMENT="apply", **settings)


def planned(world: World) -> dict[str, Any]:
    done = run(world, "plan", "--format", "json")
    plan: dict[str, Any] = json.loads(done.stdout)
    return plan


def edit(world: World, *, lose: str | None = None, gain: str | None = None) -> None:
    """Change the incompatible references of "Pay invoices" by hand."""
    tenant = world.graph.tenant()
    (package,) = [each for each in tenant["accessPackages"] if each["id"] == PAY_INVOICES]
    package["incompatibleAccessPackages"] = [
        each for each in package["incompatibleAccessPackages"] if each["id"] != lose
    ]
    package["incompatibleGroups"] += [{"id": gain}] if gain else []
    world.graph.replace_tenant(tenant)


def test_a_plan_says_what_it_would_change_and_whom_it_would_touch(world: World) -> None:
    """Additions, their blast radius, what Entra cannot enforce; nothing is written.

    The demo's rules name a package that the app may not read, hence the exit code.
    """
    before = world.graph.tenant()
    done = run(world, "plan")
    assert done.returncode == UNKNOWN, done.stderr
    assert "not known: access package" in done.stdout
    assert "12 to add, 0 to remove" in done.stdout
    assert "holders of Approve invoices" in done.stdout
    assert "Rules that Entra enforces in full: 3 of 7." in done.stdout
    assert "rule auditors-touch-nothing: enforced in part" in done.stdout
    (addition,) = [
        each
        for each in planned(world)["additions"]
        if each["reference"] == {"on": PAY_INVOICES, "kind": "package", "target": APPROVE_INVOICES}
    ]
    assert (addition["keptFromGetting"], addition["keptFromRenewing"]) == (21, 7)
    assert len(addition["inConflict"]) == 7
    assert world.graph.tenant() == before


def test_a_plan_can_be_a_comment_on_a_pull_request(world: World) -> None:
    """Markdown has a table row for each addition and no control characters."""
    done = run(world, "plan", "--format", "markdown")
    table = [line for line in done.stdout.splitlines() if line.startswith("| ")]
    rows = [line for line in table if "holders of" in line]
    groups = [line for line in table if "members of group" in line]
    assert len(rows) + len(groups) == DEMO_ADDITIONS
    assert "\x1b" not in done.stdout


def test_plan_apply_plan_drift_and_the_sweep_that_repairs(world: World, tmp_path: Path) -> None:
    """After apply the plan is empty; drift names both edits; the sweep repairs what is ours."""
    file = str(tmp_path / "plan.json")
    assert run(world, "plan", "--out", file).returncode == UNKNOWN
    refused = run(world, "apply", file)
    assert refused.returncode == ERROR
    assert "ENFORCEMENT is plan" in refused.stderr
    refused = run(world, "apply", file, ENFORCEMENT="apply")
    assert (refused.returncode, "--yes" in refused.stderr) == (ERROR, True)
    applied = apply(world, file)
    assert (applied.returncode, "12 written" in applied.stdout) == (UNKNOWN, True), applied.stderr
    assert "0 to add, 0 to remove" in run(world, "plan").stdout
    assert json.loads(run(world, "drift", "--format", "json").stdout)["drift"] == []

    edit(world, lose=APPROVE_INVOICES, gain=GROUP_EXTERNAL_AUDITORS)
    drift = run(world, "drift", "--format", "json")
    assert drift.returncode == UNKNOWN
    drifts = json.loads(drift.stdout)["drift"]
    found = {(each["kind"], each["reference"]["target"]) for each in drifts}
    assert ("missing", APPROVE_INVOICES) in found
    assert ("foreign", GROUP_EXTERNAL_AUDITORS) in found

    host = world.start_host(ENFORCEMENT="apply")
    swept = Caller(host.url).sweep(host)
    assert [each["targetId"] for each in swept["references"]["written"]] == [APPROVE_INVOICES]
    after = run(world, "drift", "--format", "json")
    assert {each["kind"] for each in json.loads(after.stdout)["drift"]} == {"foreign"}


def delete_auditors(world: World, *permissions: str) -> None:
    """Delete the group "External auditors"; the app's identity gets more permissions."""
    tenant = world.graph.tenant()
    gone = GROUP_EXTERNAL_AUDITORS
    tenant["groups"] = [each for each in tenant["groups"] if each["id"] != gone]
    for package in tenant["accessPackages"]:
        package["incompatibleGroups"] = [
            each for each in package["incompatibleGroups"] if each["id"] != gone
        ]
    for identity in tenant["identities"]:
        identity["permissions"] += permissions
    world.graph.replace_tenant(tenant)


def test_drift_names_references_to_deleted_groups_or_says_that_it_cannot(
    world: World, tmp_path: Path
) -> None:
    """With a directory permission the group is orphaned; without one that is said, on stderr."""
    file = str(tmp_path / "plan.json")
    run(world, "plan", "--out", file)
    assert apply(world, file).returncode == UNKNOWN
    delete_auditors(world)
    blind = run(world, "drift", "--format", "json")
    assert {each["kind"] for each in json.loads(blind.stdout)["drift"]} == {"missing"}
    assert "deleted groups could not be looked for" in blind.stderr

    delete_auditors(world, "GroupMember.ReadBasic.All")
    drift = run(world, "drift", "--format", "json")
    found = {
        (each["kind"], each["reference"]["target"]) for each in json.loads(drift.stdout)["drift"]
    }
    assert (drift.returncode, found) == (UNKNOWN, {("orphaned", GROUP_EXTERNAL_AUDITORS)})
    assert "deleted groups" not in drift.stderr


def test_a_stale_plan_is_refused_and_can_be_replanned(world: World, tmp_path: Path) -> None:
    """The tenant moved after the review: nothing is written, unless the person says --replan."""
    file = str(tmp_path / "plan.json")
    run(world, "plan", "--out", file)
    edit(world, gain=GROUP_EXTERNAL_AUDITORS)
    stale = apply(world, file)
    assert stale.returncode == ERROR
    assert "the tenant has changed" in stale.stderr
    assert planned(world)["unchanged"] == []
    assert apply(world, file, "--replan").returncode == UNKNOWN


def test_over_the_limit_apply_writes_nothing(world: World, tmp_path: Path) -> None:
    """Twelve writes against a limit of eleven: refused with both numbers, and none is written."""
    file = str(tmp_path / "plan.json")
    run(world, "plan", "--out", file)
    done = apply(world, file, MAX_REFERENCE_WRITES="11")
    assert done.returncode == ERROR
    assert "12 writes" in done.stderr
    assert planned(world)["unchanged"] == []


def test_a_dry_run_writes_nothing(world: World, tmp_path: Path) -> None:
    """--dry-run checks and shows the plan, and leaves the tenant as it is."""
    file = str(tmp_path / "plan.json")
    run(world, "plan", "--out", file)
    done = run(world, "apply", file, "--dry-run")
    assert (done.returncode, "12 to add" in done.stdout) == (UNKNOWN, True)
    assert planned(world)["unchanged"] == []


def test_a_graph_that_cannot_be_reached_is_said_of_each_package(
    world: World, tmp_path: Path
) -> None:
    """No traceback, and no plan that seems whole: what was wrong, and its exit code."""
    book = RulesFile(version=1, rules=[rule("r", side("a"), side("b"))])
    (tmp_path / "rules.yaml").write_bytes(msgspec.json.encode(book))
    done = run(world, "plan", "--rules", str(tmp_path), GRAPH_ROOT="http://127.0.0.1:9")
    assert done.returncode == UNKNOWN
    assert "0 to add" in done.stdout
    assert "No answer from Graph" in done.stdout
    assert "Traceback" not in done.stderr


def test_without_graph_it_is_not_known_what_rules_by_grants_select(world: World) -> None:
    """A rule of the demo selects by grants, so there is no plan: the reason and the exit code."""
    done = run(world, "plan", GRAPH_ROOT="http://127.0.0.1:9")
    assert (done.returncode, done.stdout) == (UNKNOWN, "")
    assert "No answer from Graph to the list of packages" in done.stderr


def test_a_file_that_is_no_plan_is_refused(world: World, tmp_path: Path) -> None:
    """Something else in the place of a plan is named, and nothing is read of the tenant."""
    (tmp_path / "plan.json").write_text("{}")
    done = run(world, "apply", str(tmp_path / "plan.json"))
    assert done.returncode == ERROR
    assert "is no plan of this version" in done.stderr


WRITES = {"method": "POST", "path_contains": "/incompatible"}


def test_apply_waits_while_graph_throttles(world: World, tmp_path: Path) -> None:
    """G3: 429 with Retry-After in the middle of the writes: it waits, says so, and ends."""
    file = str(tmp_path / "plan.json")
    run(world, "plan", "--out", file)
    world.graph.add_faults(
        {"kind": "status", "status": 429, "retry_after": 2, "match": WRITES, "skip": 5, "times": 3},
        {"kind": "status", "status": 503, "match": WRITES, "skip": 2},
    )
    done = apply(world, file)
    assert (done.returncode, "12 written" in done.stdout) == (UNKNOWN, True), done.stderr
    assert "Graph is busy" in done.stderr
    assert len(planned(world)["unchanged"]) == DEMO_ADDITIONS


def used(connection: str) -> int:
    """How many writes count in the budget."""

    async def read() -> int:
        storage = AzureStorage(StorageSettings(connection_string=connection), no_identity)
        try:
            return (await WriteControls(storage, SystemClock()).budget(200)).used
        finally:
            await storage.close()

    return asyncio.run(read())


def test_an_interrupted_apply_says_what_is_done_and_goes_on(
    world: World, tmp_path: Path, azurite: str
) -> None:
    """Ctrl-C: what was begun is finished, told and sealed; another run writes the rest.

    In the budget each write counts once.
    """
    file = str(tmp_path / "plan.json")
    run(world, "plan", "--out", file)
    world.graph.clear_requests()
    world.graph.add_faults({"kind": "delay", "seconds": 1.5, "match": WRITES, "times": 100})
    running = subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "entra_sod.cli", "apply", file, "--yes"],
        cwd=CHECKOUT,
        env={**os.environ, **world.environment, "ENFORCEMENT": "apply"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not any("$ref" in each["target"] for each in world.graph.requests()):
        assert running.poll() is None
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    told, error = running.communicate(timeout=60)
    assert (running.returncode, "interrupted. Run the command again" in error) == (ERROR, True)
    written = len(planned(world)["unchanged"])
    assert f"{written} written" in told
    assert (0 < written < DEMO_ADDITIONS, used(azurite)) == (True, written)
    assert run(world, "evidence", "verify").returncode == 0
    world.graph.clear_faults()
    done = apply(world, file)
    assert f"{written} of its 12 references are as planned already" in done.stdout
    assert done.returncode == UNKNOWN, done.stderr
    assert len(planned(world)["unchanged"]) == used(azurite) == DEMO_ADDITIONS
