"""Assignments: the filtered list, and `additionalAccess`, those of people who hold two packages."""

import re

from local.graph.authorization import Right
from local.graph.call import Call
from local.graph.errors import bad_request, forbidden
from local.graph.exchange import Answer
from local.graph.filters import Clause, Readers, matches
from local.graph.index import is_active
from local.graph.odata import DOCUMENTED, LISTED, Options, Shape
from local.graph.packages import (
    PACKAGES_SHAPE,
    POLICY_PROPERTIES,
    POLICY_SHAPE,
    render_package,
)
from local.graph.paging import collection
from local.graph.tenant import Assignment, Subject, properties, property_names

ASSIGNMENT_RELATIONS = frozenset({"accessPackageId", "targetId", "assignmentPolicyId"})
ASSIGNMENT_PROPERTIES = property_names(Assignment, without=ASSIGNMENT_RELATIONS)
SUBJECT_PROPERTIES = property_names(Subject, without=frozenset({"isDeleted"}))
# unknown to the service until the assignment is delivered
LATE_PROPERTIES = ("objectId", "displayName", "principalName", "email")
# the documented ones; an unknown one that an assignment has is shown, but no filter may name it
STATES = frozenset(
    {
        "delivering",
        "partiallydelivered",
        "delivered",
        "expired",
        "deliveryfailed",
        "unknownfuturevalue",
    }
)
FUNCTION_PARAMETER = re.compile(r"([A-Za-z]+)='([^']*)'")
FUNCTION_PARAMETERS = frozenset({"accessPackageId", "incompatibleAccessPackageId"})

ASSIGNMENTS_SHAPE = Shape(
    type_name="accessPackageAssignment",
    properties=frozenset(ASSIGNMENT_PROPERTIES),
    filters=frozenset(
        {"id", "state", "accesspackage/id", "assignmentpolicy/id", "target/objectid"}
    ),
    relations={
        "target": Shape(type_name="accessPackageSubject", properties=frozenset(SUBJECT_PROPERTIES)),
        "accessPackage": PACKAGES_SHAPE,
        "assignmentPolicy": POLICY_SHAPE,
    },
    options=LISTED,
)
OF_A_PACKAGE = ("accesspackage/id", "eq")
CONTEXT = "identityGovernance/entitlementManagement/assignments"


def list_assignments(call: Call) -> Answer:
    options = call.options(ASSIGNMENTS_SHAPE)
    _refuse_unknown_states(options)
    candidates, clauses = _readable(call, options)
    if not clauses:
        # Of hundreds of thousands, a page looks at its own only.
        return _listed(call, candidates, options)
    readers = _readers(call)
    found = [item for item in candidates if matches(item, clauses, readers)]
    return _listed(call, found, options)


def additional_access(call: Call) -> Answer:
    """Assignments of the first package whose target holds the second one, too."""
    options = call.options(_additional_access_shape(call))
    _refuse_unknown_states(options)
    first_id, second_id = _function_ids(call.ids[0])
    _refuse_as_told(call)
    if first_id.lower() == second_id.lower():
        return _equal_ids(call, options)
    first = call.package(first_id, Right.READ)
    second = call.package(second_id, Right.READ)
    states = call.behaviour.additional_access_states
    holders = call.index.targets_of(second.id, states=states)
    readers = _readers(call)
    found = [
        item
        for item in call.index.assignments_of(first.id)
        if item.target_id is not None
        and item.target_id.lower() in holders
        and (states == "all" or is_active(item))
        and matches(item, options.clauses, readers)
    ]
    return _listed(call, found, options)


def _listed(call: Call, found: list[Assignment], options: Options) -> Answer:
    return collection(
        call,
        found,
        lambda item: render_assignment(call, item, options),
        options=options,
        context=CONTEXT,
    )


def _readable(call: Call, options: Options) -> tuple[list[Assignment], tuple[Clause, ...]]:
    """Where to look, and what is left to look for there.

    That is one package, or everything for a caller who may read everything.
    """
    clauses = list(options.clauses)
    named = [each for each in clauses if (each.path.lower(), each.operator) == OF_A_PACKAGE]
    if named:
        if Right.READ not in call.grants.tenant_wide:
            call.package(named[0].value, Right.READ)
        clauses.remove(named[0])
        return call.index.assignments_of(named[0].value), tuple(clauses)
    if Right.READ not in call.grants.tenant_wide:
        raise forbidden()
    return call.simulator.tenant.assignments, tuple(clauses)


