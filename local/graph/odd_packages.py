"""The access packages of the odd tenant: what they grant, and how they are named."""

from local.graph.demo_people import make_id
from local.graph.tenant import (
    AccessPackage,
    AssignmentPolicy,
    Catalog,
    Group,
    Resource,
    ResourceRoleScope,
    Role,
    Scope,
)

ODD = make_id("catalog odd")
# The app has no role here, as in the demo tenant's Treasury.
ELSEWHERE = make_id("catalog elsewhere")
# Its name is decomposed; the app manages it.
DECOMPOSED = make_id("catalog decomposed")

GROUP_PAYERS = make_id("group odd payers")
GROUP_APPROVERS = make_id("group odd approvers")
GROUP_TEAM = make_id("group odd team")

# Packages by what their assignments have that is odd. Each holder holds COUNTERPART, too.
COUNTERPART = make_id("package odd counterpart")
WITH_NULL_TARGET = make_id("package odd null target")
WITH_GHOSTS = make_id("package odd ghosts")
WITH_SUBJECT_KINDS = make_id("package odd subject kinds")
WITH_TWO_POLICIES = make_id("package odd two policies")
WITH_STATES = make_id("package odd states")
WITH_SCHEDULES = make_id("package odd schedules")
WITH_NAMES = make_id("package odd names")
# Where the app cannot read it.
OUT_OF_REACH = make_id("package odd out of reach")
# the one package of the catalog DECOMPOSED
IN_DECOMPOSED = make_id("package odd in decomposed")

# Packages by what they grant.
GRANTS_PAYERS = make_id("package odd member of payers")
GRANTS_APPROVERS = make_id("package odd member of approvers")
# the third package that grants what two exclusive ones grant, for a day
OVERRIDE = make_id("package odd override")
GRANTS_OWNER = make_id("package odd owner")
GRANTS_ELIGIBLE_MEMBER = make_id("package odd eligible member")
GRANTS_ELIGIBLE_OWNER = make_id("package odd eligible owner")
GRANTS_TEAM = make_id("package odd team")
GRANTS_APP_ROLE = make_id("package odd app role")
GRANTS_SITE_ROLE = make_id("package odd site role")
GRANTS_DIRECTORY_ROLE = make_id("package odd directory role")
GRANTS_AZURE_ROLE = make_id("package odd azure role")
GRANTS_ELIGIBLE_AZURE_ROLE = make_id("package odd eligible azure role")
GRANTS_NOTHING = make_id("package odd nothing")

VISIBLE_NAMES = {
    COUNTERPART: "Counterpart of all",
    WITH_NULL_TARGET: "With a null target",
    WITH_GHOSTS: "With ghosts",
    WITH_SUBJECT_KINDS: "With guests and agents",
    WITH_TWO_POLICIES: "With two policies",
    WITH_STATES: "With all states",
    WITH_SCHEDULES: "With all schedules",
    WITH_NAMES: "With people of all names",
    GRANTS_PAYERS: "Payers",
    GRANTS_APPROVERS: "Approvers",
    OVERRIDE: "Payers and approvers for a day",
    GRANTS_OWNER: "Owner of a group",
    GRANTS_ELIGIBLE_MEMBER: "Eligible member of a group",
    GRANTS_ELIGIBLE_OWNER: "Eligible owner of a group",
    GRANTS_TEAM: "Member of a Microsoft 365 group",
    GRANTS_APP_ROLE: "Role of an application",
    GRANTS_SITE_ROLE: "Role of a site",
    GRANTS_DIRECTORY_ROLE: "Directory role",
    GRANTS_AZURE_ROLE: "Azure role",
    GRANTS_ELIGIBLE_AZURE_ROLE: "Eligible Azure role",
    GRANTS_NOTHING: "Nothing at all",
}
# What people and attackers type, by what is odd about it.
NAMES = {
    "composed": "Zahlung pr\u00fcfen",
    "decomposed": "Zahlung pru\u0308fen",
    "blanks": " Pay\u00a0 invoices ",
    "rich markup": "Pay [/] invoices [bold red]now[/bold red] [link=https://evil.example]x[/link]",
    "html": "<img src=x onerror=alert(1)> & \"quoted\" 'twice' </script>",
    "markdown": "**Pay** | invoices | `code` @team #1 [x](https://evil.example)",
    "formula": "=1+1;x",
    "full-width formula": "\uff1d1+1",
    "terminal escape": "Pay \u001b[2J\u001b]8;;https://evil.example\u0007invoices\u001b[0m",
    "line breaks": "Pay\r\ninvoices\u2028and\u0085more\u0000",
    "bidi": "Pay \u202eseciovni\u202c \u2066x\u2069",
    "zero width": "Pay\u200b in\u200dvoices\ufeff",
    "empty": "",
    "long": "Pay invoices " * 3_077,  # 40,001 characters
}


def named(oddity: str) -> str:
    """The id of the package whose name has this oddity."""
    return make_id(f"package odd name {oddity}")


def catalogs() -> list[Catalog]:
    return [
        Catalog(id=ODD, display_name="Odd"),
        Catalog(id=ELSEWHERE, display_name="Elsewhere"),
        Catalog(id=DECOMPOSED, display_name="Pru\u0308fung"),
    ]


