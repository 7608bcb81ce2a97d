"""Who holds a package in the odd tenant: no target, ghosts, agents, odd states and schedules."""

from typing import Any
from urllib.parse import quote

import pytest

from local.graph.demo_people import make_id
from local.graph.odd import SCHEDULES, STATES, assignment_id, object_id, odd_tenant, subject_id
from local.graph.odd_packages import (
    COUNTERPART,
    WITH_GHOSTS,
    WITH_NULL_TARGET,
    WITH_SCHEDULES,
    WITH_STATES,
    WITH_SUBJECT_KINDS,
    WITH_TWO_POLICIES,
    policy_id,
)
from tests.local.graph.caller import EM, Caller, additional_access, assignments_of, error_code
from tests.local.graph.contract import Description

TARGET = "&$expand=target"
ASSIGNMENTS = "/identityGovernance/entitlementManagement/assignments"


async def held(graph: Caller, package_id: str, *clauses: str) -> list[Any]:
    return await graph.value(assignments_of(package_id, *clauses, options=TARGET))


def test_the_odd_tenant_is_the_same_every_time() -> None:
    """Two runs make the same oddities with the same ids."""
    assert odd_tenant() == odd_tenant()


async def test_a_target_may_be_null(odd_graph: Caller) -> None:
    """The assignment is listed with a null target, beside one that is whole."""
    whole, null = await held(odd_graph, WITH_NULL_TARGET)
    assert whole["target"]["objectId"] == object_id("ordinary")
    assert null["target"] is None
    assert null["id"] == assignment_id(WITH_NULL_TARGET, "null")


@pytest.mark.parametrize("text", ["", "none", "null"])
async def test_no_object_id_finds_a_null_target(odd_graph: Caller, text: str) -> None:
    """Neither a filter by object id nor a search for holders of two packages finds it."""
    assert await held(odd_graph, WITH_NULL_TARGET, f"target/objectId eq '{text}'") == []
    both = await odd_graph.ids(additional_access(WITH_NULL_TARGET, COUNTERPART))
    assert both == [assignment_id(WITH_NULL_TARGET, "ordinary")]
    odd_graph.behaviour.additional_access_states = "all"
    assert await odd_graph.ids(additional_access(WITH_NULL_TARGET, COUNTERPART)) == both
    second = await odd_graph.ids(additional_access(COUNTERPART, WITH_NULL_TARGET))
    assert second == [assignment_id(COUNTERPART, "ordinary")]


async def test_an_assignment_with_a_null_target_can_be_taken_away(odd_graph: Caller) -> None:
    """An adminRemove names the assignment, so it needs no target."""
    taken = assignment_id(WITH_NULL_TARGET, "null")
    body = {"requestType": "adminRemove", "assignment": {"id": taken}}
    assert (await odd_graph.post("assignmentRequests", body)).status_code == 201
    states = {each["id"]: each["state"] for each in await held(odd_graph, WITH_NULL_TARGET)}
    assert states[taken] == "expired"


async def test_a_deleted_person_is_still_a_target(odd_graph: Caller) -> None:
    """The assignment of a deleted person has the whole subject; another knows only its id."""
    deleted, forgotten = [item["target"] for item in await held(odd_graph, WITH_GHOSTS)]
    assert deleted["objectId"] == object_id("deleted")
    assert deleted["displayName"]
    assert forgotten == {"id": subject_id("forgotten")}
    both = await odd_graph.ids(additional_access(WITH_GHOSTS, COUNTERPART))
    assert len(both) == 2


@pytest.mark.parametrize("ghost", ["deleted", "forgotten"])
async def test_nothing_but_assignments_finds_a_ghost(odd_graph: Caller, ghost: str) -> None:
    """A deleted person is no subject any more, by either key, and can be given nothing."""
    for key in (f"subjects/{subject_id(ghost)}", f"subjects(objectId='{object_id(ghost)}')"):
        answer = await odd_graph.get(key)
        assert (answer.status_code, error_code(answer)) == (404, "ResourceNotFound")
    wanted = {
        "targetId": object_id(ghost),
        "accessPackageId": WITH_STATES,
        "assignmentPolicyId": policy_id(WITH_STATES),
    }
    body = {"requestType": "adminAdd", "assignment": wanted}
    assert error_code(await odd_graph.post("assignmentRequests", body)) == "InvalidTarget"


async def test_holders_need_not_be_people(odd_graph: Caller) -> None:
    """Guests and agents may have no object id, and the type tells what a subject is."""
    targets = [item["target"] for item in await held(odd_graph, WITH_SUBJECT_KINDS)]
    assert {each["id"]: (each["subjectType"], each["objectId"]) for each in targets} == {
        subject_id("guest"): ("user", None),
        subject_id("service principal"): ("servicePrincipal", object_id("service principal")),
        subject_id("agent"): ("servicePrincipal", None),
        subject_id("future agent"): ("unknownFutureValue", object_id("future agent")),
    }


