"""Roles of the entitlement management provider: definitions, and who has which on what catalog."""

from uuid import uuid4

import msgspec

from local.graph.authorization import (
    ACCESS_PACKAGE_MANAGER,
    ASSIGNMENT_MANAGER,
    CATALOG_CREATOR,
    CATALOG_OWNER,
    CATALOG_READER,
    CATALOG_SCOPE,
    Right,
)
from local.graph.call import Call
from local.graph.errors import bad_request, conflict, forbidden, not_found
from local.graph.exchange import Answer
from local.graph.filters import Readers, matches
from local.graph.odata import DOCUMENTED, Options, Shape, refuse_query
from local.graph.paging import collection
from local.graph.tenant import RoleAssignment, properties, property_names

NAMESPACE = "microsoft.entitlementManagement/"
# id: name, allowed actions below the namespace
ROLES: dict[str, tuple[str, list[str]]] = {
    CATALOG_OWNER: ("Catalog owner", ["allEntities/allTasks"]),
    CATALOG_READER: ("Catalog reader", ["allEntities/Read"]),
    ACCESS_PACKAGE_MANAGER: (
        "AccessPackages manager",
        ["AccessPackageCatalog/AccessPackage/allTasks", "AccessPackageCatalog/allEntities/Read"],
    ),
    CATALOG_CREATOR: ("Catalog creator", ["AccessPackageCatalog/Create"]),
    ASSIGNMENT_MANAGER: (
        "AccessPackage assignment manager",
        [
            "AccessPackageCatalog/AccessPackage/GrantRequests/allTasks",
            "AccessPackageCatalog/AccessPackage/Grants/allTasks",
            "AccessPackageCatalog/allEntities/Read",
        ],
    ),
}
ROLE_ASSIGNMENT_PROPERTIES = property_names(RoleAssignment)
PRINCIPAL_SHAPE = Shape(type_name="directoryObject", properties=frozenset({"id"}))
DEFINITION_SHAPE = Shape(
    type_name="unifiedRoleDefinition",
    properties=frozenset({"id", "displayName"}),
    options=frozenset(),
)
ROLE_ASSIGNMENT_SHAPE = Shape(
    type_name="unifiedRoleAssignment",
    properties=frozenset(ROLE_ASSIGNMENT_PROPERTIES),
    filters=frozenset({"appscopeid", "principalid", "roledefinitionid"}),
    relations={"principal": PRINCIPAL_SHAPE, "roleDefinition": DEFINITION_SHAPE},
    options=DOCUMENTED,
)
READERS: Readers[RoleAssignment] = {
    "appscopeid": lambda item: item.app_scope_id.lower(),
    "principalid": lambda item: item.principal_id.lower(),
    "roledefinitionid": lambda item: item.role_definition_id.lower(),
}


class RoleAssignmentBody(msgspec.Struct, kw_only=True, rename="camel", forbid_unknown_fields=True):
    principal_id: str
    role_definition_id: str
    app_scope_id: str


def list_role_definitions(call: Call) -> Answer:
    options = call.options(DEFINITION_SHAPE)
    call.require_anywhere(Right.READ)
    return collection(
        call,
        list(ROLES),
        _definition,
        options=options,
        context="roleManagement/entitlementManagement/roleDefinitions",
    )


def list_role_assignments(call: Call) -> Answer:
    options = call.options(ROLE_ASSIGNMENT_SHAPE)
    call.require_list()
    found = [
        item
        for item in call.simulator.tenant.role_assignments
        if call.grants.holds(Right.READ, catalog_of(item))
        and matches(item, options.clauses, READERS)
    ]
    return collection(
        call,
        found,
        lambda item: _rendered(call, item, options),
        options=options,
        context="roleManagement/entitlementManagement/roleAssignments",
    )


def create_role_assignment(call: Call) -> Answer:
    refuse_query(call.request.query)
    call.require_anywhere(Right.OWN)
    body = call.body(RoleAssignmentBody)
    item = RoleAssignment(id=str(uuid4()), **msgspec.structs.asdict(body))
    _refuse_unsuitable(call, item)
    if _is_given(call, item):
        _refuse_duplicate(call)
    else:
        call.simulator.tenant.role_assignments.append(item)
    context = call.context("roleManagement/entitlementManagement/roleAssignments/$entity")
    rendered = properties(item, ROLE_ASSIGNMENT_PROPERTIES)
    return Answer(status=201, body={"@odata.context": context} | rendered)


def delete_role_assignment(call: Call) -> Answer:
    refuse_query(call.request.query)
    call.require_anywhere(Right.OWN)
    roles = call.simulator.tenant.role_assignments
    found = [item for item in roles if item.id.lower() == call.ids[0].lower()]
    if not found and Right.OWN in call.grants.tenant_wide:
        raise not_found(f"The role assignment '{call.ids[0]}' does not exist.")
    if not found or not call.grants.holds(Right.OWN, catalog_of(found[0])):
        raise forbidden()
    roles.remove(found[0])
    return Answer(status=204)


def catalog_of(item: RoleAssignment) -> str:
    """The catalog that a role is for; empty for the whole tenant."""
    return item.app_scope_id.removeprefix(CATALOG_SCOPE).strip("/")


def _refuse_unsuitable(call: Call, item: RoleAssignment) -> None:
    if item.role_definition_id not in ROLES:
        raise bad_request(f"The role definition '{item.role_definition_id}' does not exist.")
    if not call.grants.holds(Right.OWN, catalog_of(item)):
        raise forbidden()
    if item.app_scope_id != "/" and catalog_of(item).lower() not in call.index.catalogs:
        raise bad_request(f"The scope '{item.app_scope_id}' does not exist.")

    if item.principal_id.lower() not in call.index.principals:
        message = f"The principal '{item.principal_id}' does not exist."
        if call.behaviour.unknown_principal == 404:  # noqa: PLR2004 - Not Found
            raise not_found(message)
        raise bad_request(message)


def _is_given(call: Call, item: RoleAssignment) -> bool:
    wanted = (item.principal_id.lower(), item.role_definition_id, item.app_scope_id.lower())
    return wanted in {
        (each.principal_id.lower(), each.role_definition_id, each.app_scope_id.lower())
        for each in call.simulator.tenant.role_assignments
    }


def _refuse_duplicate(call: Call) -> None:
    message = "The role assignment exists."
    match call.behaviour.duplicate_role:
        case "bad-request":
            raise bad_request(message)
        case "conflict":
            raise conflict(message)
        case "created":
            return


def _definition(role_id: str) -> dict[str, object]:
    name, actions = ROLES[role_id]
    allowed = [f"{NAMESPACE}{action}" for action in actions]
    return {
        "id": role_id,
        "displayName": name,
        "description": name,
        "isBuiltIn": True,
        "isEnabled": True,
        "templateId": role_id,
        "version": "1.0",
        "rolePermissions": [{"allowedResourceActions": allowed, "condition": None}],
    }


def _rendered(call: Call, item: RoleAssignment, options: Options) -> dict[str, object]:
    body = properties(item, ROLE_ASSIGNMENT_PROPERTIES)
    if "principal" in options.expand:
        body["principal"] = {"@odata.type": _principal_type(call, item), "id": item.principal_id}
    if "roleDefinition" in options.expand:
        body["roleDefinition"] = _definition(item.role_definition_id)
    return options.project(body)


def _principal_type(call: Call, item: RoleAssignment) -> str:
    applications = {identity.principal_id for identity in call.simulator.tenant.identities}
    is_application = item.principal_id in applications
    return f"#microsoft.graph.{'servicePrincipal' if is_application else 'user'}"
