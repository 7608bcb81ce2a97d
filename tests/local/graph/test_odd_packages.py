"""Packages of the odd tenant: what they grant, how they are named, and packages that move."""

import unicodedata
from typing import Any

import pytest

from local.graph import odd_packages as odd
from local.graph.odd import APP_PRINCIPAL_ID, object_id
from local.graph.odd_packages import NAMES, named
from tests.local.graph.caller import Caller, additional_access, assignments_of, error_code
from tests.local.graph.contract import Description

EM = "/identityGovernance/entitlementManagement"
PACKAGE = f"{EM}/accessPackages/{{accessPackage-id}}"
EXPANDED = "?$expand=resourceRoleScopes($expand=role,scope)"
GRANTED = {
    odd.GRANTS_PAYERS: [("AadGroup", f"Member_{odd.GROUP_PAYERS}", odd.GROUP_PAYERS)],
    odd.OVERRIDE: [
        ("AadGroup", f"Member_{odd.GROUP_PAYERS}", odd.GROUP_PAYERS),
        ("AadGroup", f"Member_{odd.GROUP_APPROVERS}", odd.GROUP_APPROVERS),
    ],
    odd.GRANTS_OWNER: [("AadGroup", f"Owner_{odd.GROUP_PAYERS}", odd.GROUP_PAYERS)],
    odd.GRANTS_ELIGIBLE_MEMBER: [
        ("AadGroup", f"EligibleMember_{odd.GROUP_PAYERS}", odd.GROUP_PAYERS)
    ],
    odd.GRANTS_ELIGIBLE_OWNER: [
        ("AadGroup", f"EligibleOwner_{odd.GROUP_PAYERS}", odd.GROUP_PAYERS)
    ],
    odd.GRANTS_TEAM: [("AadGroup", f"Member_{odd.GROUP_TEAM}", odd.GROUP_TEAM)],
    odd.GRANTS_NOTHING: [],
}
SYSTEMS = {
    odd.GRANTS_APP_ROLE: ("AadApplication", None),
    odd.GRANTS_SITE_ROLE: ("SharePointOnline", None),
    odd.GRANTS_DIRECTORY_ROLE: ("DirectoryRole", None),
    odd.GRANTS_AZURE_ROLE: ("AzureResources", "active"),
    odd.GRANTS_ELIGIBLE_AZURE_ROLE: ("AzureResources", "eligible"),
}


async def role_scopes(graph: Caller, package_id: str) -> list[Any]:
    answer = await graph.get(f"accessPackages/{package_id}{EXPANDED}")
    assert answer.status_code == 200
    found: list[Any] = answer.json()["resourceRoleScopes"]
    return found


async def move(graph: Caller, package_id: str, catalog_id: str) -> int:
    moves = {package_id: catalog_id}
    return (await graph.http.post("/__simulator/moves", json=moves)).status_code


@pytest.mark.parametrize("package_id", GRANTED)
async def test_packages_grant_roles_of_groups(odd_graph: Caller, package_id: str) -> None:
    """Members, owners and eligible ones, of security and Microsoft 365 groups, or nothing."""
    shown = [
        (each["role"]["originSystem"], each["role"]["originId"], each["scope"]["originId"])
        for each in await role_scopes(odd_graph, package_id)
    ]
    assert shown == GRANTED[package_id]


@pytest.mark.parametrize("package_id", SYSTEMS)
async def test_packages_grant_roles_of_other_systems(odd_graph: Caller, package_id: str) -> None:
    """Applications, sites, the directory and Azure; only Azure roles have a type."""
    [shown] = await role_scopes(odd_graph, package_id)
    assert (shown["role"]["originSystem"], shown["role"].get("type")) == SYSTEMS[package_id]
    assert shown["scope"]["originSystem"] == SYSTEMS[package_id][0]


@pytest.mark.parametrize("package_id", [*GRANTED, *SYSTEMS])
async def test_odd_grants_fit_the_description(
    odd_graph: Caller, description: Description, package_id: str
) -> None:
    """Every kind of role has the described properties."""
    body = (await odd_graph.get(f"accessPackages/{package_id}{EXPANDED}")).json()
    assert description.faults(description.answer(PACKAGE), body) == []


