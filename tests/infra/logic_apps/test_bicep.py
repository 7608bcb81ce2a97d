"""The modules, compiled: offline, and without a word from the compiler or its linter."""

from __future__ import annotations

from typing import Any

import pytest

from tests.infra.bicep import nested
from tests.infra.conftest import Built
from tests.infra.logic_apps.files import NAMES, definition


def workflow_of(template: dict[str, Any]) -> dict[str, Any]:
    (found,) = [
        each for each in template["resources"] if each["type"] == "Microsoft.Logic/workflows"
    ]
    properties: dict[str, Any] = found["properties"]
    return {**properties, "identity": found["identity"]}


@pytest.mark.parametrize("name", NAMES)
def test_a_module_has_its_definition(built: Built, name: str) -> None:
    """What is compiled into the module is the file beside it."""
    assert definition(name) in nested(built.template, name)["variables"].values()


@pytest.mark.parametrize("name", NAMES)
def test_a_module_gives_every_parameter_that_has_no_default(built: Built, name: str) -> None:
    """The workflow starts with values for all that its definition asks for, and no others."""
    given = workflow_of(nested(built.template, name))["parameters"].keys()
    declared = definition(name)["parameters"]
    assert given <= declared.keys()
    assert {key for key, each in declared.items() if "defaultValue" not in each} <= given


@pytest.mark.parametrize("name", NAMES)
def test_a_workflow_has_its_own_identity(built: Built, name: str) -> None:
    """No secret: the workflow is itself to the app and to Graph."""
    assert workflow_of(nested(built.template, name))["identity"] == {"type": "SystemAssigned"}


@pytest.mark.parametrize("name", [name for name in NAMES if name != "nightly-summary"])
def test_the_address_alone_opens_no_workflow(built: Built, name: str) -> None:
    """The shared access signature is off, and a token is wanted."""
    triggers = workflow_of(nested(built.template, name))["accessControl"]["triggers"]
    assert triggers["sasAuthenticationPolicy"] == {"state": "Disabled"}
    assert len(triggers["openAuthenticationPolicies"]["policies"]) == 1


def test_entra_proves_that_its_token_is_its_own(built: Built) -> None:
    """Proof of possession: issuer, caller, method, host and path are all held against the token."""
    access = workflow_of(nested(built.template, "launch-and-wait"))["accessControl"]["triggers"]
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


def test_a_failed_run_is_told_by_azure_itself(built: Built) -> None:
    """An alert on failed runs of the workflow goes to an action group that must be named."""
    template = nested(built.template, "launch-and-wait")
    (alert,) = [each for each in template["resources"] if "metricAlerts" in each["type"]]
    (criterion,) = alert["properties"]["criteria"]["allOf"]
    assert (criterion["metricName"], criterion["threshold"]) == ("RunsFailed", 0)
    assert alert["properties"]["actions"] == [{"actionGroupId": "[parameters('actionGroupId')]"}]
    assert "defaultValue" not in template["parameters"]["actionGroupId"]


@pytest.mark.parametrize("name", ["launch-and-wait", "nightly-summary"])
def test_an_address_that_opens_a_channel_is_a_secret(built: Built, name: str) -> None:
    """Whoever has it can post, so deployments do not show it."""
    template = nested(built.template, name)
    for key in ("tellUrl", "teamsUrl"):
        if key in template["parameters"]:
            assert template["parameters"][key]["type"] == "securestring"
            assert definition(name)["parameters"][key]["type"] == "SecureString"
