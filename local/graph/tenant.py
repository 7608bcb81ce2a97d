"""The state of a tenant: what the simulator answers from, and what a test may load and read back.

The JSON form uses Graph's own property names. Relations are kept as ids (`catalogId`,
`accessPackageId`, `targetId`), which Graph itself never shows. An optional property that is left
out of the JSON is left out of Graph's answers too.
"""

from collections.abc import Mapping
from copy import copy
from pathlib import Path
from typing import Self

import msgspec
from msgspec import UNSET, UnsetType

Text = str | None | UnsetType
Flag = bool | UnsetType
# parts that the simulator keeps and gives back, and does not look into
Flexible = dict[str, object] | None | UnsetType
FlexibleList = list[dict[str, object]] | None | UnsetType


class Record(msgspec.Struct, kw_only=True, rename="camel", forbid_unknown_fields=True):
    pass


class Catalog(Record):
    id: str
    display_name: str
    description: Text = UNSET
    catalog_type: str = "userManaged"
    state: str = "published"
    is_externally_visible: bool = False
    created_date_time: Text = UNSET
    modified_date_time: Text = UNSET


class Resource(Record):
    """What has roles: a group, an application, a site, a directory role, an Azure scope."""

    id: str
    display_name: Text
    origin_id: str
    origin_system: str
    description: Text = UNSET


class Role(Record):
    id: str
    display_name: str
    origin_system: str
    # Member_{group}, Owner_{group}, EligibleMember_{group}; elsewhere the resource's own number
    origin_id: str
    description: Text = UNSET
    # active or eligible, of an Azure role only
    type: Text = UNSET
    # Graph shows it where it is expanded, and then as null where the tenant has none
    resource: Resource | None = None


class Scope(Record):
    id: str
    display_name: str
    origin_id: str
    origin_system: str
    description: Text = UNSET
    is_root_scope: bool = True


class ResourceRoleScope(Record):
    id: str
    role: Role
    scope: Scope
    created_date_time: Text = UNSET


class CustomWorkflowExtension(Record):
    id: str
    catalog_id: str
    # Graph's @odata.type
    type: str
    display_name: str
    description: Text = UNSET
    created_date_time: Text = UNSET
    endpoint_configuration: Flexible = UNSET
    authentication_configuration: Flexible = UNSET
    # absent where Entra does not wait for the extension's answer
    callback_configuration: Flexible = UNSET


class CustomExtensionStageSetting(Record):
    id: str
    stage: str
    custom_extension_id: str


class AssignmentPolicy(Record):
    id: str
    display_name: str
    description: Text = UNSET
    allowed_target_scope: str = "allMemberUsers"
    created_date_time: Text = UNSET
    modified_date_time: Text = UNSET
    automatic_request_settings: Flexible = UNSET
    specific_allowed_targets: FlexibleList = UNSET
    expiration: Flexible = UNSET
    requestor_settings: Flexible = UNSET
    request_approval_settings: Flexible = UNSET
    review_settings: Flexible = UNSET
    notification_settings: Flexible = UNSET
    questions: list[dict[str, object]] = []
    custom_extension_stage_settings: list[CustomExtensionStageSetting] = []


class Reference(Record):
    id: str
    # successful adds through Graph, repeated ones included; 0 where the tenant was loaded with it
    additions: int = 0


class AccessPackage(Record):
    id: str
    catalog_id: str
    display_name: str
    description: Text = UNSET
    is_hidden: Flag = UNSET
    created_date_time: Text = UNSET
    modified_date_time: Text = UNSET
    resource_role_scopes: list[ResourceRoleScope] = []
    assignment_policies: list[AssignmentPolicy] = []
    incompatible_groups: list[Reference] = []
    incompatible_access_packages: list[Reference] = []


class Group(Record):
    id: str
    display_name: str
    security_enabled: bool = True
    # ["Unified"] makes it a Microsoft 365 group
    group_types: list[str] = []
    # object ids of people
    members: list[str] = []


class Subject(Record):
    id: str
    object_id: Text = UNSET
    display_name: Text = UNSET
    email: Text = UNSET
    principal_name: Text = UNSET
    subject_type: str | UnsetType = UNSET
    # deleted in the directory: assignments still show the subject, nothing else finds it
    is_deleted: bool = False


class DirectoryObject(Record):
    """A person or service principal that entitlement management has not met yet."""

    id: str
    display_name: str
    # user or servicePrincipal
    type: str = "user"
    user_principal_name: Text = UNSET


class Assignment(Record):
    id: str
    access_package_id: str
    # the subject's entitlement-management id, not the object id; None shows a null target
    target_id: str | None
    assignment_policy_id: str | None = None
    state: str = "delivered"
    status: Text = UNSET
    expired_date_time: Text = UNSET
    schedule: Flexible = UNSET


class AssignmentRequest(Record):
    id: str
    request_type: str
    state: str
    status: str
    access_package_id: str
    target_id: str
    # set while the request waits for the answer of a custom extension
    stage: str | None = None
    stage_instance_id: str | None = None
    created_date_time: Text = UNSET


class Identity(Record):
    client_id: str
    # object id of the service principal: what role assignments name
    principal_id: str
    display_name: str
    # Graph application permissions, for example EntitlementManagement.Read.All
    permissions: list[str] = []


class RoleAssignment(Record):
    principal_id: str
    role_definition_id: str
    app_scope_id: str
    id: str = ""


class Tenant(Record):
    catalogs: list[Catalog] = []
    access_packages: list[AccessPackage] = []
    custom_workflow_extensions: list[CustomWorkflowExtension] = []
    groups: list[Group] = []
    subjects: list[Subject] = []
    # the subjects with an object id are in the directory as well
    newcomers: list[DirectoryObject] = []
    assignments: list[Assignment] = []
    assignment_requests: list[AssignmentRequest] = []
    identities: list[Identity] = []
    role_assignments: list[RoleAssignment] = []

    def snapshot(self) -> Self:
        """A deep copy that later writes do not reach.

        Assignments and subjects, which may be hundreds of thousands, are copied one by one: beside
        their own properties they hold only what is never written to.
        """
        few = msgspec.structs.replace(self, assignments=[], subjects=[])
        copied = msgspec.json.decode(msgspec.json.encode(few), type=type(self))
        copied.assignments = [copy(each) for each in self.assignments]
        copied.subjects = [copy(each) for each in self.subjects]
        return copied


def decode(content: bytes) -> Tenant:
    return msgspec.json.decode(content, type=Tenant)


def load(path: Path) -> Tenant:
    return decode(path.read_bytes())


def property_names(
    record: type[Record], *, without: frozenset[str] = frozenset()
) -> dict[str, str]:
    """JSON name to attribute name of a type's own properties."""
    names = zip(record.__struct_encode_fields__, record.__struct_fields__, strict=True)
    return {name: attribute for name, attribute in names if name not in without}


def properties(record: Record, names: Mapping[str, str]) -> dict[str, object]:
    """The properties that a record has, under their JSON names; the unset ones are absent."""
    values = {name: getattr(record, attribute) for name, attribute in names.items()}
    return {name: value for name, value in values.items() if value is not UNSET}
