"""What a package is incompatible with: lists, and the references that make them up.

A reference has a direction: one on package A stops holders of B from getting A, and not the
other way round.
"""

import re
from http import HTTPStatus
from typing import Literal

import msgspec

from local.graph.authorization import Right
from local.graph.call import Call
from local.graph.errors import GraphError, bad_request, conflict, not_found
from local.graph.exchange import Answer
from local.graph.odata import Options, Shape, refuse_query
from local.graph.packages import PACKAGE_PROPERTIES, PACKAGE_SHAPE, render_package
from local.graph.paging import collection
from local.graph.simulator import Stale
from local.graph.tenant import AccessPackage, Reference

Relation = Literal["incompatibleGroups", "incompatibleAccessPackages"]

GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
PATHS: dict[Relation, str] = {
    "incompatibleGroups": "/v1.0/groups/",
    "incompatibleAccessPackages": "/v1.0/identityGovernance/entitlementManagement/accessPackages/",
}
# Without a directory permission a group shows its id and its name.
GROUP_SHAPE = Shape(
    type_name="group",
    properties=frozenset({"id", "displayName"}),
    options=frozenset({"$select"}),
)
RELATED_PACKAGE_SHAPE = Shape(
    type_name="accessPackage",
    properties=frozenset(PACKAGE_PROPERTIES),
    relations={"catalog": PACKAGE_SHAPE.relations["catalog"]},
    options=frozenset({"$select", "$expand"}),
)
REF_SHAPE = Shape(type_name="string", properties=frozenset(), options=frozenset())


class ReferenceBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    odata_id: str = msgspec.field(name="@odata.id")


def references_of(package: AccessPackage, relation: Relation) -> list[Reference]:
    if relation == "incompatibleGroups":
        return package.incompatible_groups
    return package.incompatible_access_packages


def list_groups(call: Call) -> Answer:
    options = call.options(GROUP_SHAPE)
    package = call.package(call.ids[0], Right.READ)
    return collection(
        call,
        _visible_ids(call, package, "incompatibleGroups"),
        lambda group_id: _group(call, group_id, options),
        options=options,
        context="groups",
    )


def list_incompatible_packages(call: Call) -> Answer:
    package = call.package(call.ids[0], Right.READ)
    return _packages(call, _visible_ids(call, package, "incompatibleAccessPackages"))


def list_incompatible_with(call: Call) -> Answer:
    """The reverse view: packages that name this one as incompatible."""
    wanted = call.package(call.ids[0], Right.READ).id.lower()
    naming = [
        package.id
        for package in call.simulator.tenant.access_packages
        if wanted in {reference.id.lower() for reference in package.incompatible_access_packages}
    ]
    return _packages(call, naming)


def list_group_refs(call: Call) -> Answer:
    return _refs(call, "incompatibleGroups")


def list_package_refs(call: Call) -> Answer:
    return _refs(call, "incompatibleAccessPackages")


def add_group(call: Call) -> Answer:
    return _add(call, "incompatibleGroups")


def add_package(call: Call) -> Answer:
    return _add(call, "incompatibleAccessPackages")


def remove_group(call: Call) -> Answer:
    return _remove(call, "incompatibleGroups")


def remove_package(call: Call) -> Answer:
    return _remove(call, "incompatibleAccessPackages")


def _packages(call: Call, package_ids: list[str]) -> Answer:
    options = call.options(RELATED_PACKAGE_SHAPE)
    known = call.index.packages
    found = [known[name.lower()] for name in package_ids if name.lower() in known]
    return collection(
        call,
        found,
        lambda package: render_package(call, package, options),
        options=options,
        context="identityGovernance/entitlementManagement/accessPackages",
    )


def _refs(call: Call, relation: Relation) -> Answer:
    options = call.options(REF_SHAPE)
    package = call.package(call.ids[0], Right.READ)
    return collection(
        call,
        _visible_ids(call, package, relation),
        lambda related_id: f"{call.simulator.root}{PATHS[relation]}{related_id}",
        options=options,
        context="Collection($ref)",
    )


