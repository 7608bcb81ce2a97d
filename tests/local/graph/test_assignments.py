import pytest

from local.graph.demo import (
    APPROVE_INVOICES,
    PAY_INVOICES,
    RECEIVE_GOODS,
    RELEASE_PAYMENTS,
    object_id,
    policy_id,
)
from tests.local.graph.caller import Caller, assignments_of, error_code


async def test_expired_assignments_are_listed_unless_filtered(graph: Caller) -> None:
    """The list of a package holds what has expired; a state filter leaves it out."""
    everything = await graph.value(assignments_of(APPROVE_INVOICES))
    delivered = await graph.value(assignments_of(APPROVE_INVOICES, "state eq 'Delivered'"))
    states = [item["state"] for item in everything]
    assert states.count("expired") == 5
    assert len(delivered) == states.count("delivered") == 26


async def test_a_caller_with_catalog_roles_must_name_the_package(
    graph: Caller, auditor: Caller
) -> None:
    """Only a tenant-wide reader may list assignments without a filter by package."""
    for path in ("assignments", "assignments?$filter=state eq 'delivered'"):
        refused = await graph.get(path)
        assert (refused.status_code, error_code(refused)) == (403, "UnAuthorized")
        assert await auditor.value(path)


async def test_a_package_of_another_catalog_is_forbidden(graph: Caller) -> None:
    """Naming a package does not help where the caller has no role on its catalog."""
    assert (await graph.get(assignments_of(RELEASE_PAYMENTS))).status_code == 403


@pytest.mark.parametrize("path", ["target/objectId", "target/objectid", "Target/ObjectId"])
async def test_one_person_is_found_by_object_id(graph: Caller, path: str) -> None:
    """The path of a filter is read without regard to case."""
    clause = f"{path} eq '{object_id(35).upper()}'"
    found = await graph.value(assignments_of(PAY_INVOICES, clause, options="&$expand=target"))
    assert [item["target"]["objectId"] for item in found] == [object_id(35)]


async def test_the_policy_can_be_filtered(graph: Caller) -> None:
    """Assignments of another package's policy do not match."""
    clause = "assignmentPolicy/id eq '{}'"
    own = await graph.ids(assignments_of(PAY_INVOICES, clause.format(policy_id(PAY_INVOICES))))
    other = await graph.ids(assignments_of(PAY_INVOICES, clause.format(policy_id(RECEIVE_GOODS))))
    assert len(own) == 43
    assert other == []


async def test_a_delivering_target_has_no_object_id_yet(graph: Caller) -> None:
    """While an assignment is delivering its target may be null, all but the subject's id."""
    path = assignments_of(
        APPROVE_INVOICES, "state eq 'delivering'", options="&$expand=target($select=id,objectId)"
    )
    [hidden] = await graph.value(path)
    assert hidden["target"]["objectId"] is None
    graph.behaviour.null_target_fields = False
    [shown] = await graph.value(path)
    assert shown["target"] == {"id": hidden["target"]["id"], "objectId": object_id(126)}


async def test_package_and_policy_are_expanded(graph: Caller) -> None:
    """An assignment shows its package and policy when asked."""
    path = assignments_of(PAY_INVOICES, options="&$expand=accessPackage,assignmentPolicy&$top=1")
    item = (await graph.get(path)).json()["value"][0]
    assert item["accessPackage"]["id"] == PAY_INVOICES
    assert item["assignmentPolicy"]["displayName"] == "Employees"


@pytest.mark.parametrize(
    "query",
    [
        "$filter=state eq 'held'",
        "$filter=state ne 'expired'",
        "$filter=targetId eq 'x'",
        "$filter=target/id eq 'x'",
        "$filter=target/displayName eq 'x'",
        "$filter=contains(target/displayName,'x')",
        "$expand=targets",
        "$expand=target,",
        "$orderby=state",
        "$skip=5",
        "$select=target/id",
        "$skiptoken=abc",
    ],
)
async def test_what_is_not_documented_is_refused(auditor: Caller, query: str) -> None:
    """Filters, expansions and options that Graph does not document are bad requests."""
    assert (await auditor.get(f"assignments?{query}")).status_code == 400