async def test_one_person_may_hold_a_package_twice(odd_graph: Caller) -> None:
    """Both assignments are live, each under a policy of its own, and both are holders of a pair."""
    path = assignments_of(WITH_TWO_POLICIES, options="&$expand=target,assignmentPolicy")
    found = await odd_graph.value(path)
    assert [item["state"] for item in found] == ["delivered", "delivered"]
    assert {item["target"]["id"] for item in found} == {subject_id("twice")}
    assert [item["assignmentPolicy"]["id"] for item in found] == [
        policy_id(WITH_TWO_POLICIES, 1),
        policy_id(WITH_TWO_POLICIES, 2),
    ]
    assert len(await odd_graph.ids(additional_access(WITH_TWO_POLICIES, COUNTERPART))) == 2
    assert len(await odd_graph.ids(additional_access(COUNTERPART, WITH_TWO_POLICIES))) == 1


async def test_every_state_is_shown_as_it_is(odd_graph: Caller) -> None:
    """The documented states, the one that stands for the future, and one of the future."""
    assert [item["state"] for item in await held(odd_graph, WITH_STATES)] == list(STATES)


async def test_a_state_of_the_future_is_access(odd_graph: Caller) -> None:
    """Only expired and failed assignments are no access; additionalAccess leaves these two out."""
    both = await odd_graph.value(additional_access(WITH_STATES, COUNTERPART))
    assert [item["state"] for item in both] == [
        "delivering",
        "partiallyDelivered",
        "delivered",
        "unknownFutureValue",
        "brandNew",
    ]


async def test_a_filter_takes_documented_states_only(odd_graph: Caller) -> None:
    """The documented unknownFutureValue is taken; a state of the future is a bad request."""
    known = await odd_graph.value(
        assignments_of(WITH_STATES, "state eq 'unknownFutureValue'", options=TARGET)
    )
    assert [item["target"]["id"] for item in known] == [subject_id("state unknownFutureValue")]
    refused = await odd_graph.get(f"assignments?$filter={quote("state eq 'brandNew'")}")
    assert refused.status_code == 400


async def test_schedules_are_shown_as_they_are(odd_graph: Caller) -> None:
    """Year 1, year 9999, durations, no expiration, and none at all."""
    shown = {
        item["target"]["id"]: item["schedule"] for item in await held(odd_graph, WITH_SCHEDULES)
    }
    assert shown == {subject_id(f"schedule {name}"): each for name, each in SCHEDULES.items()}


@pytest.mark.parametrize(
    "package_id",
    [
        COUNTERPART,
        WITH_NULL_TARGET,
        WITH_GHOSTS,
        WITH_SUBJECT_KINDS,
        WITH_TWO_POLICIES,
        WITH_SCHEDULES,
    ],
)
async def test_odd_holders_fit_the_description(
    odd_graph: Caller, description: Description, package_id: str
) -> None:
    """As odd as they are, these answers have the described types and values."""
    options = "&$expand=target,accessPackage,assignmentPolicy"
    body = (await odd_graph.get(assignments_of(package_id, options=options))).json()
    assert body["value"]
    assert description.faults(description.answer(ASSIGNMENTS), body) == []


async def test_only_the_state_of_the_future_is_undescribed(
    odd_graph: Caller, description: Description
) -> None:
    """Every other state is a described value."""
    body = (await odd_graph.get(assignments_of(WITH_STATES))).json()
    [fault] = description.faults(description.answer(ASSIGNMENTS), body)
    assert "brandNew" in fault


async def test_a_subject_has_an_alternate_key(odd_graph: Caller) -> None:
    """The object id finds a subject that has one, in either case, with the selected properties."""
    key = f"subjects(objectId='{object_id('service principal').upper()}')"
    answer = await odd_graph.get(f"{key}?$select=id,subjectType")
    assert answer.status_code == 200
    found = {name: value for name, value in answer.json().items() if not name.startswith("@")}
    assert found == {"id": subject_id("service principal"), "subjectType": "servicePrincipal"}


@pytest.mark.parametrize(
    ("key", "status"),
    [
        (f"subjects(objectId='{make_id('unknown')}')", 404),
        (f"subjects(objectId='{subject_id('ordinary')}')", 404),
        (f"subjects(objectId={object_id('ordinary')})", 400),
        ("subjects(objectId='ordinary')", 400),
        (f"subjects(id='{subject_id('ordinary')}')", 400),
        (f"subjects(objectId='{object_id('ordinary')}')?$expand=connectedOrganization", 400),
    ],
)
async def test_the_alternate_key_is_strict(odd_graph: Caller, key: str, status: int) -> None:
    """An unknown object id is not found; another key or a malformed one is a bad request."""
    assert (await odd_graph.get(key)).status_code == status


async def test_the_alternate_key_needs_a_right_on_a_catalog(odd_graph: Caller) -> None:
    """A caller without any right in entitlement management is refused, known subject or not."""
    odd_graph.client_id = "directory-client"
    for name in ("ordinary", "unknown"):
        path = f"{EM}/subjects(objectId='{object_id(name)}')"
        assert (await odd_graph.send("GET", path)).status_code == 403