def _group(call: Call, group_id: str, options: Options) -> dict[str, object]:
    group = call.index.groups.get(group_id.lower())
    name = group.display_name if group else None
    return options.project({"id": group_id, "displayName": name})


def _add(call: Call, relation: Relation) -> Answer:
    refuse_query(call.request.query)
    package = call.package(call.ids[0], Right.MANAGE)
    related_id = _named_id(call, relation)
    _refuse_unsuitable(call, package, relation, related_id)
    references = references_of(package, relation)
    present = next((one for one in references if one.id.lower() == related_id.lower()), None)
    if present is not None:
        return _repeated(call, present)
    _remember_visible(call, package, relation)
    references.append(Reference(id=related_id, additions=1))
    return Answer(status=204)


def _remove(call: Call, relation: Relation) -> Answer:
    refuse_query(call.request.query)
    package = call.package(call.ids[0], Right.MANAGE)
    references = references_of(package, relation)
    present = [one for one in references if one.id.lower() == call.ids[1].lower()]
    if not present and call.behaviour.remove_absent == "not-found":
        raise not_found(f"'{call.ids[1]}' is not one of the {relation} of this access package.")
    if present:
        _remember_visible(call, package, relation)
        references.remove(present[0])
    return Answer(status=204)


def _named_id(call: Call, relation: Relation) -> str:
    """The id at the end of `@odata.id`, which must be a URL of this very Graph."""
    address = call.body(ReferenceBody).odata_id
    prefix = f"{call.simulator.root}{PATHS[relation]}"
    related_id = address.removeprefix(prefix)
    if not address.startswith(prefix) or not GUID.fullmatch(related_id):
        raise bad_request(f"Invalid value '{address}' for @odata.id of {relation}.")
    return related_id


def _refuse_unsuitable(
    call: Call, package: AccessPackage, relation: Relation, related_id: str
) -> None:
    if relation == "incompatibleGroups":
        group = call.index.groups.get(related_id.lower())
        if group is None or not group.security_enabled:
            raise _refusal(
                call.behaviour.unknown_reference, f"'{related_id}' is not a security group."
            )
        return
    if related_id.lower() == package.id.lower():
        raise _refusal(
            call.behaviour.self_reference, "An access package cannot be incompatible with itself."
        )
    if call.behaviour.other_catalog_required:
        call.package(related_id, Right.MANAGE)
    if related_id.lower() not in call.index.packages:
        raise _refusal(
            call.behaviour.unknown_reference, f"The access package '{related_id}' does not exist."
        )


def _refusal(status: int, message: str) -> GraphError:
    return bad_request(message) if status == HTTPStatus.BAD_REQUEST else not_found(message)


def _repeated(call: Call, present: Reference) -> Answer:
    match call.behaviour.duplicate_reference:
        case "no-content":
            present.additions += 1
            return Answer(status=204)
        case "bad-request":
            raise bad_request("One or more added object references already exist.")
        case "conflict":
            raise conflict("One or more added object references already exist.")


def _visible_ids(call: Call, package: AccessPackage, relation: Relation) -> list[str]:
    """What a reader sees: for a while after a write, what was there before it."""
    key = (package.id, relation)
    stale = call.simulator.stale.get(key)
    if stale is None:
        return [reference.id for reference in references_of(package, relation)]
    stale.reads_left -= 1
    if stale.reads_left <= 0:
        del call.simulator.stale[key]
    return stale.ids


def _remember_visible(call: Call, package: AccessPackage, relation: Relation) -> None:
    lag_reads = call.behaviour.lag_reads
    if lag_reads <= 0:
        return
    key = (package.id, relation)
    before = [reference.id for reference in references_of(package, relation)]
    stale = call.simulator.stale.setdefault(key, Stale(ids=before, reads_left=lag_reads))
    stale.reads_left = lag_reads
