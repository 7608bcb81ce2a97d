"""The hook, as a person installs it on a catalog of the simulated tenant and takes it off again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.graph.authorization import ACCESS_PACKAGE_MANAGER, CATALOG_OWNER, CATALOG_SCOPE
from local.graph.demo import (
    APP_PRINCIPAL_ID,
    APPROVE_INVOICES,
    FINANCE,
    PAY_INVOICES,
    READ_LEDGER,
    policy_id,
)
from local.processes import CHECKOUT
from local.world import World
from tests.builders import guid

pytestmark = [pytest.mark.slow, pytest.mark.host]

NOTHING, ERROR, CHANGES = 0, 1, 2
LOGIC_APP = (
    f"/subscriptions/{guid('5')}/resourceGroups/sod/providers/Microsoft.Logic/workflows/entra-sod"
)
TO_FINANCE = ("--catalog", "Finance", "--logic-app", LOGIC_APP)
MAIL = guid("81")


@pytest.fixture(scope="module")
def started() -> Iterator[World]:
    with World(storage="UseDevelopmentStorage=true") as world:
        yield world


@pytest.fixture
def world(started: World) -> World:
    """The demo tenant; the app owns Finance, and one policy has an extension of its own."""
    started.graph.reset()
    tenant = started.graph.tenant()
    tenant["customWorkflowExtensions"] = [
        {
            "id": MAIL,
            "catalogId": FINANCE,
            "type": "#microsoft.graph.accessPackageAssignmentRequestWorkflowExtension",
            "displayName": "Mail",
        }
    ]
    policy = policy_of(tenant, PAY_INVOICES)
    policy["requestApprovalSettings"] = {"isApprovalRequiredForAdd": True, "stages": []}
    policy["customExtensionStageSettings"] = [
        {"id": guid("6"), "stage": "assignmentRequestCreated", "customExtensionId": MAIL}
    ]
    started.graph.replace_tenant(tenant)
    started.graph.replace_roles(role(CATALOG_OWNER))
    return started


def role(definition: str) -> dict[str, str]:
    return {
        "principalId": APP_PRINCIPAL_ID,
        "roleDefinitionId": definition,
        "appScopeId": f"{CATALOG_SCOPE}{FINANCE}",
    }


def policy_of(tenant: dict[str, Any], package_id: str) -> dict[str, Any]:
    (package,) = [each for each in tenant["accessPackages"] if each["id"] == package_id]
    policy: dict[str, Any] = package["assignmentPolicies"][0]
    return policy


def calls(tenant: dict[str, Any], package_id: str) -> list[str]:
    """The extensions that a package's policy calls, in order."""
    settings = policy_of(tenant, package_id)["customExtensionStageSettings"]
    return [each["customExtensionId"] for each in settings]


def policies(tenant: dict[str, Any]) -> list[dict[str, Any]]:
    """Every policy without what Graph itself sets at each write."""
    found = [each for package in tenant["accessPackages"] for each in package["assignmentPolicies"]]
    for policy in found:
        policy.pop("modifiedDateTime", None)
        for setting in policy["customExtensionStageSettings"]:
            del setting["id"]
    return found