def _refuse_unknown_states(options: Options) -> None:
    for clause in options.clauses:
        if clause.path.lower() == "state" and clause.value not in STATES:
            raise bad_request(f"Invalid filter clause: '{clause.value}' is not a state.")


def _readers(call: Call) -> Readers[Assignment]:
    return {
        "id": lambda item: item.id.lower(),
        "state": lambda item: item.state.lower(),
        "accesspackage/id": lambda item: item.access_package_id.lower(),
        "assignmentpolicy/id": lambda item: (item.assignment_policy_id or "").lower(),
        "target/objectid": lambda item: _object_id(call, item),
    }


def _additional_access_shape(call: Call) -> Shape:
    documented = call.behaviour.additional_access_options == "documented"
    every = {"$top", "$skip", "$count", "$search", "$orderby"}
    return Shape(
        type_name=ASSIGNMENTS_SHAPE.type_name,
        properties=ASSIGNMENTS_SHAPE.properties,
        filters=ASSIGNMENTS_SHAPE.filters,
        relations=ASSIGNMENTS_SHAPE.relations,
        options=DOCUMENTED if documented else DOCUMENTED | every,
    )


def _function_ids(segment: str) -> tuple[str, str]:
    """The two ids of `additionalAccess(…='…',…='…')`; a comma less is another parameter name."""
    arguments = segment.removeprefix("additionalAccess").removeprefix("(").removesuffix(")")
    if segment != f"additionalAccess({arguments})":
        raise bad_request(f"The function call '{segment}' is not well formed.")
    values: dict[str, str] = {}
    for argument in arguments.split(","):
        found = FUNCTION_PARAMETER.fullmatch(argument)
        if found is None or found[1] not in FUNCTION_PARAMETERS or found[1] in values:
            raise bad_request(f"The parameter '{argument}' is not in scope.")
        values[found[1]] = found[2]
    if values.keys() != FUNCTION_PARAMETERS or not all(values.values()):
        raise bad_request("additionalAccess needs two access package ids.")
    return values["accessPackageId"], values["incompatibleAccessPackageId"]


def _refuse_as_told(call: Call) -> None:
    match call.behaviour.additional_access:
        case "forbidden":
            raise forbidden()
        case "bad-request":
            raise bad_request("The function additionalAccess is not supported.")
        case "supported":
            pass


def _equal_ids(call: Call, options: Options) -> Answer:
    if call.behaviour.equal_ids == "empty":
        return _listed(call, [], options)
    raise bad_request("The two access package ids must be distinct.")


def render_assignment(call: Call, item: Assignment, options: Options) -> dict[str, object]:
    body = properties(item, ASSIGNMENT_PROPERTIES)
    body["state"] = _state(call, item)
    if call.behaviour.missing_state:
        del body["state"]
    for name, nested in options.expand.items():
        body[name] = _related(call, item, name, nested)
    return options.project(body)


def _state(call: Call, item: Assignment) -> str:
    pascal = call.behaviour.state_case == "pascal"
    return item.state[:1].upper() + item.state[1:] if pascal else item.state


def _related(call: Call, item: Assignment, name: str, options: Options) -> object:
    package = call.index.packages.get(item.access_package_id.lower())
    match name:
        case "target":
            target = _target(call, item)
            return target and options.project(target)
        case "accessPackage":
            return package and render_package(call, package, options)
        case _:
            policies = package.assignment_policies if package else []
            own = [one for one in policies if one.id == item.assignment_policy_id]
            return options.project(properties(own[0], POLICY_PROPERTIES)) if own else None


def _object_id(call: Call, item: Assignment) -> str | None:
    """What a filter by object id is compared with."""
    object_id = (_target(call, item) or {}).get("objectId")
    return object_id.lower() if isinstance(object_id, str) else None


def _target(call: Call, item: Assignment) -> dict[str, object] | None:
    if item.target_id is None:
        return None
    subject = call.index.subjects.get(item.target_id.lower()) or Subject(id=item.target_id)
    body = properties(subject, SUBJECT_PROPERTIES)
    if item.state.lower() == "delivering" and call.behaviour.null_target_fields:
        body |= dict.fromkeys(LATE_PROPERTIES)
    return body
