"""The catalogs, groups and access packages of the demo tenant."""

from dataclasses import dataclass

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

FINANCE = make_id("catalog Finance")
PROCUREMENT = make_id("catalog Procurement")
# The app has no role here: what it holds cannot be read, and must be reported as unread.
TREASURY = make_id("catalog Treasury")

PAY_INVOICES = "2506aef1-3929-4d24-a61e-7c8b83d95e6f"
APPROVE_INVOICES = "d5d99728-8c0b-4ede-83d2-cf9b0e8dabfb"
POST_JOURNALS = make_id("package Post journals")
CLOSE_BOOKS = make_id("package Close the books")
READ_LEDGER = make_id("package Read the ledger")
APPROVE_EXPENSES = make_id("package Approve expenses")
MAINTAIN_VENDORS = "73eb2497-3b88-4c0a-8bb3-68ba8162beff"
ORDER_GOODS = "114d3459-3459-114d-5934-4d1159344d11"
RECEIVE_GOODS = "933a4822-aed1-445b-9623-62116cd07a39"
APPROVE_ORDERS = make_id("package Approve purchase orders")
RELEASE_PAYMENTS = make_id("package Release payments")
MANAGE_BANK_ACCOUNTS = make_id("package Manage bank accounts")
# These two give roles of one application, and no group.
RUN_PAYMENTS = make_id("package Run payments")
CLEAR_PAYMENTS = make_id("package Clear payments")
# a legacy package: it grants the group that approving invoices grants, and no rule names it
INVOICE_DESK = make_id("package Invoice desk (legacy)")
# Microsoft's documentation advises such a package for exceptions: it grants both sides for a day.
INVOICE_STAND_IN = make_id("package Invoice stand-in")

GROUP_INVOICE_PAYERS = make_id("group Invoice payers")
GROUP_INVOICE_APPROVERS = make_id("group Invoice approvers")
# granted by paying and by approving alike
GROUP_INVOICE_READERS = make_id("group Invoice readers")
GROUP_JOURNAL_POSTERS = make_id("group Journal posters")
GROUP_BOOK_CLOSERS = make_id("group Book closers")
GROUP_LEDGER_READERS = make_id("group Ledger readers")
GROUP_EXPENSE_APPROVERS = make_id("group Expense approvers")
GROUP_VENDOR_MAINTAINERS = make_id("group Vendor maintainers")
GROUP_BUYERS = make_id("group Buyers")
# a Microsoft 365 group for mail and files, not security-enabled
GROUP_PROCUREMENT_TEAM = make_id("group Procurement team")
GROUP_GOODS_RECEIVERS = make_id("group Goods receivers")
GROUP_ORDER_APPROVERS = make_id("group Purchase order approvers")
GROUP_PAYMENT_RELEASERS = make_id("group Payment releasers")
GROUP_BANK_ACCOUNT_MANAGERS = make_id("group Bank account managers")
# granted by no package
GROUP_EXTERNAL_AUDITORS = "c0a74b4d-2694-4d5d-a964-1bee4ff0aaf2"

CREATED = "2024-03-11T08:30:00Z"
VENDOR_SITE = "https://contoso.sharepoint.com/sites/vendors"
# the object id of its service principal
PAYMENTS_APP = make_id("app Payments")
PAYMENTS_APP_NAME = "Payments"
APP_ROLES = {RUN_PAYMENTS: "Run payments", CLEAR_PAYMENTS: "Clear payments"}


@dataclass(frozen=True, slots=True)
class Grant:
    """A role on a group: Member, Owner or EligibleMember."""

    group_id: str
    kind: str = "Member"


@dataclass(frozen=True, slots=True)
class Plan:
    catalog_id: str
    name: str
    grants: tuple[Grant, ...]


