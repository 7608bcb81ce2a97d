"""The calls around Entra's launch and wait, as Microsoft documents them; a test compares them."""

from typing import Any

RESUME_PATH = "/v1.0/identityGovernance/entitlementManagement/assignmentRequests/{}/resume"
_STAGE = "microsoft.graph.accessPackageCustomExtensionStage.assignmentRequestCreated"
_DATA = "microsoft.graph.accessPackageAssignmentRequestCallbackData"


def resume_body(
    *, source: str, stage: str, stage_instance: str, detail: str, denies: bool
) -> dict[str, Any]:
    """The body that lets a request continue, or denies it."""
    data = {
        "@odata.type": _DATA,
        "stage": stage,
        "customExtensionStageInstanceId": stage_instance,
        "customExtensionStageInstanceDetail": detail,
    }
    if denies:
        data["state"] = "denied"
    return {"source": source, "type": _STAGE, "data": data}


def callout(
    *, request: str, stage: str, stage_instance: str, kind: str, package: str, target: str, who: str
) -> dict[str, Any]:
    """What Entra calls the Logic App with, as far as a workflow reads it.

    Args:
        request: its id.
        stage: at which it waits.
        stage_instance: the id by which it is resumed.
        kind: of the request.
        package: that is wanted.
        target: the subject's id in entitlement management.
        who: its object id.
    """
    subject = {"Id": target, "ObjectId": who}
    return {
        "AccessPackageAssignmentRequestId": request,
        "CustomExtensionStageInstanceId": stage_instance,
        "Stage": stage,
        "RequestType": kind,
        "AccessPackage": {"Id": package},
        "Assignment": {"Target": subject},
        "Requestor": subject,
    }
