"""Pages of assignments as Graph writes them, the same in every run.

Every property of `accessPackageAssignment` and of its expanded `target` is there, also those that
the app does not read: they are most of the bytes, and every decoder has to get past them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

PAGE_SIZE = 999
_CONTEXT = (
    "https://graph.microsoft.com/v1.0/$metadata"
    "#identityGovernance/entitlementManagement/assignments(target())"
)
_NEXT = (
    "https://graph.microsoft.com/v1.0/identityGovernance/entitlementManagement/assignments"
    "?$expand=target&$skiptoken=eyJwb3NpdGlvbiI6OTk5fQ"
)
_FIRST = ("Ada", "Björn", "Chiara", "Daniel", "Elif", "Farah", "Hugo", "Inès", "Keiko", "Lars")
_LAST = ("Abara", "Berg", "Costa", "Demir", "Eriksen", "Fischer", "García", "Haddad", "Ito")


def page(people: Iterable[int], *, package: int = 0, next_link: str | None = _NEXT) -> bytes:
    """One answer with an assignment of the package for each of the people."""
    body: dict[str, object] = {"@odata.context": _CONTEXT}
    if next_link is not None:
        body["@odata.nextLink"] = next_link
    body["value"] = [_assignment(person, package) for person in people]
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def guid(kind: int, number: int) -> str:
    """An id that looks like any other and needs no table to be found again."""
    return f"{kind:08x}-5e1f-4d3c-9b7a-{number:012x}"


def _assignment(person: int, package: int) -> dict[str, object]:
    return {
        "id": guid(0xA5510000 + package, person),
        "state": "delivered",
        "status": "Delivered",
        "expiredDateTime": None,
        "schedule": {
            "startDateTime": f"2025-03-11T08:22:{person % 60:02d}.137Z",
            "recurrence": None,
            "expiration": {"endDateTime": None, "duration": None, "type": "noExpiration"},
        },
        "customExtensionCalloutInstances": [],
        "target": _target(person),
    }


def _target(person: int) -> dict[str, object]:
    name = f"{_FIRST[person % len(_FIRST)]} {_LAST[person % len(_LAST)]}"
    address = f"person.{person}@contoso.com"
    return {
        "id": guid(0x50B1EC70, person),
        "objectId": guid(0x0B1EC701, person),
        "altSecId": None,
        "displayName": name,
        "email": address,
        "principalName": address,
        "onPremisesSecurityIdentifier": None,
        "subjectType": "user",
        "connectedOrganizationId": None,
        "cleanupScheduledDateTime": None,
        "subjectLifecycle": "governed",
    }
