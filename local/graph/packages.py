"""Catalogs and access packages: lists limited to what the caller may read, and single packages."""

from local.graph.authorization import Right
from local.graph.call import Call
from local.graph.errors import forbidden, not_found
from local.graph.exchange import Answer
from local.graph.filters import Readers, matches
from local.graph.odata import LISTED, Options, Shape
from local.graph.paging import collection
from local.graph.tenant import (
    AccessPackage,
    AssignmentPolicy,
    Catalog,
    Resource,
    ResourceRoleScope,
    Role,
    Scope,
    properties,
    property_names,
)

PACKAGE_RELATIONS = frozenset(
    {
        "catalogId",
        "resourceRoleScopes",
        "assignmentPolicies",
        "incompatibleGroups",
        "incompatibleAccessPackages",
    }
)
PACKAGE_PROPERTIES = property_names(AccessPackage, without=PACKAGE_RELATIONS)
CATALOG_PROPERTIES = property_names(Catalog)
# Both are relations. The stage settings are documented for a single policy only; the questions
# are no property of the documented answer, and have an address of their own below the policy.
POLICY_PROPERTIES = property_names(
    AssignmentPolicy, without=frozenset({"questions", "customExtensionStageSettings"})
)
ROLE_SCOPE_PROPERTIES = property_names(ResourceRoleScope, without=frozenset({"role", "scope"}))
ROLE_PROPERTIES = property_names(Role, without=frozenset({"resource"}))
RESOURCE_PROPERTIES = property_names(Resource)
SCOPE_PROPERTIES = property_names(Scope)

CATALOG_SHAPE = Shape(
    type_name="accessPackageCatalog",
    properties=frozenset(CATALOG_PROPERTIES),
    filters=frozenset({"id", "displayname", "state", "catalogtype"}),
    options=LISTED,
)
CATALOG_SHAPE_ALONE = Shape(
    type_name="accessPackageCatalog",
    properties=frozenset(CATALOG_PROPERTIES),
    options=frozenset({"$select"}),
)
POLICY_SHAPE = Shape(
    type_name="accessPackageAssignmentPolicy", properties=frozenset(POLICY_PROPERTIES)
)
ROLE_SCOPE_SHAPE = Shape(
    type_name="accessPackageResourceRoleScope",
    properties=frozenset(ROLE_SCOPE_PROPERTIES),
    relations={
        "role": Shape(
            type_name="accessPackageResourceRole",
            properties=frozenset(ROLE_PROPERTIES),
            relations={
                "resource": Shape(
                    type_name="accessPackageResource", properties=frozenset(RESOURCE_PROPERTIES)
                )
            },
        ),
        "scope": Shape(
            type_name="accessPackageResourceScope", properties=frozenset(SCOPE_PROPERTIES)
        ),
    },
)
PACKAGES_SHAPE = Shape(
    type_name="accessPackage",
    properties=frozenset(PACKAGE_PROPERTIES),
    filters=frozenset({"id", "displayname", "catalog/id", "ishidden"}),
    relations={"catalog": CATALOG_SHAPE, "assignmentPolicies": POLICY_SHAPE},
    options=LISTED,
)
# The role scopes of a package are documented for a single package only.
PACKAGE_SHAPE = Shape(
    type_name="accessPackage",
    properties=frozenset(PACKAGE_PROPERTIES),
    relations={**PACKAGES_SHAPE.relations, "resourceRoleScopes": ROLE_SCOPE_SHAPE},
    options=frozenset({"$select", "$expand"}),
)

PACKAGE_READERS: Readers[AccessPackage] = {
    "id": lambda package: package.id.lower(),
    "displayname": lambda package: package.display_name,
    "catalog/id": lambda package: package.catalog_id.lower(),
    "ishidden": lambda package: "true" if package.is_hidden is True else "false",
}
CATALOG_READERS: Readers[Catalog] = {
    "id": lambda catalog: catalog.id.lower(),
    "displayname": lambda catalog: catalog.display_name,
    "state": lambda catalog: catalog.state.lower(),
    "catalogtype": lambda catalog: catalog.catalog_type.lower(),
}


def list_packages(call: Call) -> Answer:
    options = call.options(PACKAGES_SHAPE)
    call.require_list()
    found = [
        package
        for package in call.simulator.tenant.access_packages
        if call.grants.holds(Right.READ, package.catalog_id)
        and matches(package, options.clauses, PACKAGE_READERS)
    ]
    return collection(
        call,
        found,
        lambda package: render_package(call, package, options),
        options=options,
        context="identityGovernance/entitlementManagement/accessPackages",
    )


def get_package(call: Call) -> Answer:
    options = call.options(PACKAGE_SHAPE)
    package = call.package(call.ids[0], Right.READ)
    context = call.context("identityGovernance/entitlementManagement/accessPackages/$entity")
    return Answer(body={"@odata.context": context} | render_package(call, package, options))


def list_catalogs(call: Call) -> Answer:
    options = call.options(CATALOG_SHAPE)
    call.require_list()
    found = [
        catalog
        for catalog in call.simulator.tenant.catalogs
        if call.grants.holds(Right.READ, catalog.id)
        and matches(catalog, options.clauses, CATALOG_READERS)
    ]
    return collection(
        call,
        found,
        lambda catalog: options.project(properties(catalog, CATALOG_PROPERTIES)),
        options=options,
        context="identityGovernance/entitlementManagement/catalogs",
    )


def get_catalog(call: Call) -> Answer:
    options = call.options(CATALOG_SHAPE_ALONE)
    catalog = call.index.catalogs.get(call.ids[0].lower())
    if catalog is None and Right.READ in call.grants.tenant_wide:
        raise not_found(f"The catalog '{call.ids[0]}' does not exist.")
    if catalog is None or not call.grants.holds(Right.READ, catalog.id):
        raise forbidden()
    context = call.context("identityGovernance/entitlementManagement/catalogs/$entity")
    body = options.project(properties(catalog, CATALOG_PROPERTIES))
    return Answer(body={"@odata.context": context} | body)


def render_package(call: Call, package: AccessPackage, options: Options) -> dict[str, object]:
    body = properties(package, PACKAGE_PROPERTIES)
    for name, nested in options.expand.items():
        body[name] = _related(call, package, name, nested)
    return options.project(body)


def _related(call: Call, package: AccessPackage, name: str, options: Options) -> object:
    match name:
        case "catalog":
            catalog = call.index.catalogs.get(package.catalog_id.lower())
            return catalog and options.project(properties(catalog, CATALOG_PROPERTIES))
        case "assignmentPolicies":
            policies = package.assignment_policies
            return [options.project(properties(item, POLICY_PROPERTIES)) for item in policies]
        case _:
            return [_role_scope(item, options) for item in package.resource_role_scopes]


def _role_scope(item: ResourceRoleScope, options: Options) -> dict[str, object]:
    body = properties(item, ROLE_SCOPE_PROPERTIES)
    if "role" in options.expand:
        body["role"] = _role(item.role, options.expand["role"])
    if "scope" in options.expand:
        scope = properties(item.scope, SCOPE_PROPERTIES)
        body["scope"] = options.expand["scope"].project(scope)
    return options.project(body)


def _role(role: Role, options: Options) -> dict[str, object]:
    body = properties(role, ROLE_PROPERTIES)
    if "resource" in options.expand:
        resource = role.resource and properties(role.resource, RESOURCE_PROPERTIES)
        body["resource"] = resource and options.expand["resource"].project(resource)
    return options.project(body)
