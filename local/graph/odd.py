"""The odd tenant: what is rare in tenants, or was seen once and not documented.

The same in every run. Each oddity has a package of its own, so that a test can use it alone, and
every holder of such a package also holds COUNTERPART. local/graph/README.md lists what there is.
"""

from collections.abc import Iterable

from local.graph.authorization import ACCESS_PACKAGE_MANAGER, CATALOG_SCOPE
from local.graph.demo_people import make_id
from local.graph.odd_packages import (
    COUNTERPART,
    DECOMPOSED,
    NAMES,
    ODD,
    OUT_OF_REACH,
    WITH_GHOSTS,
    WITH_NAMES,
    WITH_NULL_TARGET,
    WITH_SCHEDULES,
    WITH_STATES,
    WITH_SUBJECT_KINDS,
    WITH_TWO_POLICIES,
    catalogs,
    groups,
    packages,
    policy_id,
)
from local.graph.tenant import Assignment, Identity, RoleAssignment, Subject, Tenant

APP_CLIENT_ID = make_id("client entra-sod")
APP_PRINCIPAL_ID = make_id("principal entra-sod")

# the documented states, the one that stands for the future, and one of the future
STATES = (
    "delivering",
    "partiallyDelivered",
    "delivered",
    "expired",
    "deliveryFailed",
    "unknownFutureValue",
    "brandNew",
)
START = "2026-01-05T07:00:00Z"
NO_EXPIRATION = {"type": "noExpiration", "endDateTime": None, "duration": None}
# Schedules by what is odd about them; each of them is of an assignment that is delivered.
SCHEDULES: dict[str, dict[str, object] | None] = {
    "null": None,
    "empty": {},
    "no expiration": {"startDateTime": START, "expiration": NO_EXPIRATION},
    "null expiration": {"startDateTime": START, "expiration": None},
    "null start": {"startDateTime": None, "expiration": NO_EXPIRATION},
    "start in year 1": {"startDateTime": "0001-01-01T00:00:00Z", "expiration": NO_EXPIRATION},
    "start in year 9999": {
        "startDateTime": "9999-12-31T23:59:59.9999999Z",
        "expiration": NO_EXPIRATION,
    },
    "end in year 1": {
        "startDateTime": START,
        "expiration": {"type": "afterDateTime", "endDateTime": "0001-01-01T00:00:00Z"},
    },
    "no expiration, end in year 1": {
        "startDateTime": START,
        "expiration": {"type": "noExpiration", "endDateTime": "0001-01-01T00:00:00Z"},
    },
    "end in year 9999": {
        "startDateTime": START,
        "expiration": {"type": "afterDateTime", "endDateTime": "9999-12-31T23:59:59.9999999Z"},
    },
    "duration of a year": {
        "startDateTime": START,
        "expiration": {"type": "afterDuration", "endDateTime": None, "duration": "P365D"},
    },
    "duration that is over": {
        "startDateTime": START,
        "expiration": {"type": "afterDuration", "endDateTime": None, "duration": "PT3H"},
    },
    "duration without a start": {
        "startDateTime": None,
        "expiration": {"type": "afterDuration", "endDateTime": None, "duration": "P1M"},
    },
    "not specified": {"startDateTime": START, "expiration": {"type": "notSpecified"}},
}

PEOPLE = (
    "ordinary",
    "twice",
    *(f"state {state}" for state in STATES),
    *(f"schedule {name}" for name in SCHEDULES),
)
# Of the second one nothing but the id is left.
GHOSTS = ("deleted", "forgotten")
KINDS = ("guest", "service principal", "agent", "future agent")


def subject_id(name: str) -> str:
    return make_id(f"subject odd {name}")


def object_id(name: str) -> str:
    return make_id(f"object odd {name}")


def assignment_id(package_id: str, holder: str, number: int = 1) -> str:
    return make_id(f"assignment odd {package_id} {holder} {number}")


