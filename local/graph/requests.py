"""Assignment requests: giving and taking packages, and resuming what waits for an extension.

A request is refused when its subject holds a package, or is a member of a group, that the wanted
package names as incompatible. That is how one sees that the tenant now says no.
"""

from datetime import UTC, datetime
from typing import Literal
from uuid import uuid4

import msgspec
from msgspec import UNSET, UnsetType

from local.graph.authorization import Right
from local.graph.call import Call
from local.graph.errors import GraphError, bad_request, forbidden, not_found
from local.graph.exchange import Answer
from local.graph.index import is_active
from local.graph.odata import refuse_query
from local.graph.tenant import (
    AccessPackage,
    Assignment,
    AssignmentRequest,
    Subject,
    properties,
    property_names,
)

REQUEST_PROPERTIES = property_names(
    AssignmentRequest,
    without=frozenset({"accessPackageId", "targetId", "stage", "stageInstanceId"}),
)
STAGE_TYPE = "microsoft.graph.accessPackageCustomExtensionStage."
CONTEXT = "identityGovernance/entitlementManagement/assignmentRequests/$entity"


class Wire(msgspec.Struct, kw_only=True, rename="camel", forbid_unknown_fields=True):
    pass


class RequestedTarget(Wire):
    object_id: str


class RequestedAssignment(Wire):
    # an object id, despite its name
    target_id: str | UnsetType = UNSET
    target: RequestedTarget | UnsetType = UNSET
    assignment_policy_id: str | UnsetType = UNSET
    access_package_id: str | UnsetType = UNSET
    # of the assignment that adminRemove takes away
    id: str | UnsetType = UNSET


class RequestBody(Wire):
    request_type: Literal["adminAdd", "adminRemove"]
    assignment: RequestedAssignment
    justification: str | None = None


class ResumeData(msgspec.Struct, kw_only=True, rename="camel", forbid_unknown_fields=True):
    stage: str
    custom_extension_stage_instance_id: str
    custom_extension_stage_instance_detail: str | None = None
    state: Literal["denied", "canceled"] | None = None
    odata_type: str = msgspec.field(name="@odata.type")


class ResumeBody(Wire):
    source: str
    type: str
    data: ResumeData


def create_request(call: Call) -> Answer:
    refuse_query(call.request.query)
    body = call.body(RequestBody)
    if body.request_type == "adminRemove":
        request = _taken(call, body.assignment)
    else:
        request = _given(call, body.assignment)
    call.simulator.tenant.assignment_requests.append(request)
    return Answer(status=201, body=_rendered(call, request))


def get_request(call: Call) -> Answer:
    refuse_query(call.request.query)
    return Answer(body=_rendered(call, _request(call, Right.READ)))


def resume(call: Call) -> Answer:
    """The answer of a custom extension to the request that waits for it."""
    refuse_query(call.request.query)
    request = _request(call, Right.ASSIGN)
    data = _matching_data(call.body(ResumeBody), request)
    request.stage = request.stage_instance_id = None
    request.state = data.state or "delivered"
    request.status = "Denied" if data.state == "denied" else "Fulfilled"
    if data.state is None:
        _deliver(call, request, policy_id=None)
    return Answer(status=204)


def _given(call: Call, wanted: RequestedAssignment) -> AssignmentRequest:
    if not isinstance(wanted.access_package_id, str):
        raise bad_request("The assignment must name its accessPackageId.")
    package = call.package(wanted.access_package_id, Right.ASSIGN)
    subject = _subject(call, wanted)
    policy_id = _policy_id(package, wanted)
    _refuse_incompatible(call, package, subject)
    request = _new_request(call, "adminAdd", package_id=package.id, target_id=subject.id)
    _deliver(call, request, policy_id=policy_id)
    return request