async def test_an_override_is_short(odd_graph: Caller) -> None:
    """The package that grants what two others grant has a policy of one day."""
    path = f"accessPackages/{odd.OVERRIDE}?$expand=assignmentPolicies"
    [policy] = (await odd_graph.get(path)).json()["assignmentPolicies"]
    assert policy["expiration"] == {
        "type": "afterDuration",
        "duration": "P1D",
        "endDateTime": None,
    }


async def test_a_microsoft_365_group_is_no_incompatible_group(odd_graph: Caller) -> None:
    """The directory shows its type, and a reference to it is refused."""
    assert (await odd_graph.add_group(odd.GRANTS_PAYERS, odd.GROUP_PAYERS)).status_code == 204
    refused = await odd_graph.add_group(odd.GRANTS_PAYERS, odd.GROUP_TEAM)
    assert (refused.status_code, error_code(refused)) == (400, "BadRequest")
    odd_graph.client_id = "directory-client"
    group = (await odd_graph.send("GET", f"/v1.0/groups/{odd.GROUP_TEAM}")).json()
    assert (group["groupTypes"], group["securityEnabled"]) == (["Unified"], False)


@pytest.mark.parametrize("oddity", NAMES)
async def test_names_arrive_as_they_are(
    odd_graph: Caller, description: Description, oddity: str
) -> None:
    """Marks, controls and length are all kept, in lists and alone, and are text to Graph."""
    body = (await odd_graph.get(f"accessPackages/{named(oddity)}")).json()
    assert body["displayName"] == NAMES[oddity]
    assert description.faults(description.answer(PACKAGE), body) == []
    listed = {each["id"]: each["displayName"] for each in await odd_graph.value("accessPackages")}
    assert listed[named(oddity)] == NAMES[oddity]


async def test_people_have_odd_names_too(odd_graph: Caller) -> None:
    """One holder for each name, as it is."""
    held = await odd_graph.value(assignments_of(odd.WITH_NAMES, options="&$expand=target"))
    assert [item["target"]["displayName"] for item in held] == list(NAMES.values())


async def test_a_catalog_has_a_decomposed_name(odd_graph: Caller) -> None:
    """The app may read it, and the package in it."""
    names = {each["id"]: each["displayName"] for each in await odd_graph.value("catalogs")}
    assert names == {odd.ODD: "Odd", odd.DECOMPOSED: unicodedata.normalize("NFD", "Prüfung")}
    [only] = await odd_graph.ids(f"accessPackages?$filter=catalog/id eq '{odd.DECOMPOSED}'")
    assert only == odd.IN_DECOMPOSED


def test_the_decomposed_name_looks_like_the_composed_one() -> None:
    """The two differ as strings, and are one in canonical form."""
    composed, decomposed = NAMES["composed"], NAMES["decomposed"]
    assert composed != decomposed
    assert composed == unicodedata.normalize("NFC", decomposed)
    assert len(NAMES["long"]) > 40_000


async def test_a_package_can_move_out_of_reach(odd_graph: Caller) -> None:
    """After the move the app may not read the package, its holders or its references."""
    gone = odd.GRANTS_PAYERS
    paths = [
        f"accessPackages/{gone}",
        assignments_of(gone),
        f"accessPackages/{gone}/incompatibleGroups",
        additional_access(odd.COUNTERPART, gone),
    ]
    assert [(await odd_graph.get(path)).status_code for path in paths] == [200] * 4
    await odd_graph.add_package(odd.GRANTS_APPROVERS, gone)
    assert await move(odd_graph, gone, odd.ELSEWHERE) == 200
    assert [(await odd_graph.get(path)).status_code for path in paths] == [403] * 4
    assert gone not in await odd_graph.ids("accessPackages")
    # what the other package refers to is still told
    path = f"accessPackages/{odd.GRANTS_APPROVERS}/incompatibleAccessPackages/$ref"
    [reference] = await odd_graph.value(path)
    assert reference.endswith(gone)


