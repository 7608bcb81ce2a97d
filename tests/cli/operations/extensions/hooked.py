"""A catalog with policies that say much, as the simulator loads it and as Graph's JSON."""

from __future__ import annotations

from typing import Any

import msgspec

from entra_sod.cli.operations.extensions import wire
from entra_sod.cli.operations.extensions.model import PackagePolicies, Policy
from entra_sod.domain.entra import Catalog
from local.graph import tenant as simulated
from local.graph.authorization import ACCESS_PACKAGE_MANAGER, CATALOG_OWNER, CATALOG_SCOPE
from tests.adapters.graph.tenant import APPROVE, FINANCE, PAY, simulated_tenant
from tests.builders import guid
from tests.cli.operations.extensions.memory import MemoryExtensions

EMPLOYEES, GUESTS, APPROVERS = guid("91"), guid("92"), guid("93")
MAIL = guid("81")
SUBSCRIPTION = guid("5")
MAIL_EXTENSION: dict[str, Any] = {
    "id": MAIL,
    "displayName": "Mail",
    "endpointConfiguration": {
        "@odata.type": "#microsoft.graph.logicAppTriggerEndpointConfiguration",
        "subscriptionId": SUBSCRIPTION,
        "resourceGroupName": "mail",
        "logicAppWorkflowName": "mail",
    },
    "authenticationConfiguration": {
        "@odata.type": "#microsoft.graph.azureAdPopTokenAuthentication"
    },
}
EXTENSION_TYPE = "#microsoft.graph.accessPackageAssignmentRequestWorkflowExtension"
MANAGER = {"@odata.type": "#microsoft.graph.requestorManager", "managerLevel": 1}
RICH: dict[str, Any] = {
    "displayName": "Employees",
    "description": "Für alle, mit Genehmigung",
    "allowedTargetScope": "allMemberUsers",
    "automaticRequestSettings": None,
    "specificAllowedTargets": [],
    "expiration": {"type": "afterDuration", "duration": "P365D", "endDateTime": None},
    "requestorSettings": {"enableTargetsToSelfAddAccess": True, "onBehalfRequestors": []},
    "requestApprovalSettings": {
        "isApprovalRequiredForAdd": True,
        "stages": [{"durationBeforeAutomaticDenial": "P2D", "primaryApprovers": [MANAGER]}],
    },
    "reviewSettings": {"isEnabled": True, "schedule": {"recurrence": {"pattern": "monthly"}}},
    "notificationSettings": {"isAssignmentNotificationDisabled": False},
    "questions": [
        {
            "@odata.type": "#microsoft.graph.accessPackageTextInputQuestion",
            "id": guid("71"),
            "text": "Why?",
            "isRequired": True,
        }
    ],
}
PLAIN: dict[str, Any] = {
    "displayName": "Guests",
    "allowedTargetScope": "allExternalUsers",
    "questions": [],
}
POLICIES: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    EMPLOYEES: (PAY, RICH, ["assignmentRequestCreated", "assignmentRequestGranted"]),
    GUESTS: (PAY, PLAIN, []),
    APPROVERS: (APPROVE, {**RICH, "displayName": "Approvers"}, []),
}


def hooked_tenant() -> simulated.Tenant:
    """The tenant of the Graph tests, with these policies and a foreign extension."""
    tenant = simulated_tenant()
    tenant.custom_workflow_extensions = [
        msgspec.convert(
            {**MAIL_EXTENSION, "catalogId": FINANCE, "type": EXTENSION_TYPE},
            simulated.CustomWorkflowExtension,
        )
    ]
    for package in tenant.access_packages:
        package.assignment_policies = [
            _simulated(policy_id, rest, stages)
            for policy_id, (package_id, rest, stages) in POLICIES.items()
            if package_id == package.id
        ]
    return tenant


def _simulated(policy_id: str, rest: dict[str, Any], stages: list[str]) -> Any:
    settings = [
        {"id": guid(f"6{number}"), "stage": stage, "customExtensionId": MAIL}
        for number, stage in enumerate(stages)
    ]
    kept = {
        "id": policy_id,
        "createdDateTime": "2025-01-01T00:00:00Z",
        "modifiedDateTime": "2025-02-01T00:00:00Z",
        "customExtensionStageSettings": settings,
    }
    return msgspec.convert({**rest, **kept}, simulated.AssignmentPolicy)


def owner_role(client_principal: str, *, owns: bool) -> simulated.RoleAssignment:
    role = CATALOG_OWNER if owns else ACCESS_PACKAGE_MANAGER
    return simulated.RoleAssignment(
        principal_id=client_principal,
        role_definition_id=role,
        app_scope_id=f"{CATALOG_SCOPE}{FINANCE}",
    )


def memory_extensions() -> MemoryExtensions:
    """The same in memory, made of what Graph's JSON says."""
    packages = [
        PackagePolicies(id=PAY, display_name="Pay", policy_ids=(EMPLOYEES, GUESTS)),
        PackagePolicies(id=APPROVE, display_name="Approve", policy_ids=(APPROVERS,)),
        PackagePolicies(id=guid("a3"), display_name="Order", policy_ids=()),
    ]
    extension = msgspec.convert(
        {**MAIL_EXTENSION, "@odata.type": EXTENSION_TYPE}, wire.WireExtension
    )
    catalog = Catalog(id=FINANCE, display_name="Finance")
    policies = [expected(policy_id) for policy_id in POLICIES]
    return MemoryExtensions(catalog, packages, policies, [wire.extension(extension)])


def expected(policy_id: str) -> Policy:
    """What the port is to give for a policy."""
    package_id, rest, stages = POLICIES[policy_id]
    extension = {"@odata.type": EXTENSION_TYPE, **MAIL_EXTENSION}
    settings = [
        {"id": guid("66"), "stage": stage, "customExtension": extension} for stage in stages
    ]
    return wire.policy(
        package_id, {**rest, "id": policy_id, "customExtensionStageSettings": settings}
    )
