"""The way of a rule: plan, apply, plan again, drift; as a person runs it, against the simulator."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.graph.demo import APPROVE_INVOICES, GROUP_EXTERNAL_AUDITORS, PAY_INVOICES
from local.processes import CHECKOUT
from local.world import World
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
    assert "not enforceable" in done.stdout
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
    rows = [line for line in done.stdout.splitlines() if line.startswith("| ")]
    assert len(rows) == DEMO_ADDITIONS + 2
    assert "\x1b" not in done.stdout


def test_plan_apply_plan_drift_and_the_sweep_that_repairs(world: World, tmp_path: Path) -> None:
    """After apply the plan is empty; drift names both edits; the sweep repairs what is ours."""
    file = str(tmp_path / "plan.json")
    assert run(world, "plan", "--out", file).returncode == UNKNOWN
    refused = run(world, "apply", file)
    assert refused.returncode == ERROR
    assert "ENFORCEMENT is plan" in refused.stderr
    applied = run(world, "apply", file, ENFORCEMENT="apply")
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
    assert run(world, "apply", file, ENFORCEMENT="apply").returncode == UNKNOWN
    delete_auditors(world)
    blind = run(world, "drift", "--format", "json")
    assert {each["kind"] for each in json.loads(blind.stdout)["drift"]} == {"missing"}
    assert "deleted groups could not be looked for" in blind.stderr

    delete_auditors(world, "GroupMember.Read.All")
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
    stale = run(world, "apply", file, ENFORCEMENT="apply")
    assert stale.returncode == ERROR
    assert "the tenant has changed" in stale.stderr
    assert planned(world)["unchanged"] == []
    assert run(world, "apply", file, "--replan", ENFORCEMENT="apply").returncode == UNKNOWN


def test_over_the_limit_apply_writes_nothing(world: World, tmp_path: Path) -> None:
    """Twelve writes against a limit of eleven: refused with both numbers, and none is written."""
    file = str(tmp_path / "plan.json")
    run(world, "plan", "--out", file)
    done = run(world, "apply", file, ENFORCEMENT="apply", MAX_REFERENCE_WRITES="11")
    assert done.returncode == ERROR
    assert "12 writes" in done.stderr
    assert planned(world)["unchanged"] == []


def test_a_dry_run_writes_nothing(world: World, tmp_path: Path) -> None:
    """--dry-run checks and shows the plan, and leaves the tenant as it is."""
    file = str(tmp_path / "plan.json")
    run(world, "plan", "--out", file)
    done = run(world, "apply", file, "--dry-run", ENFORCEMENT="apply")
    assert (done.returncode, "12 to add" in done.stdout) == (UNKNOWN, True)
    assert planned(world)["unchanged"] == []


def test_a_graph_that_cannot_be_reached_is_said_of_each_package(world: World) -> None:
    """No traceback, and no plan that seems whole: what was wrong, and its exit code."""
    done = run(world, "plan", GRAPH_ROOT="http://127.0.0.1:9")
    assert done.returncode == UNKNOWN
    assert "0 to add" in done.stdout
    assert "No answer from Graph" in done.stdout
    assert "Traceback" not in done.stderr


def test_a_file_that_is_no_plan_is_refused(world: World, tmp_path: Path) -> None:
    """Something else in the place of a plan is named, and nothing is read of the tenant."""
    (tmp_path / "plan.json").write_text("{}")
    done = run(world, "apply", str(tmp_path / "plan.json"))
    assert done.returncode == ERROR
    assert "is no plan of this version" in done.stderr
