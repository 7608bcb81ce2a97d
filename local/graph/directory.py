"""People and service principals of the directory: with permissions of their own."""

import re
from http import HTTPStatus

from local.graph.call import Call
from local.graph.errors import GraphError
from local.graph.exchange import Answer
from local.graph.odata import Shape

# An entitlement-management role gives none of them.
USER_PERMISSIONS = frozenset({"User.ReadBasic.All", "User.Read.All", "Directory.Read.All"})
SERVICE_PRINCIPAL_PERMISSIONS = frozenset({"Application.Read.All", "Directory.Read.All"})


USER_PROPERTIES = frozenset({"id", "displayName", "userPrincipalName"})
GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def get_user(call: Call) -> Answer:
    """One user by object id, or by user principal name in whatever case."""
    return _get(call, "user", USER_PERMISSIONS, USER_PROPERTIES)


def get_service_principal(call: Call) -> Answer:
    return _get(
        call, "servicePrincipal", SERVICE_PRINCIPAL_PERMISSIONS, frozenset({"id", "displayName"})
    )


def _get(call: Call, kind: str, permissions: frozenset[str], properties: frozenset[str]) -> Answer:
    shape = Shape(
        type_name=kind,
        properties=properties,
        options=frozenset({"$select"}),
    )
    options = call.options(shape)
    if not permissions & set(call.identity.permissions):
        raise GraphError(
            HTTPStatus.FORBIDDEN,
            "Authorization_RequestDenied",
            "Insufficient privileges to complete the operation.",
        )
    key = call.ids[0].lower()
    object_id = key if GUID.fullmatch(key) else call.index.users_by_name.get(key, "")
    subject = call.index.subjects_by_object.get(object_id)
    newcomer = call.index.newcomers.get(object_id)
    if subject is not None and (subject.subject_type or "user") == kind:
        shown = {"displayName": subject.display_name, "userPrincipalName": subject.principal_name}
    elif newcomer is not None and newcomer.type == kind:
        shown = {
            "displayName": newcomer.display_name,
            "userPrincipalName": newcomer.user_principal_name,
        }
    else:
        message = f"Resource '{call.ids[0]}' does not exist."
        raise GraphError(HTTPStatus.NOT_FOUND, "Request_ResourceNotFound", message)
    context = call.context(f"{kind}s/$entity")
    known: dict[str, object] = {
        name: shown[name] or None for name in sorted(properties & shown.keys())
    }
    return Answer(body={"@odata.context": context} | options.project({"id": object_id, **known}))
