"""Subjects of entitlement management, by the key of their resource type."""

from local.graph.assignments import SUBJECT_PROPERTIES
from local.graph.authorization import Right
from local.graph.call import Call
from local.graph.errors import not_found
from local.graph.exchange import Answer
from local.graph.odata import Shape
from local.graph.tenant import properties

SHAPE = Shape(
    type_name="accessPackageSubject",
    properties=frozenset(SUBJECT_PROPERTIES),
    options=frozenset({"$select"}),
)


def get_subject(call: Call) -> Answer:
    """One subject, for whoever may read any catalog; an object id is no key here."""
    options = call.options(SHAPE)
    call.require_anywhere(Right.READ)
    subject = call.index.subjects.get(call.ids[0].lower())
    if subject is None:
        raise not_found(f"The subject '{call.ids[0]}' does not exist.")
    context = call.context("identityGovernance/entitlementManagement/subjects/$entity")
    body = options.project(properties(subject, SUBJECT_PROPERTIES))
    return Answer(body={"@odata.context": context} | body)
