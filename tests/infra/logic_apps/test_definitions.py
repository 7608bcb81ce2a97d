"""Every definition as it stands, without a run."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from local.logic_apps.definitions import FOLDER, definition
from local.logic_apps.walk import Reply, Run
from tests.infra.logic_apps.check import problems, walk
from tests.infra.logic_apps.files import NAMES

GRAPH = "parameters('graphRoot')"


def test_the_workflows_are_there_each_with_its_module() -> None:
    """Five definitions, and a Bicep module for each."""
    assert NAMES == [
        "launch-and-wait",
        "nightly-summary",
        "poll-a-check",
        "tell-of-findings",
        "webhook-callback",
    ]
    assert sorted(path.stem for path in FOLDER.glob("*.bicep")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_definition_has_nothing_wrong(name: str) -> None:
    """Known parts only; every runAfter, parameter, function and action that is named exists."""
    assert problems(definition(name)) == []


@pytest.mark.parametrize("name", NAMES)
def test_only_connectors_of_the_platform_itself_are_used(name: str) -> None:
    """No managed connector, so no administrator has to consent to a connection."""
    kinds = {each.action["type"] for each in walk(definition(name)["actions"])}
    assert kinds & {"ApiConnection", "ApiConnectionWebhook", "OpenApiConnection"} == set()


@pytest.mark.parametrize("name", NAMES)
def test_the_workflow_shows_who_it_is_to_the_app_and_to_graph_alone(name: str) -> None:
    """The managed identity's token goes to these two; other addresses get none."""
    for each in walk(definition(name)["actions"]):
        if each.action["type"] in {"Http", "HttpWebhook"}:
            inputs = each.action["inputs"].get("subscribe", each.action["inputs"])
            audience = inputs.get("authentication", {}).get("audience")
            if inputs["uri"].startswith("@{parameters('appUrl')}/api/"):
                assert audience == "@parameters('appAudience')"
            elif inputs["uri"].startswith(f"@{{{GRAPH}}}/v1.0/"):
                assert audience == f"@{GRAPH}"
            else:
                assert "authentication" not in inputs
                assert each.action["runtimeConfiguration"]["secureData"] == {
                    "properties": ["inputs"]
                }


def _broken(change: str) -> dict[str, Any]:
    broken = copy.deepcopy(definition("poll-a-check"))
    actions = broken["actions"]
    match change:
        case "runAfter":
            actions["Answer"]["runAfter"] = {"Chekc": ["Succeeded"]}
        case "status":
            actions["Answer"]["runAfter"] = {"Check": ["Done"]}
        case "circle":
            actions["Check"]["runAfter"] = {"Answer": ["Succeeded"]}
        case "function":
            actions["Answer"]["inputs"]["body"] = "@uppercase(body('Check'))"
        case "parameter":
            actions["Check"]["inputs"]["uri"] = "@{parameters('appurl')}/api/checks"
        case "out of reach":
            actions["Check"]["inputs"]["body"] = "@body('Answer')"
        case "key":
            actions["Check"]["runafter"] = {}
        case "type":
            actions["Check"]["type"] = "ApiConnection"
    return broken


@pytest.mark.parametrize(
    "change",
    ["runAfter", "status", "circle", "function", "parameter", "out of reach", "key", "type"],
)
def test_the_check_notices_what_is_broken(change: str) -> None:
    """A wrong name, order, function, parameter, key or type is each found."""
    assert problems(_broken(change)) != []


def test_an_action_that_runs_after_a_failure_is_skipped_without_one() -> None:
    """The walker follows statuses: `Answer_unknown` runs only where `Check` failed."""
    run = Run(
        definition("poll-a-check"),
        lambda _sent: Reply(body={"outcome": "clear"}),
        parameters={"appUrl": "https://app", "appAudience": "api://app"},
        trigger_body={"accessPackageId": "a", "incompatibleAccessPackageId": "b"},
    )
    assert (run.status_of("Answer"), run.status_of("Answer_unknown")) == ("Succeeded", "Skipped")
