from typing import Any

import pytest
from starlette.applications import Starlette

from local.graph.authorization import (
    ACCESS_PACKAGE_MANAGER,
    CATALOG_READER,
    CATALOG_SCOPE,
    Right,
    grants_of,
)
from local.graph.demo import (
    APP_PRINCIPAL_ID,
    APPROVE_INVOICES,
    FINANCE,
    GROUP_EXTERNAL_AUDITORS,
    HELPDESK_PRINCIPAL_ID,
    MAINTAIN_VENDORS,
    PAY_INVOICES,
    TREASURY,
)
from local.graph.demo_people import make_id
from local.graph.tenant import Identity, RoleAssignment
from tests.local.graph.caller import Caller, assignments_of, error_code

ROLES = "/v1.0/roleManagement/entitlementManagement"


@pytest.mark.parametrize(
    ("client_id", "read", "write"),
    [
        ("powerless-client", 403, 403),
        ("reader-client", 200, 403),
        ("auditor-client", 200, 403),
        ("owner-client", 200, 204),
        ("admin-client", 200, 204),
        ("rooted-client", 403, 403),
    ],
)
async def test_roles_and_permissions_decide(
    app: Starlette, client_id: str, read: int, write: int
) -> None:
    """Reading takes a read role or permission, references take a manager, owner or ReadWrite."""
    caller = Caller(app, client_id)
    for path in (assignments_of(PAY_INVOICES), f"accessPackages/{PAY_INVOICES}"):
        assert (await caller.get(path)).status_code == read
    answer = await caller.add_group(PAY_INVOICES, GROUP_EXTERNAL_AUDITORS)
    assert answer.status_code == write


async def test_a_role_is_for_its_catalog_only(app: Starlette) -> None:
    """A reader of Finance may not read Procurement."""
    reader = Caller(app, "reader-client")
    assert (await reader.get(f"accessPackages/{MAINTAIN_VENDORS}")).status_code == 403


async def test_an_assignment_manager_writes_no_references(helpdesk: Caller) -> None:
    """The help desk reads packages and assigns them, but does not say what is incompatible."""
    assert (await helpdesk.get(f"accessPackages/{PAY_INVOICES}")).status_code == 200
    assert (await helpdesk.add_package(PAY_INVOICES, APPROVE_INVOICES)).status_code == 403
    path = f"accessPackages/{PAY_INVOICES}/incompatibleAccessPackages/{APPROVE_INVOICES}/$ref"
    assert (await helpdesk.delete(path)).status_code == 403


async def test_the_refusal_has_the_observed_words(app: Starlette) -> None:
    """A refused application reads about users, as in the wild."""
    answer = await Caller(app, "powerless-client").get("accessPackages")
    error = answer.json()["error"]
    assert error["code"] == "UnAuthorized"
    assert error["message"].startswith("User is not authorized to perform the operation.")
    assert error["innerError"].keys() == {"date", "request-id", "client-request-id"}


async def test_a_role_at_the_root_counts_only_when_told(app: Starlette) -> None:
    """Whether `/` reaches every catalog is not documented, so that it is a behaviour."""
    rooted = Caller(app, "rooted-client")
    rooted.behaviour.root_scope_counts = True
    assert (await rooted.add_group(PAY_INVOICES, GROUP_EXTERNAL_AUDITORS)).status_code == 204


def test_a_role_is_given_to_the_service_principal() -> None:
    """A role assignment that names the client id instead of the principal gives nothing."""
    identity = Identity(client_id="client", principal_id="principal", display_name="app")
    given = [
        RoleAssignment(
            principal_id=principal,
            role_definition_id=ACCESS_PACKAGE_MANAGER,
            app_scope_id=f"{CATALOG_SCOPE}{FINANCE}",
        )
        for principal in ("client", "principal")
    ]
    for roles, holds in ((given[:1], False), (given, True)):
        grants = grants_of(identity, roles, root_scope_counts=False)
        assert grants.holds(Right.MANAGE, FINANCE.upper()) is holds


async def test_role_assignments_are_listed_by_catalog(graph: Caller) -> None:
    """The documented filter by catalog finds its role assignments with their principals."""
    path = (
        f"{ROLES}/roleAssignments?$filter=appScopeId eq '{CATALOG_SCOPE}{FINANCE}'"
        "&$expand=principal"
    )
    listed = (await graph.send("GET", path)).json()["value"]
    own = [item for item in listed if item["principalId"] == APP_PRINCIPAL_ID]
    assert [item["principal"]["@odata.type"] for item in own] == [
        "#microsoft.graph.servicePrincipal"
    ]
    assert {item["appScopeId"] for item in listed} == {f"{CATALOG_SCOPE}{FINANCE}"}


