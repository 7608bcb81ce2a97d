"""Examples of answers, as the contract shows them. Each fits the type of its answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

type Example = Mapping[str, Any]

_PACKAGE = {"id": "11111111-0000-4000-8000-000000000001", "name": "Pay invoices"}
_OTHER = {"id": "11111111-0000-4000-8000-000000000002", "name": "Approve invoices"}
_SUBJECT, _OBJECT = "33333333-0000-4000-8000-000000000001", "22222222-0000-4000-8000-000000000001"
_SELECTION = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_SWEPT: Example = {
    "sweep": "sweep-20261129T010000Z-293e1ebc",
    "asOf": "2026-11-29T01:00:00Z",
    "isWhole": True,
    "notRead": [],
}
_WHO: Example = {
    "subjectId": _SUBJECT,
    "objectId": _OBJECT,
    "displayName": "Ada Lovelace",
    "subjectType": "user",
}
SUBJECTS: Example = {
    **_SWEPT,
    "subjects": [{**_WHO, "packages": 1, "findings": 0}],
    "total": 1,
    "more": False,
}
SUBJECT: Example = {
    **_SWEPT,
    **_WHO,
    "holds": [
        {
            **_PACKAGE,
            "assignmentId": "44444444-0000-4000-8000-000000000001",
            "state": "delivered",
            "since": "2026-05-01T00:00:00Z",
            "until": None,
        }
    ],
    "rules": [
        {
            "id": "pay-and-approve",
            "title": "One person never pays and approves invoices",
            "severity": "critical",
            "mode": "enforce",
            "form": "between",
            "sides": [{"side": 1, "holds": [_PACKAGE]}],
            "inConflict": False,
            "wouldConflict": [_OTHER],
            "wouldConflictCount": 1,
        }
    ],
    "findings": [],
    "exceptions": [],
}
RULES: Example = {
    "asOf": "2026-11-29T10:00:00Z",
    "rulesHash": _SELECTION,
    "problem": None,
    "sweep": "sweep-20261129T010000Z-293e1ebc",
    "gaps": [],
    "rules": [
        {
            "id": "pay-and-approve",
            "title": "One person never pays and approves invoices",
            "severity": "critical",
            "mode": "enforce",
            "owner": "finance@contoso.example",
            "owners": [],
            "process": "Procure to pay",
            "tags": ["sox"],
            "frameworks": ["SOX 404"],
            "control": None,
            "advice": "Give one of the two packages back.",
            "form": "between",
            "allowed": 1,
            "foundOnly": False,
            "version": _SELECTION,
            "sides": [
                {"packages": [_PACKAGE], "packageCount": 1, "groups": [], "every": False},
                {"packages": [_OTHER], "packageCount": 1, "groups": [], "every": False},
            ],
            "pairs": 1,
            "enforcement": {
                "state": "both-ways",
                "text": "refused by Entra both ways",
                "wanted": 4,
                "missing": 0,
                "held": 0,
                "why": "",
            },
            "gaps": [],
            "findings": 0,
            "exceptions": 1,
        }
    ],
    "total": 1,
    "more": False,
}
EXCEPTIONS: Example = {
    "asOf": "2026-11-29",
    "problem": None,
    "isWhole": True,
    "notRead": [],
    "exceptions": [
        {
            "id": "EX-2026-17",
            "rule": "pay-and-approve",
            "ruleTitle": "One person never pays and approves invoices",
            "subject": _OBJECT,
            "displayName": "Ada Lovelace",
            "packages": [_PACKAGE],
            "requestedBy": "team@contoso.example",
            "approvedBy": "control@contoso.example",
            "reason": "Year-end closing",
            "control": None,
            "from": "2026-11-01",
            "until": "2026-12-15",
            "daysLeft": 16,
            "state": "ends-soon",
            "whyVoid": None,
            "file": "rules/pay.yaml",
            "change": {"renew": "  - id: EX-2026-17\n", "remove": "  - id: EX-2026-17\n"},
        }
    ],
    "total": 1,
    "more": False,
}
SELECTIONS: Example = {
    "asOf": "2026-11-29T10:00:00Z",
    "remembers": True,
    "rulesHash": _SELECTION,
    "notRead": [],
    "rules": [
        {
            "id": "pay-and-approve",
            "title": "One person never pays and approves invoices",
            "mode": "enforce",
            "selection": _SELECTION,
            "waits": True,
            "reviewedAt": "2026-11-01T01:00:00Z",
            "reviewedBy": "first seen by sweep sweep-20261101T010000Z-11aa22bb",
            "damage": None,
            "joined": [_OTHER],
            "left": [],
            "joinedGroups": [],
            "leftGroups": [],
            "approving": {
                "writes": [
                    {
                        "on": _PACKAGE,
                        "kind": "package",
                        "target": _OTHER,
                        "subjects": 3,
                        "subjectsAtLeast": 3,
                    }
                ],
                "removes": [],
                "writeCount": 1,
                "removeCount": 0,
                "subjects": 3,
                "why": None,
            },
        }
    ],
}
APPROVAL: Example = {"rules": [{"id": "pay-and-approve", "selection": _SELECTION}]}
APPROVED: Example = {
    "approved": [
        {
            "id": "pay-and-approve",
            "selection": _SELECTION,
            "reviewedAt": "2026-11-29T10:00:00Z",
            "reviewedBy": f"principal:{_OBJECT}",
        }
    ]
}
SUBSCRIPTIONS: Example = {
    "subscriptions": [
        {
            "id": "55555555-0000-4000-8000-000000000001",
            "events": ["check.completed"],
            "host": "prod-1.westeurope.logic.azure.com",
            "path": "/workflows/1a2b…/triggers/manual",
            "createdAt": "2026-11-29T10:00:00Z",
            "own": True,
            "self": "https://app.example.com/api/subscriptions/55555555-0000-4000-8000-000000000001",
        }
    ],
    "more": False,
}
CALLER: Example = {
    "name": f"principal:{_OBJECT}",
    "kind": "principal",
    "id": _OBJECT,
    "displayName": "ada@contoso.example",
    "roles": ["SoD.Read"],
    "may": ["GET findings", "GET me"],
}
WRITING: Example = {
    "used": 12,
    "limit": 200,
    "roomFrom": "2026-11-30T01:00:00Z",
    "frozen": {
        "reason": "An audit is on",
        "by": f"principal:{_OBJECT}",
        "since": "2026-11-29T10:00:00Z",
    },
}
