"""The demo tenant: a finance company whose packages make believable conflicts.

The same in every run. Seven people both pay and approve invoices, four maintain vendors and pay
invoices, five post journals and close the books; ordering and receiving goods are clear of each
other, though expired assignments would say otherwise.
"""

from collections import defaultdict

from local.graph.authorization import ACCESS_PACKAGE_MANAGER, ASSIGNMENT_MANAGER, CATALOG_SCOPE
from local.graph.demo_packages import (
    APPROVE_EXPENSES,
    APPROVE_INVOICES,
    APPROVE_ORDERS,
    CLEAR_PAYMENTS,
    CLOSE_BOOKS,
    FINANCE,
    GROUP_EXPENSE_APPROVERS,
    GROUP_EXTERNAL_AUDITORS,
    GROUP_PROCUREMENT_TEAM,
    INVOICE_DESK,
    INVOICE_STAND_IN,
    MAINTAIN_VENDORS,
    MANAGE_BANK_ACCOUNTS,
    ORDER_GOODS,
    PAY_INVOICES,
    PLANS,
    POST_JOURNALS,
    PROCUREMENT,
    READ_LEDGER,
    RECEIVE_GOODS,
    RELEASE_PAYMENTS,
    RUN_PAYMENTS,
    TREASURY,
    catalogs,
    groups,
    packages,
    policy_id,
)
from local.graph.demo_people import guest, make_id, object_id, people, robot, subject_id
from local.graph.tenant import (
    Assignment,
    AssignmentRequest,
    Identity,
    RoleAssignment,
    Tenant,
)

__all__ = [
    "APPROVE_EXPENSES",
    "APPROVE_INVOICES",
    "APPROVE_ORDERS",
    "APP_CLIENT_ID",
    "APP_PRINCIPAL_ID",
    "CLEAR_PAYMENTS",
    "CLOSE_BOOKS",
    "FINANCE",
    "GROUP_EXPENSE_APPROVERS",
    "GROUP_EXTERNAL_AUDITORS",
    "GROUP_PROCUREMENT_TEAM",
    "HELPDESK_CLIENT_ID",
    "HELPDESK_PRINCIPAL_ID",
    "INVOICE_DESK",
    "INVOICE_STAND_IN",
    "MAINTAIN_VENDORS",
    "MANAGE_BANK_ACCOUNTS",
    "ORDER_GOODS",
    "PAY_INVOICES",
    "POST_JOURNALS",
    "PROCUREMENT",
    "READ_LEDGER",
    "RECEIVE_GOODS",
    "RELEASE_PAYMENTS",
    "RUN_PAYMENTS",
    "TREASURY",
    "WAITING_HARMLESS_REQUEST",
    "WAITING_REQUEST",
    "WAITING_STAGE_INSTANCE",
    "demo_tenant",
    "object_id",
    "policy_id",
    "subject_id",
]

APP_CLIENT_ID = make_id("client entra-sod")
APP_PRINCIPAL_ID = make_id("principal entra-sod")
HELPDESK_CLIENT_ID = make_id("client help desk")
HELPDESK_PRINCIPAL_ID = make_id("principal help desk")

# of a person who approves invoices and asks to pay them, too; a custom extension has to answer
WAITING_REQUEST = make_id("request waiting")
WAITING_STAGE_INSTANCE = make_id("stage instance waiting")
WAITING_PERSON = 50
# the same of a person who holds nothing
WAITING_HARMLESS_REQUEST = make_id("harmless request waiting")
WAITING_HARMLESS_PERSON = 195

# who has what, by the numbers of people
DELIVERED: dict[str, tuple[int, ...]] = {
    PAY_INVOICES: tuple(range(39)),
    APPROVE_INVOICES: tuple(range(33, 59)),
    POST_JOURNALS: tuple(range(60, 90)),
    CLOSE_BOOKS: tuple(range(85, 99)),
    READ_LEDGER: tuple(range(0, 120, 3)),
    APPROVE_EXPENSES: tuple(range(211, 226)),
    MAINTAIN_VENDORS: (*range(4), *range(100, 126)),
    ORDER_GOODS: tuple(range(130, 170)),
    RECEIVE_GOODS: tuple(range(170, 195)),
    APPROVE_ORDERS: tuple(range(196, 211)),
    RELEASE_PAYMENTS: (10, 11, *range(226, 240)),
    MANAGE_BANK_ACCOUNTS: tuple(range(230, 236)),
    # two of them do both
    RUN_PAYMENTS: tuple(range(100, 112)),
    CLEAR_PAYMENTS: tuple(range(110, 120)),
    # two of them pay invoices, and do not hold the package for approving them
    INVOICE_DESK: (28, 29, 212, 213),
    INVOICE_STAND_IN: (204,),
}
# Those of the stand-in end within a day; all others have no end.
STAND_IN_SCHEDULE: dict[str, object] = {
    "startDateTime": "2026-11-02T07:00:00Z",
    "expiration": {"type": "afterDateTime", "endDateTime": "2026-11-03T07:00:00Z"},
}
# Counting these as held would make false conflicts.
EXPIRED: dict[str, tuple[int, ...]] = {
    APPROVE_INVOICES: tuple(range(5, 10)),
    RECEIVE_GOODS: tuple(range(150, 155)),
    PAY_INVOICES: tuple(range(45, 48)),
}
DELIVERING: dict[str, tuple[int, ...]] = {APPROVE_INVOICES: (126,), POST_JOURNALS: (127,)}
# among those who both pay and approve
PARTLY_DELIVERED: dict[str, tuple[int, ...]] = {APPROVE_INVOICES: (59,), PAY_INVOICES: (59,)}
AUDITORS = (20, 236, 237, 238)