async def test_a_new_role_works_at_once_and_until_it_is_taken(admin: Caller, graph: Caller) -> None:
    """Catalog roles are not in the token: giving and taking one needs no new token."""
    body = {
        "principalId": APP_PRINCIPAL_ID,
        "roleDefinitionId": CATALOG_READER,
        "appScopeId": f"{CATALOG_SCOPE}{TREASURY}",
    }
    created = await admin.send("POST", f"{ROLES}/roleAssignments", body=body)
    assert created.status_code == 201
    assert created.json().items() >= body.items()
    assert len(await graph.ids("catalogs")) == 3
    removed = await admin.send("DELETE", f"{ROLES}/roleAssignments/{created.json()['id']}")
    assert removed.status_code == 204
    assert len(await graph.ids("catalogs")) == 2


async def test_roles_are_given_by_owners_only(graph: Caller, app: Starlette) -> None:
    """A manager may not give roles; an owner may, on the own catalog."""
    body = {"principalId": HELPDESK_PRINCIPAL_ID, "roleDefinitionId": CATALOG_READER}
    finance = body | {"appScopeId": f"{CATALOG_SCOPE}{FINANCE}"}
    treasury = body | {"appScopeId": f"{CATALOG_SCOPE}{TREASURY}"}
    owner = Caller(app, "owner-client")
    path = f"{ROLES}/roleAssignments"
    assert (await graph.send("POST", path, body=finance)).status_code == 403
    assert (await owner.send("POST", path, body=treasury)).status_code == 403
    assert (await owner.send("POST", path, body=finance)).status_code == 201


async def test_role_definitions_are_listed_to_those_with_a_role(
    graph: Caller, app: Starlette
) -> None:
    """Five built-in roles are listed, and not to an identity that has none."""
    listed = (await graph.send("GET", f"{ROLES}/roleDefinitions")).json()["value"]
    assert len(listed) == 5
    refused = await Caller(app, "powerless-client").send("GET", f"{ROLES}/roleDefinitions")
    assert error_code(refused) == "UnAuthorized"


@pytest.mark.parametrize("status", [400, 404])
async def test_a_role_is_given_to_whom_the_tenant_knows(admin: Caller, status: Any) -> None:
    """An unknown principal is refused, by one of two statuses, until it is known."""
    admin.behaviour.unknown_principal = status
    body = {
        "principalId": make_id("late"),
        "roleDefinitionId": CATALOG_READER,
        "appScopeId": f"{CATALOG_SCOPE}{FINANCE}",
    }
    refused = await admin.send("POST", f"{ROLES}/roleAssignments", body=body)
    assert refused.status_code == status
    tenant = admin.simulator.tenant
    late = Identity(client_id="late", principal_id=body["principalId"], display_name="late")
    tenant.identities.append(late)
    admin.simulator.replace_tenant(tenant)
    created = await admin.send("POST", f"{ROLES}/roleAssignments", body=body)
    assert created.status_code == 201


@pytest.mark.parametrize(("duplicate", "status"), [("bad-request", 400), ("conflict", 409)])
async def test_a_role_given_twice_is_kept_once(admin: Caller, duplicate: Any, status: int) -> None:
    """Whatever the second answer is, there is one assignment."""
    admin.behaviour.duplicate_role = duplicate
    body = {
        "principalId": APP_PRINCIPAL_ID,
        "roleDefinitionId": CATALOG_READER,
        "appScopeId": f"{CATALOG_SCOPE}{TREASURY}",
    }
    answers = [await admin.send("POST", f"{ROLES}/roleAssignments", body=body) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, status]
    given = admin.simulator.tenant.role_assignments
    assert [each.app_scope_id for each in given].count(body["appScopeId"]) == 1


async def test_a_tenant_without_a_licence_refuses_with_a_code_of_its_own(
    graph: Caller, admin: Caller
) -> None:
    """403 for everybody, whatever the role, and told apart from a missing role by its code."""
    graph.behaviour.licensed = False
    for caller in (graph, admin):
        answer = await caller.get("accessPackages")
        assert (answer.status_code, error_code(answer)) == (403, "NoLicense")
