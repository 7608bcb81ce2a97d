"""The modules, compiled: offline, and without a word from the compiler or its linter."""

from __future__ import annotations

import json
import shutil
import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from local.logic_apps.definitions import FOLDER, definition
from tests.infra.logic_apps.files import NAMES, SHARED

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def bicep() -> str:
    """The compiler: the one on PATH, or the one beside the checkout."""
    beside = SHARED / "bicep" / "bicep"
    found = shutil.which("bicep") or (str(beside) if beside.exists() else None)
    if found is None:
        pytest.skip("no bicep on PATH or beside the checkout: the modules are not compiled")
    return found


def said(bicep: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([bicep, *arguments], capture_output=True, text=True, check=False)  # noqa: S603 - the compiler


@cache
def all_compiled(bicep: str) -> dict[str, dict[str, Any]]:
    """Every module, compiled in one go: the compiler takes longer to start than to compile."""
    with TemporaryDirectory() as folder:
        shutil.copytree(FOLDER, folder, dirs_exist_ok=True)
        for path in Path(folder).glob("*.bicep"):
            path.rename(path.with_stem(f"compiled-{path.stem}"))
        done = said(bicep, "build", "--pattern", f"{folder}/*.bicep")
        assert (done.returncode, done.stderr) == (0, "")
        return {
            path.stem.removeprefix("compiled-"): json.loads(path.read_text(encoding="utf-8"))
            for path in Path(folder).glob("compiled-*.json")
        }


def compiled(bicep: str, name: str) -> dict[str, Any]:
    return all_compiled(bicep)[name]


def workflow_of(template: dict[str, Any]) -> dict[str, Any]:
    (found,) = [
        each for each in template["resources"] if each["type"] == "Microsoft.Logic/workflows"
    ]
    properties: dict[str, Any] = found["properties"]
    return {**properties, "identity": found["identity"]}


@pytest.mark.parametrize("name", NAMES)
def test_a_module_compiles_with_its_definition(bicep: str, name: str) -> None:
    """No error, no warning, and the file beside it is in it."""
    assert definition(name) in compiled(bicep, name)["variables"].values()


@pytest.mark.parametrize("name", NAMES)
def test_a_module_gives_every_parameter_that_has_no_default(bicep: str, name: str) -> None:
    """The workflow starts with values for all that its definition asks for, and no others."""
    given = workflow_of(compiled(bicep, name))["parameters"].keys()
    declared = definition(name)["parameters"]
    assert given <= declared.keys()
    assert {key for key, each in declared.items() if "defaultValue" not in each} <= given


@pytest.mark.parametrize("name", NAMES)
def test_a_workflow_has_its_own_identity(bicep: str, name: str) -> None:
    """No secret: the workflow is itself to the app and to Graph."""
    assert workflow_of(compiled(bicep, name))["identity"] == {"type": "SystemAssigned"}


# One has no address; the other is called by the app, whose events carry a signature and no token.
OTHERS = ("nightly-summary", "tell-of-findings")


@pytest.mark.parametrize("name", [name for name in NAMES if name not in OTHERS])
def test_the_address_alone_opens_no_workflow(bicep: str, name: str) -> None:
    """The shared access signature is off, and a token is wanted."""
    triggers = workflow_of(compiled(bicep, name))["accessControl"]["triggers"]
    assert triggers["sasAuthenticationPolicy"] == {"state": "Disabled"}
    assert len(triggers["openAuthenticationPolicies"]["policies"]) == 1


def test_entra_proves_that_its_token_is_its_own(bicep: str) -> None:
    """Proof of possession: issuer, caller, method, host and path are all held against the token."""
    access = workflow_of(compiled(bicep, "launch-and-wait"))["accessControl"]["triggers"]
    (policy,) = access["openAuthenticationPolicies"]["policies"].values()
    claims = {each["name"]: each["value"] for each in policy["claims"]}
    assert policy["type"] == "AADPOP"
    assert claims == {
        "iss": "[format('https://sts.windows.net/{0}/', tenant().tenantId)]",
        "appid": "[parameters('governanceAppId')]",
        "m": "POST",
        "u": "management.azure.com",
        "p": "[variables('workflowId')]",
    }


def test_a_failed_run_is_told_by_azure_itself(bicep: str) -> None:
    """An alert on failed runs of the workflow goes to an action group that must be named."""
    template = compiled(bicep, "launch-and-wait")
    (alert,) = [each for each in template["resources"] if "metricAlerts" in each["type"]]
    (criterion,) = alert["properties"]["criteria"]["allOf"]
    assert (criterion["metricName"], criterion["threshold"]) == ("RunsFailed", 0)
    assert alert["properties"]["actions"] == [{"actionGroupId": "[parameters('actionGroupId')]"}]
    assert "defaultValue" not in template["parameters"]["actionGroupId"]


def test_each_request_that_keeps_waiting_is_told(bicep: str) -> None:
    """An alert that waits to be resolved would keep quiet about the next one."""
    template = compiled(bicep, "launch-and-wait")
    (alert,) = [each for each in template["resources"] if "metricAlerts" in each["type"]]
    assert alert["properties"]["autoMitigate"] is False


def test_by_itself_a_review_waits_and_no_link_is_shown(bicep: str) -> None:
    """Module and definition have the same defaults, and neither lets a request go on."""
    template, parameters = compiled(bicep, "launch-and-wait"), definition("launch-and-wait")
    for each in (template, parameters):
        assert each["parameters"]["onReview"]["defaultValue"] == "wait"
        assert each["parameters"]["evidenceUrl"]["defaultValue"] == ""


@pytest.mark.parametrize("name", ["launch-and-wait", "nightly-summary", "tell-of-findings"])
def test_an_address_that_opens_a_channel_is_a_secret(bicep: str, name: str) -> None:
    """Its owner can post, so deployments do not show it."""
    template = compiled(bicep, name)
    for key in ("tellUrl", "teamsUrl", "ticketsUrl"):
        if key in template["parameters"]:
            assert template["parameters"][key]["type"] == "securestring"
            assert definition(name)["parameters"][key]["type"] == "SecureString"