def hook(world: World, *arguments: str) -> subprocess.CompletedProcess[str]:
    settings = {
        name: value for name, value in world.environment.items() if "AzureWebJobs" not in name
    }
    return subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "entra_sod.cli", "hook", *arguments],
        cwd=CHECKOUT,
        env={**os.environ, **settings, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_plan_install_plan_remove(world: World) -> None:
    """Planned, installed, nothing left to do, removed: the tenant's policies are the very same."""
    before = world.graph.tenant()
    planned = hook(world, "plan", *TO_FINANCE)
    assert planned.returncode == CHANGES, planned.stderr
    assert "+ extension entra-sod" in planned.stdout
    assert world.graph.tenant() == before

    done = hook(world, "install", *TO_FINANCE)
    assert (done.returncode, "0 failed" in done.stderr) == (NOTHING, True), done.stderr
    hooked = world.graph.tenant()
    (ours,) = [each["id"] for each in hooked["customWorkflowExtensions"] if each["id"] != MAIL]
    assert calls(hooked, PAY_INVOICES) == [MAIL, ours]
    assert calls(hooked, APPROVE_INVOICES) == [ours]
    assert calls(hooked, READ_LEDGER) == []

    again = hook(world, "plan", "--catalog", FINANCE)
    assert (again.returncode, "nothing to do in Finance" in again.stdout) == (NOTHING, True)
    assert hook(world, "install", *TO_FINANCE).returncode == NOTHING
    assert world.graph.tenant() == hooked

    removed = hook(world, "remove", "--catalog", "finance")
    assert (removed.returncode, "- extension entra-sod" in removed.stdout) == (NOTHING, True)
    after = world.graph.tenant()
    assert policies(after) == policies(before)
    assert [each["id"] for each in after["customWorkflowExtensions"]] == [MAIL]
    assert hook(world, "remove", "--catalog", "finance").returncode == NOTHING


def test_a_plan_is_told_to_programs_too(world: World) -> None:
    """JSON has the ids of all that changes, and the exit code is the same."""
    planned = hook(world, "plan", *TO_FINANCE, "--format", "json")
    plan = json.loads(planned.stdout)
    assert planned.returncode == CHANGES
    assert plan["catalog"] == {"id": FINANCE, "displayName": "Finance"}
    assert plan["create"] == LOGIC_APP
    assert policy_id(PAY_INVOICES) in [each["policyId"] for each in plan["attach"]]
    assert policy_id(READ_LEDGER) not in [each["policyId"] for each in plan["attach"]]


def test_a_manager_may_plan_and_is_told_who_may_install(world: World) -> None:
    """Reading is enough for the plan; making an extension wants an owner."""
    world.graph.replace_roles(role(ACCESS_PACKAGE_MANAGER))
    before = world.graph.tenant()
    assert hook(world, "plan", *TO_FINANCE).returncode == CHANGES
    done = hook(world, "install", *TO_FINANCE)
    assert done.returncode == ERROR
    assert "owner of the catalog" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert world.graph.tenant() == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--catalog", "Treasury", "--logic-app", LOGIC_APP), "No catalog Treasury"),
        (("--catalog", "Finance"), "--logic-app"),
        (("--catalog", "Finance", "--logic-app", "entra-sod"), "no resource id"),
    ],
)
def test_what_cannot_be_planned_is_one_clear_line(
    world: World, arguments: tuple[str, ...], words: str
) -> None:
    """An unknown catalog, or no usable Logic App: exit code 1, and what to do."""
    done = hook(world, "install", *arguments)
    assert done.returncode == ERROR
    assert words in " ".join(done.stderr.split())
    assert done.stderr.count("entra-sod: ") == 1
    assert "Traceback" not in done.stderr


def written(folder: Path, *between: dict[str, Any]) -> str:
    """A folder with one rule between these sides."""
    rule = {
        "id": "only",
        "title": "Only",
        "severity": "low",
        "owner": "a@contoso.com",
        "mode": "record",
        "between": between,
    }
    text = json.dumps({"version": 1, "rules": [rule]})  # JSON is YAML
    (folder / "only.yaml").write_text(text, encoding="utf-8")
    return str(folder)


def test_a_package_that_stands_against_a_group_only_is_hooked(world: World, tmp_path: Path) -> None:
    """A member of the group must be checked, too, when they request the package."""
    rules = written(tmp_path, {"packages": [{"id": READ_LEDGER}]}, {"groups": [{"id": guid("1")}]})
    planned = hook(world, "plan", *TO_FINANCE, "--rules", rules, "--format", "json")
    assert planned.returncode == CHANGES, planned.stderr
    attach = json.loads(planned.stdout)["attach"]
    assert [each["policyId"] for each in attach] == [policy_id(READ_LEDGER)]


def test_rules_that_name_no_package_of_the_catalog_ask_for_nothing(
    world: World, tmp_path: Path
) -> None:
    """No extension is created that Entra would never call."""
    rules = written(tmp_path, {"packages": [{"id": guid("1")}]}, {"packages": [{"id": guid("2")}]})
    done = hook(world, "plan", *TO_FINANCE, "--rules", rules)
    assert (done.returncode, "nothing to do" in done.stdout) == (NOTHING, True), done.stderr