async def test_a_package_can_move_back(odd_graph: Caller) -> None:
    """It keeps its id, its holders and its references on the way, and a reset moves it back."""
    await odd_graph.add_package(odd.WITH_STATES, odd.COUNTERPART)
    before = await odd_graph.value(assignments_of(odd.WITH_STATES))
    await move(odd_graph, odd.WITH_STATES, odd.ELSEWHERE)
    await move(odd_graph, odd.WITH_STATES, odd.ODD)
    assert await odd_graph.value(assignments_of(odd.WITH_STATES)) == before
    assert await odd_graph.ids(f"accessPackages/{odd.WITH_STATES}/incompatibleAccessPackages")
    await move(odd_graph, odd.WITH_STATES, odd.ELSEWHERE)
    await odd_graph.http.post("/__simulator/reset")
    assert (await odd_graph.get(f"accessPackages/{odd.WITH_STATES}")).status_code == 200


@pytest.mark.parametrize(
    "moves", [{odd.WITH_STATES: "nowhere"}, {"nothing": odd.ODD}, [odd.WITH_STATES]]
)
async def test_a_wrong_move_moves_nothing(odd_graph: Caller, moves: object) -> None:
    """A package or a catalog that does not exist is told, and no other package is moved."""
    body = {odd.COUNTERPART: odd.ELSEWHERE} | moves if isinstance(moves, dict) else moves
    answer = await odd_graph.http.post("/__simulator/moves", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert (await odd_graph.get(f"accessPackages/{odd.COUNTERPART}")).status_code == 200


@pytest.mark.parametrize("path", ["accessPackages", "catalogs"])
async def test_an_app_without_a_role_reads_nothing(odd_graph: Caller, path: str) -> None:
    """Lists are refused, or empty where that behaviour is set; single packages stay refused."""
    await odd_graph.http.put("/__simulator/roles", json=[])
    refused = await odd_graph.get(path)
    assert (refused.status_code, error_code(refused)) == (403, "UnAuthorized")
    odd_graph.behaviour.lists_without_role = "empty"
    assert await odd_graph.value(path) == []
    for single in (f"accessPackages/{odd.COUNTERPART}", assignments_of(odd.COUNTERPART)):
        assert (await odd_graph.get(single)).status_code == 403


async def test_empty_lists_do_not_hide_what_may_be_read(odd_graph: Caller) -> None:
    """With a role on a catalog the behaviour changes nothing."""
    before = await odd_graph.ids("accessPackages")
    odd_graph.behaviour.lists_without_role = "empty"
    assert await odd_graph.ids("accessPackages") == before


async def test_a_licence_lapses(odd_graph: Caller) -> None:
    """Entitlement management is refused with a code of its own, roles and writes included."""
    odd_graph.behaviour.licensed = False
    answers = [
        await odd_graph.get("accessPackages"),
        await odd_graph.get(assignments_of(odd.COUNTERPART)),
        await odd_graph.get(f"subjects(objectId='{object_id('ordinary')}')"),
        await odd_graph.add_package(odd.COUNTERPART, odd.WITH_STATES),
        await odd_graph.send("GET", "/v1.0/roleManagement/entitlementManagement/roleAssignments"),
    ]
    assert {(each.status_code, error_code(each)) for each in answers} == {(403, "NoLicense")}
    odd_graph.behaviour.licensed = True
    assert (await odd_graph.get("accessPackages")).status_code == 200


async def test_rights_are_not_needed_to_learn_of_the_licence(odd_graph: Caller) -> None:
    """An app without a role is told of the licence first."""
    roles = odd_graph.simulator.tenant.role_assignments
    assert {each.principal_id for each in roles} == {APP_PRINCIPAL_ID}
    roles.clear()
    odd_graph.behaviour.licensed = False
    assert error_code(await odd_graph.get("accessPackages")) == "NoLicense"