def demo_tenant() -> Tenant:
    return Tenant(
        catalogs=catalogs(),
        access_packages=packages(),
        groups=groups(_members()),
        subjects=[*people(), robot(), guest()],
        assignments=_assignments(),
        assignment_requests=[
            _waiting_request(WAITING_REQUEST, WAITING_PERSON, WAITING_STAGE_INSTANCE),
            _waiting_request(
                WAITING_HARMLESS_REQUEST,
                WAITING_HARMLESS_PERSON,
                make_id("harmless stage instance waiting"),
            ),
        ],
        identities=_identities(),
        role_assignments=_role_assignments(),
    )


def _assignments() -> list[Assignment]:
    states: dict[str, dict[str, tuple[int, ...]]] = {
        "delivered": DELIVERED,
        "partiallyDelivered": PARTLY_DELIVERED,
        "delivering": DELIVERING,
        "expired": EXPIRED,
    }
    listed = [
        _assignment(package_id, subject_id(number), state)
        for state, holders in states.items()
        for package_id, numbers in holders.items()
        for number in numbers
    ]
    archive = _assignment(READ_LEDGER, robot().id, "delivered")
    invited = _assignment(RECEIVE_GOODS, guest().id, "delivering")
    return [*listed, archive, invited]


def _assignment(package_id: str, target_id: str, state: str) -> Assignment:
    assignment = Assignment(
        id=make_id(f"assignment {package_id} {target_id} {state}"),
        access_package_id=package_id,
        target_id=target_id,
        assignment_policy_id=policy_id(package_id),
        state=state,
        status=state[0].upper() + state[1:],
        schedule={"startDateTime": "2026-01-05T07:00:00Z", "expiration": {"type": "noExpiration"}},
    )
    if package_id == INVOICE_STAND_IN:
        assignment.schedule = STAND_IN_SCHEDULE
    if state == "expired":
        assignment.status = "ExpiredNotificationTriggered"
        assignment.expired_date_time = "2026-06-30T22:00:00Z"
    return assignment


def _members() -> dict[str, list[str]]:
    """Who is in which group: those whom a package has put there, and the auditors."""
    members: defaultdict[str, set[int]] = defaultdict(set)
    for package_id, plan in PLANS.items():
        for grant in plan.grants:
            if grant.kind == "Member":
                members[grant.group_id].update(DELIVERED[package_id])
    members[GROUP_EXTERNAL_AUDITORS].update(AUDITORS)
    return {
        group_id: [object_id(number) for number in sorted(numbers)]
        for group_id, numbers in members.items()
    }


def _waiting_request(request_id: str, person: int, stage_instance: str) -> AssignmentRequest:
    return AssignmentRequest(
        id=request_id,
        request_type="userAdd",
        state="submitted",
        status="Accepted",
        access_package_id=PAY_INVOICES,
        target_id=subject_id(person),
        stage="assignmentRequestCreated",
        stage_instance_id=stage_instance,
        created_date_time="2026-11-02T09:15:00Z",
    )


def _identities() -> list[Identity]:
    return [
        Identity(client_id=APP_CLIENT_ID, principal_id=APP_PRINCIPAL_ID, display_name="entra-sod"),
        Identity(
            client_id=HELPDESK_CLIENT_ID,
            principal_id=HELPDESK_PRINCIPAL_ID,
            display_name="Help desk",
        ),
    ]


def _role_assignments() -> list[RoleAssignment]:
    roles = {APP_PRINCIPAL_ID: ACCESS_PACKAGE_MANAGER, HELPDESK_PRINCIPAL_ID: ASSIGNMENT_MANAGER}
    return [
        RoleAssignment(
            id=make_id(f"role assignment {principal_id} {catalog_id}"),
            principal_id=principal_id,
            role_definition_id=role,
            app_scope_id=f"{CATALOG_SCOPE}{catalog_id}",
        )
        for principal_id, role in roles.items()
        for catalog_id in (FINANCE, PROCUREMENT)
    ]
