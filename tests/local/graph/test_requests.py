import pytest

from local.graph import Simulator
from local.graph.demo import (
    APPROVE_INVOICES,
    GROUP_EXTERNAL_AUDITORS,
    PAY_INVOICES,
    RELEASE_PAYMENTS,
    WAITING_REQUEST,
    WAITING_STAGE_INSTANCE,
    object_id,
    policy_id,
)
from tests.local.graph.caller import Caller, assignments_of, error_code

# by number: one who pays and does not approve, one who approves and does not pay, and an auditor
PAYER, APPROVER, AUDITOR = 3, 55, 237
STAGE = "assignmentRequestCreated"


def request(person: int, package_id: str) -> dict[str, object]:
    return {
        "requestType": "adminAdd",
        "assignment": {
            "targetId": object_id(person),
            "assignmentPolicyId": policy_id(package_id),
            "accessPackageId": package_id,
        },
    }


def answer_of_extension(**data: object) -> dict[str, object]:
    return {
        "source": "Contoso.SodCheck",
        "type": f"microsoft.graph.accessPackageCustomExtensionStage.{STAGE}",
        "data": {
            "@odata.type": "microsoft.graph.accessPackageAssignmentRequestCallbackData",
            "stage": STAGE,
            "customExtensionStageInstanceId": WAITING_STAGE_INSTANCE,
            "customExtensionStageInstanceDetail": "No conflict found",
            **data,
        },
    }


async def test_a_package_is_given(helpdesk: Caller) -> None:
    """An assignment manager gives a package, and the person holds it then."""
    answer = await helpdesk.post("assignmentRequests", request(APPROVER, PAY_INVOICES))
    assert answer.status_code == 201
    assert answer.json()["state"] == "submitted"
    clause = f"target/objectId eq '{object_id(APPROVER)}'"
    assert len(await helpdesk.ids(assignments_of(PAY_INVOICES, clause))) == 1


async def test_a_target_may_be_named_as_an_object(helpdesk: Caller) -> None:
    """The subject can be given by target.objectId in the place of targetId."""
    body = request(APPROVER, PAY_INVOICES)
    body["assignment"] = {
        "target": {"objectId": object_id(APPROVER)},
        "assignmentPolicyId": policy_id(PAY_INVOICES),
        "accessPackageId": PAY_INVOICES,
    }
    assert (await helpdesk.post("assignmentRequests", body)).status_code == 201


async def test_an_incompatible_package_stops_one_direction(graph: Caller, helpdesk: Caller) -> None:
    """A reference on A stops holders of B from getting A, and holders of A get B as before."""
    await graph.add_package(PAY_INVOICES, APPROVE_INVOICES)
    refused = await helpdesk.post("assignmentRequests", request(APPROVER, PAY_INVOICES))
    allowed = await helpdesk.post("assignmentRequests", request(PAYER, APPROVE_INVOICES))
    assert (refused.status_code, allowed.status_code) == (400, 201)
    assert error_code(refused) == "IncompatibleAccess"


async def test_a_member_of_an_incompatible_group_is_refused(
    graph: Caller, helpdesk: Caller
) -> None:
    """A reference to a group stops its members, and lets others pass."""
    await graph.add_group(APPROVE_INVOICES, GROUP_EXTERNAL_AUDITORS)
    refused = await helpdesk.post("assignmentRequests", request(AUDITOR, APPROVE_INVOICES))
    allowed = await helpdesk.post("assignmentRequests", request(PAYER, APPROVE_INVOICES))
    assert (refused.status_code, allowed.status_code) == (400, 201)


async def test_those_who_hold_both_keep_both(graph: Caller) -> None:
    """A new reference removes no assignment."""
    before = await graph.ids(assignments_of(PAY_INVOICES, "state eq 'delivered'"))
    await graph.add_package(PAY_INVOICES, APPROVE_INVOICES)
    assert await graph.ids(assignments_of(PAY_INVOICES, "state eq 'delivered'")) == before


async def test_an_expired_assignment_stops_no_request(graph: Caller, helpdesk: Caller) -> None:
    """Who held the incompatible package once may get the other one now."""
    await graph.add_package(APPROVE_INVOICES, PAY_INVOICES)
    clause = f"target/objectId eq '{object_id(PAYER)}'"
    [held] = await helpdesk.ids(assignments_of(PAY_INVOICES, clause))
    body = {"requestType": "adminRemove", "assignment": {"id": held}}
    assert (await helpdesk.post("assignmentRequests", body)).status_code == 201
    answer = await helpdesk.post("assignmentRequests", request(PAYER, APPROVE_INVOICES))
    assert answer.status_code == 201


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"targetId": "unknown"}, 400),
        ({"assignmentPolicyId": policy_id(APPROVE_INVOICES)}, 400),
        ({"targetId": object_id(PAYER)}, 400),
        ({"accessPackageId": RELEASE_PAYMENTS}, 403),
        ({"policy": "x"}, 400),
    ],
)
async def test_a_wrong_request_is_refused(
    helpdesk: Caller, change: dict[str, str], status: int
) -> None:
    """Subject, policy, package and shape must fit, and a subject gets a package only once."""
    body = request(APPROVER, PAY_INVOICES)
    assignment = body["assignment"]
    assert isinstance(assignment, dict)
    body["assignment"] = assignment | change
    assert (await helpdesk.post("assignmentRequests", body)).status_code == status


@pytest.mark.parametrize(
    ("data", "state", "held"), [({}, "delivered", 2), ({"state": "denied"}, "denied", 1)]
)
async def test_a_waiting_request_is_resumed(
    helpdesk: Caller, data: dict[str, str], state: str, held: int
) -> None:
    """The extension's answer lets the request go on or ends it, once."""
    path = f"assignmentRequests/{WAITING_REQUEST}"
    body = answer_of_extension(**data)
    assert (await helpdesk.post(f"{path}/resume", body)).status_code == 204
    assert (await helpdesk.get(path)).json()["state"] == state
    assert packages_of_waiting(helpdesk.simulator) == held
    assert (await helpdesk.post(f"{path}/resume", body)).status_code == 400


@pytest.mark.parametrize(
    "data",
    [
        {"stage": "assignmentRequestApproved"},
        {"customExtensionStageInstanceId": "another"},
        {"state": "approved"},
    ],
)
async def test_an_answer_to_something_else_is_refused(
    helpdesk: Caller, data: dict[str, str]
) -> None:
    """Stage, instance and state must be those of the callout."""
    path = f"assignmentRequests/{WAITING_REQUEST}/resume"
    assert (await helpdesk.post(path, answer_of_extension(**data))).status_code == 400


async def test_resuming_takes_the_right_to_assign(auditor: Caller, graph: Caller) -> None:
    """A reader may not answer for the extension, and an unknown request is not revealed."""
    known = f"assignmentRequests/{WAITING_REQUEST}/resume"
    unknown = known.replace(WAITING_REQUEST, object_id(0))
    assert (await auditor.post(known, answer_of_extension())).status_code == 403
    assert (await graph.post(unknown, answer_of_extension())).status_code == 403


def packages_of_waiting(simulator: Simulator) -> int:
    """How many of paying and approving the person of the waiting request holds."""
    [waiting] = [one for one in simulator.tenant.assignment_requests if one.id == WAITING_REQUEST]
    return sum(
        waiting.target_id in simulator.index.targets_of(package_id)
        for package_id in (PAY_INVOICES, APPROVE_INVOICES)
    )
