"""Assignment policies: read one by one with their relations, and replaced as a whole.

PUT takes what the body says and forgets everything else; there is no PATCH in v1.0.
"""

from datetime import UTC, datetime
from typing import Literal
from uuid import uuid4

import msgspec
from msgspec import UNSET, UnsetType

from local.graph.authorization import Right
from local.graph.call import Call
from local.graph.errors import bad_request, forbidden, not_found
from local.graph.exchange import Answer
from local.graph.extensions import EXTENSION_SHAPE, rendered_extension
from local.graph.odata import Options, Shape, refuse_query
from local.graph.packages import PACKAGE_SHAPE, POLICY_PROPERTIES, render_package
from local.graph.tenant import (
    AccessPackage,
    AssignmentPolicy,
    CustomExtensionStageSetting,
    Flexible,
    FlexibleList,
    Text,
    properties,
)

CONTEXT = "identityGovernance/entitlementManagement/assignmentPolicies/$entity"
SETTING_SHAPE = Shape(
    type_name="customExtensionStageSetting",
    properties=frozenset({"id", "stage"}),
    relations={"customExtension": EXTENSION_SHAPE},
)
QUESTION_SHAPE = Shape(type_name="accessPackageQuestion", properties=frozenset())
POLICY_SHAPE = Shape(
    type_name="accessPackageAssignmentPolicy",
    properties=frozenset(POLICY_PROPERTIES),
    relations={
        "accessPackage": PACKAGE_SHAPE,
        "questions": QUESTION_SHAPE,
        "customExtensionStageSettings": SETTING_SHAPE,
    },
    options=frozenset({"$select", "$expand"}),
)

type Stage = Literal[
    "assignmentRequestCreated",
    "assignmentRequestApproved",
    "assignmentRequestGranted",
    "assignmentRequestRemoved",
    "assignmentFourteenDaysBeforeExpiration",
    "assignmentOneDayBeforeExpiration",
]


class Wire(msgspec.Struct, kw_only=True, rename="camel", forbid_unknown_fields=True):
    pass


class NamedPackage(Wire):
    id: str


class NamedExtension(Wire):
    id: str
    odata_type: str = msgspec.field(name="@odata.type")


class SettingBody(Wire):
    stage: Stage
    custom_extension: NamedExtension
    id: str | UnsetType = UNSET


class PolicyBody(Wire):
    """Everything that a policy can say; what a body leaves out is gone afterwards."""

    display_name: str
    access_package: NamedPackage
    allowed_target_scope: str
    id: str | UnsetType = UNSET
    description: Text = UNSET
    automatic_request_settings: Flexible = UNSET
    specific_allowed_targets: FlexibleList = UNSET
    expiration: Flexible = UNSET
    requestor_settings: Flexible = UNSET
    request_approval_settings: Flexible = UNSET
    review_settings: Flexible = UNSET
    notification_settings: Flexible = UNSET
    questions: list[dict[str, object]] = []
    custom_extension_stage_settings: list[SettingBody] = []


def get_policy(call: Call) -> Answer:
    options = call.options(POLICY_SHAPE)
    package, policy = _policy(call, Right.READ)
    body = _rendered(call, package, policy, options)
    return Answer(body={"@odata.context": call.context(CONTEXT)} | body)


def replace_policy(call: Call) -> Answer:
    refuse_query(call.request.query)
    package, present = _policy(call, Right.MANAGE)
    body = call.body(PolicyBody)
    _refuse_another(package, present, body)
    kept = msgspec.structs.asdict(body)
    for name in ("access_package", "id", "custom_extension_stage_settings"):
        del kept[name]
    now = datetime.fromtimestamp(call.simulator.clock(), UTC)
    written = AssignmentPolicy(
        **kept,
        id=present.id,
        created_date_time=present.created_date_time,
        modified_date_time=now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        custom_extension_stage_settings=[
            _setting(call, package, each) for each in body.custom_extension_stage_settings
        ],
    )
    package.assignment_policies[package.assignment_policies.index(present)] = written
    return Answer(body=_rendered(call, package, written, Options()))


def _refuse_another(package: AccessPackage, policy: AssignmentPolicy, body: PolicyBody) -> None:
    if body.access_package.id.lower() != package.id.lower():
        raise bad_request("The policy belongs to another access package.")
    if body.id is not UNSET and body.id.lower() != policy.id.lower():
        raise bad_request("The id of the policy cannot be changed.")


def _setting(call: Call, package: AccessPackage, body: SettingBody) -> CustomExtensionStageSetting:
    wanted = body.custom_extension
    for each in call.simulator.tenant.custom_workflow_extensions:
        if (
            each.id.lower() == wanted.id.lower()
            and each.catalog_id.lower() == package.catalog_id.lower()
            and each.type.lstrip("#") == wanted.odata_type.lstrip("#")
        ):
            return CustomExtensionStageSetting(
                id=str(uuid4()), stage=body.stage, custom_extension_id=each.id
            )
    raise bad_request(f"The custom extension '{wanted.id}' does not exist in the catalog.")


def _policy(call: Call, right: Right) -> tuple[AccessPackage, AssignmentPolicy]:
    for package in call.simulator.tenant.access_packages:
        for policy in package.assignment_policies:
            if policy.id.lower() == call.ids[0].lower():
                return call.package(package.id, right), policy
    if right in call.grants.tenant_wide:
        raise not_found(f"The policy '{call.ids[0]}' does not exist.")
    raise forbidden()


def _rendered(
    call: Call, package: AccessPackage, policy: AssignmentPolicy, options: Options
) -> dict[str, object]:
    body = properties(policy, POLICY_PROPERTIES)
    if "accessPackage" in options.expand:
        body["accessPackage"] = render_package(call, package, options.expand["accessPackage"])
    if "questions" in options.expand:
        body["questions"] = policy.questions
    if "customExtensionStageSettings" in options.expand:
        nested = options.expand["customExtensionStageSettings"]
        body["customExtensionStageSettings"] = [
            _rendered_setting(call, each, nested) for each in policy.custom_extension_stage_settings
        ]
    return options.project(body)


def _rendered_setting(
    call: Call, setting: CustomExtensionStageSetting, options: Options
) -> dict[str, object]:
    body: dict[str, object] = {"id": setting.id, "stage": setting.stage}
    if "customExtension" in options.expand:
        known = call.simulator.tenant.custom_workflow_extensions
        found = [each for each in known if each.id == setting.custom_extension_id]
        body["customExtension"] = rendered_extension(found[0]) if found else None
    return options.project(body)