GROUP_NAMES = {
    GROUP_INVOICE_PAYERS: "Invoice payers",
    GROUP_INVOICE_APPROVERS: "Invoice approvers",
    GROUP_INVOICE_READERS: "Invoice readers",
    GROUP_JOURNAL_POSTERS: "Journal posters",
    GROUP_BOOK_CLOSERS: "Book closers",
    GROUP_LEDGER_READERS: "Ledger readers",
    GROUP_EXPENSE_APPROVERS: "Expense approvers",
    GROUP_VENDOR_MAINTAINERS: "Vendor maintainers",
    GROUP_BUYERS: "Buyers",
    GROUP_PROCUREMENT_TEAM: "Procurement team",
    GROUP_GOODS_RECEIVERS: "Goods receivers",
    GROUP_ORDER_APPROVERS: "Purchase order approvers",
    GROUP_PAYMENT_RELEASERS: "Payment releasers",
    GROUP_BANK_ACCOUNT_MANAGERS: "Bank account managers",
    GROUP_EXTERNAL_AUDITORS: "External auditors",
}

PLANS = {
    PAY_INVOICES: Plan(
        FINANCE, "Pay invoices", (Grant(GROUP_INVOICE_PAYERS), Grant(GROUP_INVOICE_READERS))
    ),
    APPROVE_INVOICES: Plan(
        FINANCE, "Approve invoices", (Grant(GROUP_INVOICE_APPROVERS), Grant(GROUP_INVOICE_READERS))
    ),
    POST_JOURNALS: Plan(FINANCE, "Post journals", (Grant(GROUP_JOURNAL_POSTERS),)),
    CLOSE_BOOKS: Plan(
        FINANCE, "Close the books", (Grant(GROUP_BOOK_CLOSERS), Grant(GROUP_LEDGER_READERS))
    ),
    READ_LEDGER: Plan(FINANCE, "Read the ledger", (Grant(GROUP_LEDGER_READERS),)),
    APPROVE_EXPENSES: Plan(
        FINANCE, "Approve expenses", (Grant(GROUP_EXPENSE_APPROVERS, "EligibleMember"),)
    ),
    MAINTAIN_VENDORS: Plan(PROCUREMENT, "Maintain vendors", (Grant(GROUP_VENDOR_MAINTAINERS),)),
    ORDER_GOODS: Plan(
        PROCUREMENT, "Order goods", (Grant(GROUP_BUYERS), Grant(GROUP_PROCUREMENT_TEAM))
    ),
    RECEIVE_GOODS: Plan(PROCUREMENT, "Receive goods", (Grant(GROUP_GOODS_RECEIVERS),)),
    APPROVE_ORDERS: Plan(
        PROCUREMENT, "Approve purchase orders", (Grant(GROUP_ORDER_APPROVERS, "Owner"),)
    ),
    RELEASE_PAYMENTS: Plan(TREASURY, "Release payments", (Grant(GROUP_PAYMENT_RELEASERS),)),
    MANAGE_BANK_ACCOUNTS: Plan(
        TREASURY, "Manage bank accounts", (Grant(GROUP_BANK_ACCOUNT_MANAGERS),)
    ),
    RUN_PAYMENTS: Plan(FINANCE, "Run payments", ()),
    CLEAR_PAYMENTS: Plan(FINANCE, "Clear payments", ()),
    INVOICE_DESK: Plan(FINANCE, "Invoice desk (legacy)", (Grant(GROUP_INVOICE_APPROVERS),)),
    INVOICE_STAND_IN: Plan(
        FINANCE,
        "Invoice stand-in",
        (Grant(GROUP_INVOICE_PAYERS), Grant(GROUP_INVOICE_APPROVERS)),
    ),
}


def catalogs() -> list[Catalog]:
    names = {FINANCE: "Finance", PROCUREMENT: "Procurement", TREASURY: "Treasury"}
    return [
        Catalog(
            id=catalog_id,
            display_name=name,
            description=f"Access that the {name.lower()} department gives",
            created_date_time=CREATED,
            modified_date_time=CREATED,
        )
        for catalog_id, name in names.items()
    ]


