"""Custom extensions of a catalog: the Logic Apps that its policies call."""

from datetime import UTC, datetime
from typing import Literal
from uuid import uuid4

import msgspec

from local.graph.authorization import Right
from local.graph.call import Call
from local.graph.errors import bad_request, forbidden, not_found
from local.graph.exchange import Answer
from local.graph.odata import LISTED, Shape, refuse_query
from local.graph.paging import collection
from local.graph.tenant import Catalog, CustomWorkflowExtension, properties, property_names

# of all catalogs together
MAX_EXTENSIONS = 500
MAX_RESOURCE_ID_LENGTH = 150
CONTEXT = "identityGovernance/entitlementManagement/catalogs('{id}')/customWorkflowExtensions"

EXTENSION_PROPERTIES = property_names(
    CustomWorkflowExtension, without=frozenset({"catalogId", "type"})
)
EXTENSION_SHAPE = Shape(
    type_name="customCalloutExtension",
    properties=frozenset(EXTENSION_PROPERTIES),
    options=LISTED,
)


class Wire(msgspec.Struct, kw_only=True, rename="camel", forbid_unknown_fields=True):
    pass


class Endpoint(Wire):
    odata_type: Literal["#microsoft.graph.logicAppTriggerEndpointConfiguration"] = msgspec.field(
        name="@odata.type"
    )
    subscription_id: str
    resource_group_name: str
    logic_app_workflow_name: str

    @property
    def resource_id(self) -> str:
        return (
            f"/subscriptions/{self.subscription_id}/resourceGroups/{self.resource_group_name}"
            f"/providers/Microsoft.Logic/workflows/{self.logic_app_workflow_name}"
        )


class Authentication(Wire):
    odata_type: Literal["#microsoft.graph.azureAdPopTokenAuthentication"] = msgspec.field(
        name="@odata.type"
    )


class Callback(Wire):
    odata_type: Literal["microsoft.graph.customExtensionCallbackConfiguration"] = msgspec.field(
        name="@odata.type"
    )
    duration_before_timeout: str


class ExtensionBody(Wire):
    odata_type: Literal["#microsoft.graph.accessPackageAssignmentRequestWorkflowExtension"] = (
        msgspec.field(name="@odata.type")
    )
    display_name: str
    description: str
    endpoint_configuration: Endpoint
    authentication_configuration: Authentication
    callback_configuration: Callback | None = None


def list_extensions(call: Call) -> Answer:
    options = call.options(EXTENSION_SHAPE)
    catalog = _catalog(call, Right.READ)
    return collection(
        call,
        [each for each in _all(call) if each.catalog_id.lower() == catalog.id.lower()],
        lambda item: options.project(rendered_extension(item)),
        options=options,
        context=CONTEXT.replace("{id}", catalog.id),
    )


def create_extension(call: Call) -> Answer:
    """Documented for tenant-wide permission, or an owner of the catalog."""
    refuse_query(call.request.query)
    catalog = _catalog(call, Right.OWN)
    body = call.body(ExtensionBody)
    if len(_all(call)) >= MAX_EXTENSIONS:
        raise bad_request("The tenant has as many custom extensions as it may have.")
    if len(body.endpoint_configuration.resource_id) > MAX_RESOURCE_ID_LENGTH:
        raise bad_request("The resource id of the Logic App is too long.")
    made = _made(call, catalog, body)
    _all(call).append(made)
    return Answer(status=201, body=rendered_extension(made))


def delete_extension(call: Call) -> Answer:
    """Refused while a policy names the extension."""
    refuse_query(call.request.query)
    catalog = _catalog(call, Right.OWN)
    found = [
        each
        for each in _all(call)
        if each.id.lower() == call.ids[1].lower() and each.catalog_id.lower() == catalog.id.lower()
    ]
    if not found:
        raise not_found(f"The custom extension '{call.ids[1]}' does not exist.")
    if _is_used(call, found[0]):
        raise bad_request("The custom extension is used by a policy: remove it there first.")
    _all(call).remove(found[0])
    return Answer(status=204)


def rendered_extension(item: CustomWorkflowExtension) -> dict[str, object]:
    return {"@odata.type": item.type} | properties(item, EXTENSION_PROPERTIES)


def _all(call: Call) -> list[CustomWorkflowExtension]:
    return call.simulator.tenant.custom_workflow_extensions


def _catalog(call: Call, right: Right) -> Catalog:
    catalog = call.index.catalogs.get(call.ids[0].lower())
    if catalog is None and right in call.grants.tenant_wide:
        raise not_found(f"The catalog '{call.ids[0]}' does not exist.")
    if catalog is None or not call.grants.holds(right, catalog.id):
        raise forbidden()
    return catalog


def _made(call: Call, catalog: Catalog, body: ExtensionBody) -> CustomWorkflowExtension:
    given = msgspec.to_builtins(body)
    created = datetime.fromtimestamp(call.simulator.clock(), UTC)
    return CustomWorkflowExtension(
        id=str(uuid4()),
        catalog_id=catalog.id,
        type=body.odata_type,
        display_name=body.display_name,
        description=body.description,
        created_date_time=created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        endpoint_configuration=given["endpointConfiguration"],
        authentication_configuration=given["authenticationConfiguration"],
        callback_configuration=given["callbackConfiguration"],
    )


def _is_used(call: Call, extension: CustomWorkflowExtension) -> bool:
    return any(
        setting.custom_extension_id == extension.id
        for package in call.simulator.tenant.access_packages
        for policy in package.assignment_policies
        for setting in policy.custom_extension_stage_settings
    )