def groups() -> list[Group]:
    return [
        Group(id=GROUP_PAYERS, display_name="Payers"),
        Group(id=GROUP_APPROVERS, display_name="Approvers"),
        Group(id=GROUP_TEAM, display_name="Team", security_enabled=False, group_types=["Unified"]),
    ]


def packages() -> list[AccessPackage]:
    plain = [_package(key, name, GRANTS.get(key, [])) for key, name in VISIBLE_NAMES.items()]
    for package in plain:
        if package.id == WITH_TWO_POLICIES:
            package.assignment_policies.append(
                AssignmentPolicy(id=policy_id(package.id, 2), display_name="External people")
            )
        if package.id == OVERRIDE:
            package.assignment_policies[0].expiration = {
                "type": "afterDuration",
                "duration": "P1D",
                "endDateTime": None,
            }
    named_oddly = [_package(named(oddity), name, []) for oddity, name in NAMES.items()]
    out_of_reach = _package(OUT_OF_REACH, "Out of reach", [])
    out_of_reach.catalog_id = ELSEWHERE
    in_decomposed = _package(IN_DECOMPOSED, "In a catalog with a decomposed name", [])
    in_decomposed.catalog_id = DECOMPOSED
    return [*plain, *named_oddly, out_of_reach, in_decomposed]


def policy_id(package_id: str, number: int = 1) -> str:
    return make_id(f"policy odd {package_id} {number}")


def _package(package_id: str, name: str, grants: list[ResourceRoleScope]) -> AccessPackage:
    policy = AssignmentPolicy(id=policy_id(package_id), display_name="Employees")
    return AccessPackage(
        id=package_id,
        catalog_id=ODD,
        display_name=name,
        is_hidden=False,
        resource_role_scopes=grants,
        assignment_policies=[policy],
    )


def _grant(
    system: str,
    role_id: str,
    resource_id: str,
    *,
    name: str,
    role_type: str | None = None,
    resource_name: str | None = None,
) -> ResourceRoleScope:
    role = Role(
        id=make_id(f"role odd {system} {role_id} {resource_id}"),
        display_name=name,
        origin_system=system,
        origin_id=role_id,
        resource=Resource(
            id=make_id(f"resource odd {system} {resource_id}"),
            display_name=resource_name,
            origin_id=resource_id,
            origin_system=system,
        ),
    )
    if role_type is not None:
        role.type = role_type
    scope = Scope(
        id=make_id(f"scope odd {system} {resource_id}"),
        display_name="Root",
        origin_id=resource_id,
        origin_system=system,
    )
    return ResourceRoleScope(id=f"{role.id}_{scope.id}", role=role, scope=scope)


def _group_grant(kind: str, group_id: str, name: str) -> ResourceRoleScope:
    group_name = {GROUP_PAYERS: "Payers", GROUP_TEAM: "Team"}.get(group_id, "Approvers")
    return _grant("AadGroup", f"{kind}_{group_id}", group_id, name=name, resource_name=group_name)


_SUBSCRIPTION = f"/subscriptions/{make_id('odd subscription')}"
_AZURE_ROLE = make_id("odd azure role")
GRANTS = {
    GRANTS_PAYERS: [_group_grant("Member", GROUP_PAYERS, "Member")],
    GRANTS_APPROVERS: [_group_grant("Member", GROUP_APPROVERS, "Member")],
    OVERRIDE: [
        _group_grant("Member", GROUP_PAYERS, "Member"),
        _group_grant("Member", GROUP_APPROVERS, "Member"),
    ],
    GRANTS_OWNER: [_group_grant("Owner", GROUP_PAYERS, "Owner")],
    GRANTS_ELIGIBLE_MEMBER: [_group_grant("EligibleMember", GROUP_PAYERS, "Eligible Member")],
    GRANTS_ELIGIBLE_OWNER: [_group_grant("EligibleOwner", GROUP_PAYERS, "Eligible Owner")],
    GRANTS_TEAM: [_group_grant("Member", GROUP_TEAM, "Member")],
    GRANTS_APP_ROLE: [
        _grant(
            "AadApplication",
            make_id("odd app role"),
            make_id("odd app"),
            name="Approver",
            resource_name="Expenses",
        )
    ],
    GRANTS_SITE_ROLE: [
        # a site numbers its roles
        _grant(
            "SharePointOnline",
            "5",
            "https://contoso.sharepoint.com/sites/odd",
            name="Members",
            resource_name="Odd site",
        )
    ],
    GRANTS_DIRECTORY_ROLE: [
        _grant(
            "DirectoryRole",
            "Eligible",
            make_id("odd directory role"),
            name="Eligible Member",
            resource_name="Billing Administrator",
        )
    ],
    GRANTS_AZURE_ROLE: [
        _grant(
            "AzureResources",
            _AZURE_ROLE,
            _SUBSCRIPTION,
            name="Owner",
            role_type="active",
            resource_name="Odd subscription",
        )
    ],
    GRANTS_ELIGIBLE_AZURE_ROLE: [
        _grant(
            "AzureResources",
            _AZURE_ROLE,
            _SUBSCRIPTION,
            name="Owner",
            role_type="eligible",
            resource_name="Odd subscription",
        )
    ],
}