def packages() -> list[AccessPackage]:
    return [_package(package_id, plan) for package_id, plan in PLANS.items()]


def groups(members: dict[str, list[str]]) -> list[Group]:
    return [
        Group(
            id=group_id,
            display_name=name,
            security_enabled=group_id != GROUP_PROCUREMENT_TEAM,
            members=members.get(group_id, []),
        )
        for group_id, name in GROUP_NAMES.items()
    ]


def policy_id(package_id: str) -> str:
    return make_id(f"policy {package_id}")


def _package(package_id: str, plan: Plan) -> AccessPackage:
    role_scopes = [_group_role_scope(grant) for grant in plan.grants]
    if package_id == MAINTAIN_VENDORS:
        role_scopes.append(_site_role_scope())
    if package_id in APP_ROLES:
        role_scopes.append(_app_role_scope(APP_ROLES[package_id]))
    policy = AssignmentPolicy(id=policy_id(package_id), display_name="Employees")
    if package_id == INVOICE_STAND_IN:
        policy.expiration = {"type": "afterDuration", "duration": "P1D", "endDateTime": None}
    return AccessPackage(
        id=package_id,
        catalog_id=plan.catalog_id,
        display_name=plan.name,
        description=f"Lets its holder {plan.name[0].lower()}{plan.name[1:]}",
        is_hidden=False,
        created_date_time=CREATED,
        modified_date_time=CREATED,
        resource_role_scopes=role_scopes,
        assignment_policies=[policy],
    )


def _group_role_scope(grant: Grant) -> ResourceRoleScope:
    return _role_scope(
        role=Role(
            id=make_id(f"role {grant.kind} {grant.group_id}"),
            display_name="Eligible Member" if grant.kind == "EligibleMember" else grant.kind,
            origin_system="AadGroup",
            origin_id=f"{grant.kind}_{grant.group_id}",
            resource=_resource("AadGroup", grant.group_id, _group_name(grant.group_id)),
        ),
        scope=Scope(
            id=make_id(f"scope {grant.group_id}"),
            display_name="Root",
            description="Root Scope",
            origin_id=grant.group_id,
            origin_system="AadGroup",
        ),
    )


def _site_role_scope() -> ResourceRoleScope:
    return _role_scope(
        role=Role(
            id=make_id("role vendor site"),
            display_name="Vendors Members",
            origin_system="SharePointOnline",
            # a site numbers its roles
            origin_id="5",
            resource=_resource("SharePointOnline", VENDOR_SITE, "Vendors"),
        ),
        scope=Scope(
            id=make_id("scope vendor site"),
            display_name="Root",
            description="Root Scope",
            origin_id=VENDOR_SITE,
            origin_system="SharePointOnline",
        ),
    )


def _app_role_scope(name: str) -> ResourceRoleScope:
    return _role_scope(
        role=Role(
            id=make_id(f"role {PAYMENTS_APP} {name}"),
            display_name=name,
            origin_system="AadApplication",
            origin_id=make_id(f"app role {name}"),
            resource=_resource("AadApplication", PAYMENTS_APP, PAYMENTS_APP_NAME),
        ),
        scope=Scope(
            id=make_id(f"scope {PAYMENTS_APP}"),
            display_name="Root",
            description="Root Scope",
            origin_id=PAYMENTS_APP,
            origin_system="AadApplication",
        ),
    )


def _group_name(group_id: str) -> str:
    return GROUP_NAMES.get(group_id, "")


def _resource(system: str, origin_id: str, name: str) -> Resource:
    return Resource(
        id=make_id(f"resource {origin_id}"),
        display_name=name,
        origin_id=origin_id,
        origin_system=system,
    )


def _role_scope(*, role: Role, scope: Scope) -> ResourceRoleScope:
    return ResourceRoleScope(
        id=f"{role.id}_{scope.id}", role=role, scope=scope, created_date_time=CREATED
    )
