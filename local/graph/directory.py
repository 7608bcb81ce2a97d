"""People and service principals of the directory: with permissions of their own."""

from http import HTTPStatus

from local.graph.call import Call
from local.graph.errors import GraphError
from local.graph.exchange import Answer
from local.graph.odata import Shape

# An entitlement-management role gives none of them.
USER_PERMISSIONS = frozenset({"User.ReadBasic.All", "User.Read.All", "Directory.Read.All"})
SERVICE_PRINCIPAL_PERMISSIONS = frozenset({"Application.Read.All", "Directory.Read.All"})


def get_user(call: Call) -> Answer:
    return _get(call, "user", USER_PERMISSIONS)


def get_service_principal(call: Call) -> Answer:
    return _get(call, "servicePrincipal", SERVICE_PRINCIPAL_PERMISSIONS)


def _get(call: Call, kind: str, permissions: frozenset[str]) -> Answer:
    shape = Shape(
        type_name=kind,
        properties=frozenset({"id", "displayName"}),
        options=frozenset({"$select"}),
    )
    options = call.options(shape)
    if not permissions & set(call.identity.permissions):
        raise GraphError(
            HTTPStatus.FORBIDDEN,
            "Authorization_RequestDenied",
            "Insufficient privileges to complete the operation.",
        )
    object_id = call.ids[0].lower()
    subject = call.index.subjects_by_object.get(object_id)
    newcomer = call.index.newcomers.get(object_id)
    if subject is not None and (subject.subject_type or "user") == kind:
        name = subject.display_name or None
    elif newcomer is not None and newcomer.type == kind:
        name = newcomer.display_name
    else:
        message = f"Resource '{call.ids[0]}' does not exist."
        raise GraphError(HTTPStatus.NOT_FOUND, "Request_ResourceNotFound", message)
    context = call.context(f"{kind}s/$entity")
    return Answer(
        body={"@odata.context": context} | options.project({"id": object_id, "displayName": name})
    )
