"""Groups of the directory, as far as rules name them: with permissions of their own."""

from http import HTTPStatus

from local.graph.call import Call
from local.graph.errors import GraphError, bad_request
from local.graph.exchange import Answer
from local.graph.odata import Shape, refuse_query
from local.graph.tenant import Group

# An entitlement-management role gives none of them.
PERMISSIONS = frozenset({"Group.Read.All", "GroupMember.Read.All", "Directory.Read.All"})
SHAPE = Shape(
    type_name="group",
    properties=frozenset({"id", "displayName", "securityEnabled", "groupTypes"}),
    options=frozenset({"$select"}),
)


# Graph counts what is below a group with less than it shows the group itself for.
COUNTING_PERMISSIONS = PERMISSIONS | {"GroupMember.ReadBasic.All"}


def count_members(call: Call) -> Answer:
    """All members, those of nested groups and these themselves included, as plain text."""
    refuse_query(call.request.query)
    if call.request.headers.get("consistencylevel", "").lower() != "eventual":
        raise bad_request("$count is not currently supported.", code="Request_BadRequest")
    group = _group(call, COUNTING_PERMISSIONS)
    found: set[str] = set()
    waiting = [group]
    while waiting:
        new = {each.lower() for each in waiting.pop().members} - found
        found |= new
        waiting += [call.index.groups[each] for each in new if each in call.index.groups]
    return Answer(body=str(len(found)).encode(), headers={"Content-Type": "text/plain"})


def get_group(call: Call) -> Answer:
    options = call.options(SHAPE)
    group = _group(call, PERMISSIONS)
    body = {
        "id": group.id,
        "displayName": group.display_name,
        "securityEnabled": group.security_enabled,
        "groupTypes": group.group_types,
    }
    context = call.context("groups/$entity")
    return Answer(body={"@odata.context": context} | options.project(body))


def _group(call: Call, permissions: frozenset[str]) -> Group:
    if not permissions & set(call.identity.permissions):
        raise GraphError(
            HTTPStatus.FORBIDDEN,
            "Authorization_RequestDenied",
            "Insufficient privileges to complete the operation.",
        )
    group = call.index.groups.get(call.ids[0].lower())
    if group is None:
        message = f"Resource '{call.ids[0]}' does not exist."
        raise GraphError(HTTPStatus.NOT_FOUND, "Request_ResourceNotFound", message)
    return group
