"""Which handler a path belongs to."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from local.graph import (
    assignments,
    directory,
    extensions,
    groups,
    packages,
    policies,
    references,
    requests,
    roles,
    subjects,
)
from local.graph.call import Call
from local.graph.errors import bad_request, method_not_allowed, not_found
from local.graph.exchange import Answer

type Handler = Callable[[Call], Answer]

ID = "{id}"
FUNCTION = "additionalAccess(...)"
ALTERNATE_KEY = "subjects(...)"
# a GUID, or a user principal name
USER = "{id or userPrincipalName}"
# segments whose name is followed by arguments
CALLED = frozenset({FUNCTION, ALTERNATE_KEY})
GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True, slots=True)
class Route:
    segments: tuple[str, ...]
    methods: dict[str, Handler]

    def accepts(self, segments: tuple[str, ...]) -> bool:
        pairs = zip(self.segments, segments, strict=False)
        return len(self.segments) == len(segments) and all(_fits(*pair) for pair in pairs)

    def ids(self, segments: tuple[str, ...]) -> tuple[str, ...]:
        pairs = zip(self.segments, segments, strict=True)
        return tuple(segment for pattern, segment in pairs if _is_key(pattern))


def _is_key(pattern: str) -> bool:
    return pattern in {ID, USER} or pattern in CALLED


def _fits(pattern: str, segment: str) -> bool:
    if pattern == FUNCTION:
        return segment.startswith("additionalAccess")
    if pattern == ALTERNATE_KEY:
        return segment.startswith("subjects(")
    return pattern == segment or (pattern in {ID, USER} and segment not in {"", "$ref", "$count"})


def _routes(base: str, table: dict[str, dict[str, Handler]]) -> list[Route]:
    prefix = tuple(base.split("/"))
    return [Route((*prefix, *path.split("/")), methods) for path, methods in table.items()]


ROUTES = (
    _routes(
        "identityGovernance/entitlementManagement",
        {
            "catalogs": {"GET": packages.list_catalogs},
            "catalogs/{id}": {"GET": packages.get_catalog},
            "catalogs/{id}/customWorkflowExtensions": {
                "GET": extensions.list_extensions,
                "POST": extensions.create_extension,
            },
            "catalogs/{id}/customWorkflowExtensions/{id}": {"DELETE": extensions.delete_extension},
            "assignmentPolicies/{id}": {
                "GET": policies.get_policy,
                "PUT": policies.replace_policy,
            },
            "accessPackages": {"GET": packages.list_packages},
            "accessPackages/{id}": {"GET": packages.get_package},
            "accessPackages/{id}/incompatibleGroups": {"GET": references.list_groups},
            "accessPackages/{id}/incompatibleGroups/$ref": {
                "GET": references.list_group_refs,
                "POST": references.add_group,
            },
            "accessPackages/{id}/incompatibleGroups/{id}/$ref": {"DELETE": references.remove_group},
            "accessPackages/{id}/incompatibleAccessPackages": {
                "GET": references.list_incompatible_packages
            },
            "accessPackages/{id}/incompatibleAccessPackages/$ref": {
                "GET": references.list_package_refs,
                "POST": references.add_package,
            },
            "accessPackages/{id}/incompatibleAccessPackages/{id}/$ref": {
                "DELETE": references.remove_package
            },
            "accessPackages/{id}/accessPackagesIncompatibleWith": {
                "GET": references.list_incompatible_with
            },
            "assignments": {"GET": assignments.list_assignments},
            f"assignments/{FUNCTION}": {"GET": assignments.additional_access},
            "subjects/{id}": {"GET": subjects.get_subject},
            ALTERNATE_KEY: {"GET": subjects.get_subject_by_object_id},
            "assignmentRequests": {"POST": requests.create_request},
            "assignmentRequests/{id}": {"GET": requests.get_request},
            "assignmentRequests/{id}/resume": {"POST": requests.resume},
        },
    )
    + _routes(
        "roleManagement/entitlementManagement",
        {
            "roleDefinitions": {"GET": roles.list_role_definitions},
            "roleAssignments": {
                "GET": roles.list_role_assignments,
                "POST": roles.create_role_assignment,
            },
            "roleAssignments/{id}": {"DELETE": roles.delete_role_assignment},
        },
    )
    + [
        Route(("groups", ID), {"GET": groups.get_group}),
        Route(("groups", ID, "transitiveMembers", "$count"), {"GET": groups.count_members}),
        Route(("users", USER), {"GET": directory.get_user}),
        Route(("servicePrincipals", ID), {"GET": directory.get_service_principal}),
    ]
)


def resolve(method: str, segments: tuple[str, ...]) -> tuple[Handler, tuple[str, ...]]:
    """The handler for a method and a path, and the ids that the path holds."""
    route = next((route for route in ROUTES if route.accepts(segments)), None)
    if route is None:
        raise not_found(f"Resource not found for the segment '{segments[-1]}'.")
    handler = route.methods.get(method)
    if handler is None:
        raise method_not_allowed()
    ids = route.ids(segments)
    for pattern, value in zip(_id_patterns(route), ids, strict=True):
        if pattern == ID and not GUID.fullmatch(value):
            raise bad_request(f"The value '{value}' is not a valid identifier.")
    return handler, ids


def _id_patterns(route: Route) -> list[str]:
    return [pattern for pattern in route.segments if _is_key(pattern)]
