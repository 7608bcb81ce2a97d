"""Subjects of entitlement management, by their id or by the alternate key `objectId`."""

import re

from local.graph.assignments import SUBJECT_PROPERTIES
from local.graph.authorization import Right
from local.graph.call import Call
from local.graph.errors import bad_request, not_found
from local.graph.exchange import Answer
from local.graph.odata import Shape
from local.graph.tenant import Subject, properties

SHAPE = Shape(
    type_name="accessPackageSubject",
    properties=frozenset(SUBJECT_PROPERTIES),
    options=frozenset({"$select"}),
)


KEY = re.compile(r"subjects\(objectId='([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})'\)")


def get_subject(call: Call) -> Answer:
    """One subject by its own id, for a caller who may read any catalog."""
    call.require_anywhere(Right.READ)
    return _shown(call, call.index.subjects.get(call.ids[0].lower()))


def get_subject_by_object_id(call: Call) -> Answer:
    """One subject by the id of its person or service principal in the directory."""
    call.require_anywhere(Right.READ)
    found = KEY.fullmatch(call.ids[0])
    if found is None:
        raise bad_request(f"The key '{call.ids[0]}' is not well formed.")
    return _shown(call, call.index.subjects_by_object.get(found[1].lower()))


def _shown(call: Call, subject: Subject | None) -> Answer:
    options = call.options(SHAPE)
    if subject is None or subject.is_deleted:
        raise not_found(f"The subject '{call.ids[0]}' does not exist.")
    context = call.context("identityGovernance/entitlementManagement/subjects/$entity")
    body = options.project(properties(subject, SUBJECT_PROPERTIES))
    return Answer(body={"@odata.context": context} | body)