def _taken(call: Call, wanted: RequestedAssignment) -> AssignmentRequest:
    held = [item for item in call.simulator.tenant.assignments if item.id == wanted.id]
    if not held:
        raise forbidden() if not call.grants.tenant_wide else not_found("No such assignment.")
    package = call.package(held[0].access_package_id, Right.ASSIGN)
    held[0].state, held[0].status = "expired", "Expired"
    # An assignment with a null target can be taken away, too.
    target_id = held[0].target_id or ""
    return _new_request(call, "adminRemove", package_id=package.id, target_id=target_id)


def _subject(call: Call, wanted: RequestedAssignment) -> Subject:
    named = wanted.target.object_id if wanted.target is not UNSET else wanted.target_id
    subject = call.index.subjects_by_object.get(str(named).lower())
    if subject is None:
        raise bad_request("The assignment names no subject of this tenant.", code="InvalidTarget")
    return subject


def _policy_id(package: AccessPackage, wanted: RequestedAssignment) -> str:
    known = {policy.id.lower() for policy in package.assignment_policies}
    policy_id = str(wanted.assignment_policy_id).lower()
    if policy_id not in known:
        raise bad_request("The assignment names no policy of this access package.")
    return policy_id


def _refuse_incompatible(call: Call, package: AccessPackage, subject: Subject) -> None:
    """Only references on the wanted package count: they have a direction."""
    for reference in package.incompatible_access_packages:
        if subject.id.lower() in call.index.targets_of(reference.id):
            raise _incompatible(f"the access package '{reference.id}'")
    for reference in package.incompatible_groups:
        group = call.index.groups.get(reference.id.lower())
        if group and str(subject.object_id).lower() in {one.lower() for one in group.members}:
            raise _incompatible(f"the group '{reference.id}'")
    if any(
        item.target_id == subject.id and is_active(item)
        for item in call.index.assignments_of(package.id)
    ):
        raise bad_request("The subject already has this access package.", code="ExistingGrant")


def _incompatible(what: str) -> GraphError:
    return bad_request(
        f"The target is not eligible: it is incompatible with {what}.", code="IncompatibleAccess"
    )


def _new_request(
    call: Call, request_type: str, *, package_id: str, target_id: str
) -> AssignmentRequest:
    created = datetime.fromtimestamp(call.simulator.clock(), UTC)
    return AssignmentRequest(
        id=str(uuid4()),
        request_type=request_type,
        state="submitted",
        status="Accepted",
        access_package_id=package_id,
        target_id=target_id,
        created_date_time=created.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )


def _deliver(call: Call, request: AssignmentRequest, *, policy_id: str | None) -> None:
    assignment = Assignment(
        id=str(uuid4()),
        access_package_id=request.access_package_id,
        target_id=request.target_id,
        assignment_policy_id=policy_id,
        status="Delivered",
    )
    call.simulator.tenant.assignments.append(assignment)
    call.index.add_assignment(assignment)


def _request(call: Call, right: Right) -> AssignmentRequest:
    found = [
        request
        for request in call.simulator.tenant.assignment_requests
        if request.id.lower() == call.ids[0].lower()
    ]
    if not found:
        raise not_found("No such request.") if right in call.grants.tenant_wide else forbidden()
    call.package(found[0].access_package_id, right)
    return found[0]


def _matching_data(body: ResumeBody, request: AssignmentRequest) -> ResumeData:
    data = body.data
    stage = (request.stage or "").lower()
    fits = (
        stage != ""
        and data.stage.lower() == stage
        and body.type.lower() == f"{STAGE_TYPE}{stage}".lower()
        and data.custom_extension_stage_instance_id == request.stage_instance_id
    )
    if not fits:
        # Observed: a body for another stage or instance is refused without an explanation.
        raise bad_request("", code="UnknownError")
    return data


def _rendered(call: Call, request: AssignmentRequest) -> dict[str, object]:
    return {"@odata.context": call.context(CONTEXT)} | properties(request, REQUEST_PROPERTIES)
