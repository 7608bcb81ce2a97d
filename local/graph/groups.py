"""Groups of the directory, as far as rules name them: with permissions of their own."""

from http import HTTPStatus

from local.graph.call import Call
from local.graph.errors import GraphError
from local.graph.exchange import Answer
from local.graph.odata import Shape

# An entitlement-management role gives none of them.
PERMISSIONS = frozenset({"Group.Read.All", "GroupMember.Read.All", "Directory.Read.All"})
SHAPE = Shape(
    type_name="group",
    properties=frozenset({"id", "displayName", "securityEnabled", "groupTypes"}),
    options=frozenset({"$select"}),
)


def get_group(call: Call) -> Answer:
    options = call.options(SHAPE)
    if not PERMISSIONS & set(call.identity.permissions):
        raise GraphError(
            HTTPStatus.FORBIDDEN,
            "Authorization_RequestDenied",
            "Insufficient privileges to complete the operation.",
        )
    group = call.index.groups.get(call.ids[0].lower())
    if group is None:
        message = f"Resource '{call.ids[0]}' does not exist."
        raise GraphError(HTTPStatus.NOT_FOUND, "Request_ResourceNotFound", message)
    body = {
        "id": group.id,
        "displayName": group.display_name,
        "securityEnabled": group.security_enabled,
        "groupTypes": group.group_types,
    }
    context = call.context("groups/$entity")
    return Answer(body={"@odata.context": context} | options.project(body))