def odd_tenant() -> Tenant:
    return Tenant(
        catalogs=catalogs(),
        access_packages=packages(),
        groups=groups(),
        subjects=_subjects(),
        assignments=[*_odd_assignments(), *_counterparts()],
        identities=[
            Identity(
                client_id=APP_CLIENT_ID, principal_id=APP_PRINCIPAL_ID, display_name="entra-sod"
            )
        ],
        role_assignments=[
            RoleAssignment(
                id=make_id(f"role assignment {catalog_id}"),
                principal_id=APP_PRINCIPAL_ID,
                role_definition_id=ACCESS_PACKAGE_MANAGER,
                app_scope_id=f"{CATALOG_SCOPE}{catalog_id}",
            )
            for catalog_id in (ODD, DECOMPOSED)
        ],
    )


def _subjects() -> list[Subject]:
    deleted = _person("deleted")
    deleted.is_deleted = True
    return [
        *(_person(name) for name in PEOPLE),
        *(_named_person(oddity) for oddity in NAMES),
        deleted,
        _other("guest", "user", has_object_id=False),
        _other("service principal", "servicePrincipal", has_object_id=True),
        _other("agent", "servicePrincipal", has_object_id=False),
        _other("future agent", "unknownFutureValue", has_object_id=True),
    ]


def _person(name: str) -> Subject:
    address = f"{name.replace(' ', '.').replace(',', '')}@contoso.com"
    return Subject(
        id=subject_id(name),
        object_id=object_id(name),
        display_name=f"Person of {name}",
        email=address,
        principal_name=address,
        subject_type="user",
    )


def _named_person(oddity: str) -> Subject:
    person = _person(f"name {oddity}")
    person.display_name = NAMES[oddity]
    return person


def _other(name: str, subject_type: str, *, has_object_id: bool) -> Subject:
    return Subject(
        id=subject_id(name),
        object_id=object_id(name) if has_object_id else None,
        display_name=f"Odd {name}" if has_object_id else None,
        email=None,
        principal_name=None,
        subject_type=subject_type,
    )


def _odd_assignments() -> list[Assignment]:
    null_target = _assignment(WITH_NULL_TARGET, "null")
    null_target.target_id = None
    second = _assignment(WITH_TWO_POLICIES, "twice", number=2)
    return [
        _assignment(WITH_NULL_TARGET, "ordinary"),
        null_target,
        *(_assignment(WITH_GHOSTS, ghost) for ghost in GHOSTS),
        *(_assignment(WITH_SUBJECT_KINDS, kind) for kind in KINDS),
        _assignment(WITH_TWO_POLICIES, "twice"),
        second,
        *(_assignment(WITH_STATES, f"state {state}", state=state) for state in STATES),
        *(_scheduled(name, schedule) for name, schedule in SCHEDULES.items()),
        *(_assignment(WITH_NAMES, f"name {oddity}") for oddity in NAMES),
        _assignment(OUT_OF_REACH, "ordinary"),
    ]


def _counterparts() -> Iterable[Assignment]:
    named = [f"name {oddity}" for oddity in NAMES]
    holders = [*PEOPLE, *named, *GHOSTS, *KINDS]
    return (_assignment(COUNTERPART, holder) for holder in holders)


def _assignment(
    package_id: str, holder: str, *, state: str = "delivered", number: int = 1
) -> Assignment:
    return Assignment(
        id=assignment_id(package_id, holder, number),
        access_package_id=package_id,
        target_id=subject_id(holder),
        assignment_policy_id=policy_id(package_id, number),
        state=state,
        status=state[0].upper() + state[1:],
        schedule={"startDateTime": START, "expiration": NO_EXPIRATION},
    )


def _scheduled(name: str, schedule: dict[str, object] | None) -> Assignment:
    assignment = _assignment(WITH_SCHEDULES, f"schedule {name}")
    assignment.schedule = schedule
    return assignment
