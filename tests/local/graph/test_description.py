"""Answers of the demo tenant, held against the OpenAPI description of Graph."""

import pytest

from local.graph.demo import (
    APPROVE_INVOICES,
    FINANCE,
    GROUP_EXTERNAL_AUDITORS,
    PAY_INVOICES,
    RELEASE_PAYMENTS,
)
from tests.local.graph.caller import Caller, additional_access, assignments_of
from tests.local.graph.contract import Description

EM = "/identityGovernance/entitlementManagement"
PACKAGE = f"{EM}/accessPackages/{{accessPackage-id}}"
ROLES = "/roleManagement/entitlementManagement"


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("accessPackages?$expand=catalog,assignmentPolicies", f"{EM}/accessPackages"),
        ("catalogs", f"{EM}/catalogs"),
        (
            f"accessPackages/{PAY_INVOICES}?$expand=resourceRoleScopes($expand=role,scope),catalog",
            PACKAGE,
        ),
        (
            assignments_of(
                APPROVE_INVOICES, options="&$expand=target,accessPackage,assignmentPolicy"
            ),
            f"{EM}/assignments",
        ),
        (additional_access(PAY_INVOICES, APPROVE_INVOICES, "?$expand=target"), "additionalAccess"),
        (f"accessPackages/{PAY_INVOICES}/incompatibleGroups", f"{PACKAGE}/incompatibleGroups"),
        (
            f"accessPackages/{PAY_INVOICES}/incompatibleGroups/$ref",
            f"{PACKAGE}/incompatibleGroups/$ref",
        ),
        (
            f"accessPackages/{PAY_INVOICES}/incompatibleAccessPackages",
            f"{PACKAGE}/incompatibleAccessPackages",
        ),
        (
            f"accessPackages/{PAY_INVOICES}/incompatibleAccessPackages/$ref",
            f"{PACKAGE}/incompatibleAccessPackages/$ref",
        ),
        (
            f"accessPackages/{APPROVE_INVOICES}/accessPackagesIncompatibleWith",
            f"{PACKAGE}/accessPackagesIncompatibleWith",
        ),
    ],
)
async def test_answers_fit_the_description(
    graph: Caller, description: Description, path: str, template: str
) -> None:
    """Every page of the demo tenant has the described types, and no property beyond them."""
    graph.behaviour.page_size = 6
    await graph.add_group(PAY_INVOICES, GROUP_EXTERNAL_AUDITORS)
    await graph.add_package(PAY_INVOICES, APPROVE_INVOICES)
    known = description.template_with(template) if template == "additionalAccess" else template
    body = (await graph.get(path)).json()
    assert body.get("value", [body]), "an empty answer proves nothing"
    assert description.faults(description.answer(known), body) == []


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("roleAssignments?$expand=principal,roleDefinition", f"{ROLES}/roleAssignments"),
        ("roleDefinitions", f"{ROLES}/roleDefinitions"),
    ],
)
async def test_roles_fit_the_description(
    graph: Caller, description: Description, path: str, template: str
) -> None:
    """Role assignments and definitions have the described types and properties."""
    body = (await graph.send("GET", f"/v1.0{ROLES}/{path}")).json()
    assert body["value"]
    assert description.faults(description.answer(template), body) == []


@pytest.mark.parametrize(
    "path",
    ["nothing", "assignments", "catalogs?$top=x", f"accessPackages/{RELEASE_PAYMENTS}"],
)
async def test_errors_fit_the_description(
    graph: Caller, description: Description, path: str
) -> None:
    """Refusals have the described shape."""
    answer = await graph.get(path)
    assert answer.status_code >= 400
    assert description.faults(description.error(), answer.json()) == []


async def test_the_comparison_notices_what_is_wrong(
    graph: Caller, description: Description
) -> None:
    """A wrong type, an unknown state and a property of another version are all found."""
    schema = description.answer(PACKAGE)
    body = (await graph.get(f"accessPackages/{PAY_INVOICES}?$expand=catalog")).json()
    body["catalog"]["state"] = "closed"
    assert len(description.faults(schema, body | {"isHidden": "no", "catalogId": FINANCE})) == 3
