"""One small tenant, twice: as the simulator loads it, and in memory."""

from dataclasses import replace

from entra_sod.domain.entra import AccessPackage, Assignment, Subject
from local.graph import tenant as simulated
from local.graph.authorization import ACCESS_PACKAGE_MANAGER, CATALOG_SCOPE
from local.memory.graph import MemoryGraph
from tests.builders import guid

FINANCE, TREASURY = guid("c1"), guid("c2")
PAY, APPROVE, ORDER = guid("a1"), guid("a2"), guid("a3")
RELEASE = guid("a4")  # in a catalog where the app has no role
UNKNOWN = guid("af")

PAYERS, READERS, OWNERS, ELIGIBLES = guid("b1"), guid("b2"), guid("b3"), guid("b4")
AUDITORS = guid("b5")
MAIL_ONLY = guid("b6")  # not security-enabled
UNKNOWN_GROUP = guid("bf")

APP_CLIENT = guid("d1")
READER_CLIENT = guid("d4")  # may read all packages, and people of the directory
PEOPLE_CLIENT = guid("d3")  # may read people of the directory, and nothing else
GUEST, GUEST_NAME = guid("e5"), "gus_fabrikam.com#EXT#@contoso.example"
ADMIN_CLIENT = guid("d2")  # may read and write in the whole tenant

ANN, BOB, CAS, DORA, EVE = guid("e1"), guid("e2"), guid("e3"), guid("e4"), guid("e5")
PEOPLE = {ANN: "Ann", BOB: "Bob", CAS: "Cas", DORA: "Dora", EVE: "Eve"}

# Ann and Bob hold both packages; Cas and Dora had one of the two; Eve's are still on their way.
HELD = {
    PAY: {
        ANN: "delivered",
        BOB: "partiallyDelivered",
        CAS: "expired",
        DORA: "delivered",
        EVE: "delivering",
    },
    APPROVE: {ANN: "delivered", BOB: "delivered", CAS: "delivered", DORA: "expired"},
    ORDER: {EVE: "delivering"},
    RELEASE: {ANN: "delivered"},
}
NAMES = {PAY: "Pay", APPROVE: "Approve", ORDER: "Order", RELEASE: "Release"}
CATALOG_OF = {PAY: FINANCE, APPROVE: FINANCE, ORDER: FINANCE, RELEASE: TREASURY}
# What Pay grants; the last one is no directory group, whatever its id looks like.
GRANTS = {
    f"Member_{PAYERS}": "AadGroup",
    f"Member_{READERS}": "AadGroup",
    f"Owner_{OWNERS}": "AadGroup",
    f"EligibleMember_{ELIGIBLES}": "AadGroup",
    f"Member_{AUDITORS}": "SharePointOnline",
    "5": "SharePointOnline",
}


def simulated_tenant() -> simulated.Tenant:
    return simulated.Tenant(
        catalogs=[
            simulated.Catalog(id=FINANCE, display_name="Finance"),
            simulated.Catalog(id=TREASURY, display_name="Treasury"),
        ],
        access_packages=[
            simulated.AccessPackage(
                id=package_id,
                catalog_id=catalog_id,
                display_name=NAMES[package_id],
                resource_role_scopes=_grants() if package_id == PAY else [],
            )
            for package_id, catalog_id in CATALOG_OF.items()
        ],
        groups=[
            simulated.Group(
                id=group,
                display_name=f"Group {group[:2]}",
                security_enabled=group != MAIL_ONLY,
                members=[object_id(each) for each in (ANN, BOB, EVE)] if group == PAYERS else [],
            )
            for group in (PAYERS, READERS, OWNERS, ELIGIBLES, AUDITORS, MAIL_ONLY)
        ],
        subjects=[
            simulated.Subject(id=person, object_id=object_id(person), display_name=name)
            for person, name in PEOPLE.items()
        ],
        assignments=[
            simulated.Assignment(
                id=assignment_id(package_id, person),
                access_package_id=package_id,
                target_id=person,
                state=state,
            )
            for package_id, holders in HELD.items()
            for person, state in holders.items()
        ],
        newcomers=[
            simulated.DirectoryObject(
                id=GUEST, display_name="Gus Guest", user_principal_name=GUEST_NAME
            )
        ],
        identities=[
            simulated.Identity(client_id=APP_CLIENT, principal_id=guid("f1"), display_name="app"),
            simulated.Identity(
                client_id=ADMIN_CLIENT,
                principal_id=guid("f2"),
                display_name="admin",
                permissions=["EntitlementManagement.ReadWrite.All", "Group.Read.All"],
            ),
            simulated.Identity(
                client_id=READER_CLIENT,
                principal_id=guid("f4"),
                display_name="reader",
                permissions=["EntitlementManagement.Read.All", "User.ReadBasic.All"],
            ),
            simulated.Identity(
                client_id=PEOPLE_CLIENT,
                principal_id=guid("f3"),
                display_name="people",
                permissions=["User.ReadBasic.All"],
            ),
        ],
        role_assignments=[
            simulated.RoleAssignment(
                principal_id=guid("f1"),
                role_definition_id=ACCESS_PACKAGE_MANAGER,
                app_scope_id=f"{CATALOG_SCOPE}{FINANCE}",
            )
        ],
    )


def memory_graph(*, page_size: int = 100) -> MemoryGraph:
    graph = MemoryGraph(
        [
            replace(package(package_id), catalog_id=catalog_id)
            for package_id, catalog_id in CATALOG_OF.items()
        ],
        {
            package_id: [assignment(package_id, person) for person in holders]
            for package_id, holders in HELD.items()
        },
        page_size=page_size,
    )
    graph.unreadable.add(RELEASE)
    graph.unsuitable_groups.update({MAIL_ONLY, UNKNOWN_GROUP})
    return graph


def package(package_id: str) -> AccessPackage:
    """What the port is to give for a single package of this tenant."""
    return AccessPackage(
        id=package_id,
        display_name=NAMES[package_id],
        member_groups=frozenset({PAYERS, READERS} if package_id == PAY else ()),
        eligible_groups=frozenset({ELIGIBLES} if package_id == PAY else ()),
    )


def assignment(package_id: str, person: str) -> Assignment:
    """What the port is to give for an assignment; Graph knows little of those on their way."""
    state = HELD[package_id][person]
    known = state != "delivering"
    return Assignment(
        id=assignment_id(package_id, person),
        state=state,
        subject=Subject(
            id=person,
            object_id=object_id(person) if known else None,
            display_name=PEOPLE[person] if known else None,
        ),
    )


def assignments(package_id: str) -> list[Assignment]:
    return [assignment(package_id, person) for person in HELD[package_id]]


def assignment_id(package_id: str, person: str) -> str:
    return guid(package_id[:2] + person[:2])


def object_id(person: str) -> str:
    return guid("0" + person[1])


def _grants() -> list[simulated.ResourceRoleScope]:
    return [
        simulated.ResourceRoleScope(
            id=f"grant-{number}",
            role=simulated.Role(
                id=f"role-{number}",
                display_name=origin_id.partition("_")[0],
                origin_system=system,
                origin_id=origin_id,
            ),
            scope=simulated.Scope(
                id=f"scope-{number}",
                display_name="Root",
                origin_id=origin_id.partition("_")[2],
                origin_system=system,
            ),
        )
        for number, (origin_id, system) in enumerate(GRANTS.items())
    ]
