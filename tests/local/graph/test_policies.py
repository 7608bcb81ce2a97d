"""Policies and custom extensions of the simulator: what PUT replaces, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from local.graph.demo import (
    APPROVE_INVOICES,
    FINANCE,
    PAY_INVOICES,
    RELEASE_PAYMENTS,
    TREASURY,
    policy_id,
)
from tests.local.graph.caller import EM, Caller

POLICY = policy_id(PAY_INVOICES)
EXTENSIONS = f"catalogs/{FINANCE}/customWorkflowExtensions"
TYPE = "#microsoft.graph.accessPackageAssignmentRequestWorkflowExtension"
UNKNOWN = "00000000-0000-4000-8000-000000000000"
SETTINGS = "$expand=customExtensionStageSettings($expand=customExtension)"
EXTENSION: dict[str, Any] = {
    "@odata.type": TYPE,
    "displayName": "entra-sod",
    "description": "",
    "endpointConfiguration": {
        "@odata.type": "#microsoft.graph.logicAppTriggerEndpointConfiguration",
        "subscriptionId": UNKNOWN,
        "resourceGroupName": "sod",
        "logicAppWorkflowName": "launch",
    },
    "authenticationConfiguration": {
        "@odata.type": "#microsoft.graph.azureAdPopTokenAuthentication"
    },
    "callbackConfiguration": {
        "@odata.type": "microsoft.graph.customExtensionCallbackConfiguration",
        "durationBeforeTimeout": "PT1H",
    },
}
BODY: dict[str, Any] = {
    "displayName": "Employees",
    "allowedTargetScope": "allMemberUsers",
    "accessPackage": {"id": PAY_INVOICES},
}


async def put(caller: Caller, body: Any, policy: str = POLICY) -> int:
    answer = await caller.send("PUT", f"{EM}/assignmentPolicies/{policy}", body=body)
    return answer.status_code


async def made(caller: Caller) -> str:
    answer = await caller.post(EXTENSIONS, EXTENSION)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def calling(extension_id: str, **changes: Any) -> dict[str, Any]:
    named = {"@odata.type": TYPE, "id": extension_id}
    setting = {"stage": "assignmentRequestCreated", "customExtension": named, **changes}
    return {**BODY, "customExtensionStageSettings": [setting]}


async def test_put_replaces_the_whole_policy(admin: Caller) -> None:
    """What a body leaves out is gone: the documented danger of writing a part."""
    rich = {**BODY, "description": "x", "expiration": {"type": "noExpiration"}}
    assert await put(admin, calling(await made(admin)) | rich) == 200
    assert await put(admin, BODY) == 200
    after = (await admin.get(f"assignmentPolicies/{POLICY}?{SETTINGS}")).json()
    assert after["customExtensionStageSettings"] == []
    assert "description" not in after
    assert "expiration" not in after


async def test_questions_are_shown_where_they_are_asked_for_and_gone_where_not_written(
    admin: Caller,
) -> None:
    """They are a relation, too: without $expand none are seen, and PUT without them empties it."""
    asked = [{"@odata.type": "#microsoft.graph.accessPackageTextInputQuestion", "text": "Why?"}]
    assert await put(admin, {**BODY, "questions": asked}) == 200
    assert "questions" not in (await admin.get(f"assignmentPolicies/{POLICY}")).json()
    expanded = f"assignmentPolicies/{POLICY}?$expand=questions"
    assert (await admin.get(expanded)).json()["questions"] == asked
    assert await put(admin, BODY) == 200
    assert (await admin.get(expanded)).json()["questions"] == []


async def test_stage_settings_are_shown_where_they_are_asked_for(admin: Caller) -> None:
    """They are a relation: without $expand there are none to see."""
    extension_id = await made(admin)
    await put(admin, calling(extension_id))
    assert (
        "customExtensionStageSettings"
        not in (await admin.get(f"assignmentPolicies/{POLICY}")).json()
    )
    shown = (await admin.get(f"assignmentPolicies/{POLICY}?{SETTINGS}")).json()
    (setting,) = shown["customExtensionStageSettings"]
    assert setting["stage"] == "assignmentRequestCreated"
    assert setting["customExtension"]["id"] == extension_id
    assert setting["customExtension"]["@odata.type"] == TYPE


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"displayName": "x"},
        {**BODY, "accessPackage": {"id": APPROVE_INVOICES}},
        {**BODY, "id": UNKNOWN},
        {**BODY, "modifiedDateTime": "2025-01-01T00:00:00Z"},
        {**BODY, "ofTomorrow": 1},
        calling(UNKNOWN),
    ],
)
async def test_a_body_that_does_not_fit_is_refused(admin: Caller, body: Any) -> None:
    """Missing, foreign, read-only or unknown properties, and unknown extensions: 400, no change."""
    before = (await admin.get(f"assignmentPolicies/{POLICY}?{SETTINGS}")).json()
    assert await put(admin, body) == 400
    assert (await admin.get(f"assignmentPolicies/{POLICY}?{SETTINGS}")).json() == before


@pytest.mark.parametrize(
    "changes",
    [{"stage": "created"}, {"customExtension": None}, {"customExtension": {"id": UNKNOWN}}],
)
async def test_a_stage_setting_that_does_not_fit_is_refused(
    admin: Caller, changes: dict[str, Any]
) -> None:
    """The stage must be one that there is, and the extension named with its type."""
    assert await put(admin, calling(await made(admin), **changes)) == 400


async def test_there_is_no_patch(admin: Caller) -> None:
    """v1.0 documents PUT alone."""
    answer = await admin.send("PATCH", f"{EM}/assignmentPolicies/{POLICY}", body={})
    assert answer.status_code == 405


async def test_rights_on_policies_and_extensions(graph: Caller, auditor: Caller) -> None:
    """A manager writes policies but makes no extensions; a reader does neither."""
    assert await put(graph, BODY) == 200
    assert (await graph.post(EXTENSIONS, EXTENSION)).status_code == 403
    assert await put(auditor, BODY) == 403
    assert (await graph.get(EXTENSIONS)).status_code == 200
    assert (await graph.get(f"catalogs/{TREASURY}/customWorkflowExtensions")).status_code == 403
    foreign = policy_id(RELEASE_PAYMENTS)
    assert (await graph.get(f"assignmentPolicies/{foreign}")).status_code == 403
    assert (await auditor.get(f"assignmentPolicies/{UNKNOWN}")).status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"@odata.type": "#microsoft.graph.accessPackageAssignmentWorkflowExtension2"},
        {"authenticationConfiguration": None},
        {
            "endpointConfiguration": {
                **EXTENSION["endpointConfiguration"],
                "logicAppWorkflowName": "x" * 60,
            }
        },
        {"callbackConfiguration": {"durationBeforeTimeout": "PT1H"}},
        {"id": UNKNOWN},
    ],
)
async def test_an_extension_that_does_not_fit_is_refused(
    admin: Caller, change: dict[str, Any]
) -> None:
    """Types, authentication and the length of the Logic App's resource id are looked at."""
    assert (await admin.post(EXTENSIONS, {**EXTENSION, **change})).status_code == 400
    assert await admin.ids(EXTENSIONS) == []


async def test_an_extension_in_use_cannot_be_deleted(admin: Caller) -> None:
    """First it leaves the policies."""
    extension_id = await made(admin)
    await put(admin, calling(extension_id))
    assert (await admin.delete(f"{EXTENSIONS}/{extension_id}")).status_code == 400
    await put(admin, BODY)
    assert (await admin.delete(f"{EXTENSIONS}/{extension_id}")).status_code == 204
    assert (await admin.delete(f"{EXTENSIONS}/{extension_id}")).status_code == 404


async def test_a_tenant_has_at_most_500_extensions(admin: Caller) -> None:
    """One for each catalog is enough; one for each package would not be."""
    first = await made(admin)
    known = admin.simulator.tenant.custom_workflow_extensions
    known += [known[0]] * 499
    assert (await admin.post(EXTENSIONS, EXTENSION)).status_code == 400
    assert first
