"""What the app's routes answer a console: a small tenant, in the shapes of the contract."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

type Json = dict[str, Any]

APP = "https://app.example"
_SPACE = UUID("b7b1c1d2-1111-4222-8333-000000000001")


def guid(name: str) -> str:
    return str(uuid5(_SPACE, name))


def named(name: str) -> Json:
    return {"id": guid(name), "name": name}


PAY, APPROVE, VENDORS = "Pay invoices", "Approve invoices", "Maintain vendors"
READERS = "Read reports"
PACKAGES = [
    {"id": guid(each), "displayName": each, "catalogName": "Finance", "title": f"{each} (Finance)"}
    for each in (PAY, APPROVE, VENDORS, READERS)
]
GAP = {
    "what": f"assignments of access package {VENDORS}",
    "why": "Graph answers 403: the app has no role on its catalog",
    "reason": "missing-role",
}
ADA, GRACE = "Ada Lovelace", "Grace Hopper"
READ_ROUTES = (
    "GET subjects",
    "GET subjects/{id}",
    "GET findings",
    "GET findings/{id}",
    "GET rules",
    "GET exceptions",
    "GET selections",
    "GET freeze",
    "GET sweeps/{id}",
    "GET ready",
    "GET report",
    "GET packages",
)
WRITE_ROUTES = (
    "POST decisions",
    "POST sweeps",
    "POST findings/{id}/claims",
    "POST selections/approve",
    "PUT freeze",
    "DELETE freeze",
)


def me(*routes: str, roles: tuple[str, ...] = ("SoD.Admin",)) -> Json:
    return {
        "name": f"principal:{guid('me')}",
        "kind": "principal",
        "id": guid("me"),
        "displayName": "ada@contoso.example",
        "roles": list(roles),
        "may": [*routes, "GET me", "GET health"],
    }


def finding(subject: str = ADA, state: str = "open", **changed: object) -> Json:
    return {
        "id": guid(f"finding of {subject}").replace("-", ""),
        "rule": "pay-and-approve",
        "kind": "pair",
        "pair": [guid(PAY), guid(APPROVE)],
        "missing": [],
        "why": None,
        "subjectId": guid(f"subject {subject}"),
        "objectId": guid(subject),
        "displayName": subject,
        "subjectType": "user",
        "severity": "critical",
        "owner": "finance@contoso.example",
        "state": state,
        "since": "2026-11-20T02:00:00Z",
        "firstSeen": "2026-11-20T02:00:00Z",
        "lastSeen": "2026-11-28T02:00:00Z",
        "exception": None,
        "exceptionUntil": None,
        "process": "Procure to pay",
        "tags": ["sox"],
        "frameworks": ["SOX 404"],
        "owners": [],
        **changed,
    }


def finding_detail(subject: str = ADA, state: str = "open", **changed: object) -> Json:
    history = [
        {
            "at": "2026-11-20T02:00:00Z",
            "from": None,
            "to": "open",
            "by": "sweep",
            "cause": "20261120T020000-1",
            "why": "the subject holds both packages",
        }
    ]
    return {
        **finding(subject, state),
        "rulesHash": "sha256:00",
        "claimedBy": None,
        "subjectHash": "hmac-sha256:00",
        "history": history,
        "changesLeftOut": 0,
        **changed,
    }


def subject_line(name: str = ADA, findings: int = 1) -> Json:
    return {
        "subjectId": guid(f"subject {name}"),
        "objectId": guid(name),
        "displayName": name,
        "subjectType": "user",
        "packages": 2,
        "findings": findings,
    }


def subjects(*lines: Json, whole: bool = True, **changed: object) -> Json:
    return {
        "sweep": "20261128T020000-1",
        "asOf": "2026-11-28T02:00:00Z",
        "isWhole": whole,
        "notRead": [] if whole else [GAP],
        "subjects": list(lines),
        "total": len(lines),
        "more": False,
        **changed,
    }


def subject(name: str = ADA) -> Json:
    about = {key: value for key, value in subject_line(name).items() if "ect" in key or "N" in key}
    return {
        **{
            key: value
            for key, value in subjects().items()
            if key not in ("subjects", "total", "more")
        },
        **about,
        "holds": [
            {**named(each), "assignmentId": guid(each + name), "state": "delivered"}
            | {"since": "2026-10-01T08:00:00Z", "until": None}
            for each in (PAY, APPROVE)
        ],
        "rules": [
            {
                "id": "pay-and-approve",
                "title": "No subject both pays and approves invoices",
                "severity": "critical",
                "mode": "enforce",
                "form": "between",
                "sides": [
                    {"side": 1, "holds": [named(PAY)]},
                    {"side": 2, "holds": [named(APPROVE)]},
                ],
                "inConflict": True,
                "wouldConflict": [],
                "wouldConflictCount": 0,
            },
            {
                "id": "vendors",
                "title": "Vendors are maintained apart from payments",
                "severity": "high",
                "mode": "warn",
                "form": "between",
                "sides": [{"side": 1, "holds": [named(PAY)]}, {"side": 2, "holds": []}],
                "inConflict": False,
                "wouldConflict": [named(VENDORS)],
                "wouldConflictCount": 1,
            },
        ],
        "findings": [finding(name)],
        "exceptions": [{"id": "EX-7", "rule": "vendors", "until": "2026-12-31"}],
    }


def rule(rule_id: str = "pay-and-approve", **changed: object) -> Json:
    return {
        "id": rule_id,
        "title": "No subject both pays and approves invoices",
        "severity": "critical",
        "mode": "enforce",
        "owner": "finance@contoso.example",
        "owners": ["deputy@contoso.example"],
        "process": "Procure to pay",
        "tags": ["sox"],
        "frameworks": ["SOX 404"],
        "control": "FIN-12",
        "advice": "Ask the manager which of the two packages the subject needs.",
        "form": "between",
        "allowed": 1,
        "foundOnly": False,
        "version": "sha256:00",
        "sides": [
            {"packages": [named(PAY)], "packageCount": 1, "groups": [], "every": False},
            {"packages": [named(APPROVE)], "packageCount": 1, "groups": [], "every": False},
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
        "findings": 2,
        "exceptions": 0,
        **changed,
    }


def rules(*listed: Json) -> Json:
    return {
        "asOf": "2026-11-29T08:00:00Z",
        "rulesHash": "sha256:9f86d081884c7d65",
        "problem": None,
        "sweep": "20261128T020000-1",
        "gaps": [],
        "rules": list(listed)
        or [rule(), rule("vendors", severity="high", mode="warn", findings=None)],
        "total": 2,
        "more": False,
    }


def exceptions(**changed: object) -> Json:
    entry = {
        "id": "EX-7",
        "rule": "vendors",
        "ruleTitle": "Vendors are maintained apart from payments",
        "subject": guid(GRACE),
        "displayName": GRACE,
        "packages": [named(PAY), named(VENDORS)],
        "requestedBy": "grace@contoso.example",
        "approvedBy": "cfo@contoso.example",
        "reason": "Year end closing",
        "control": None,
        "from": "2026-11-01",
        "until": "2026-12-06",
        "daysLeft": 7,
        "whyVoid": None,
        "state": "ends-soon",
        "file": "rules/pay.yaml",
        "change": {
            "renew": "exceptions:\n  - id: EX-7\n    until: 2027-03-06\n",
            "remove": "# Remove the entry EX-7\n",
        },
        **changed,
    }
    return {
        "asOf": "2026-11-29",
        "problem": None,
        "isWhole": True,
        "notRead": [],
        "exceptions": [entry],
        "total": 1,
        "more": False,
    }


def selections(*, waits: bool = True) -> Json:
    writes = [
        {"on": named(VENDORS), "kind": "package", "target": named(PAY), "subjects": None}
        | {"subjectsAtLeast": 3}
    ]
    quiet: Json = {"joined": [], "left": [], "joinedGroups": [], "leftGroups": []}
    effect = {"writes": [], "removes": [], "writeCount": 0, "removeCount": 0, "subjects": 0}
    about = {
        "mode": "enforce",
        "reviewedAt": "2026-11-02T09:00:00Z",
        "reviewedBy": "key:deploy",
        "damage": None,
    }
    held = {
        "id": "pay-and-approve",
        "title": "No subject both pays and approves invoices",
        "selection": "sha256:1",
        "waits": True,
        **about,
        **quiet,
        "joined": [named(VENDORS)],
        "joinedGroups": [{"group": guid("group"), "package": named(VENDORS)}],
        "approving": {
            **effect,
            "writes": writes,
            "writeCount": 1,
            "subjects": None,
            "why": "the members of a group could not be read",
        },
    }
    other = {
        **about,
        **quiet,
        "id": "vendors",
        "title": "Vendors",
        "selection": "sha256:2",
        "waits": False,
        "approving": {**effect, "why": None},
    }
    listed = [held, other] if waits else [other]
    return {
        "asOf": "2026-11-29T08:00:00Z",
        "remembers": True,
        "rulesHash": "sha256:00",
        "notRead": [],
        "rules": listed,
    }


def freeze(*, frozen: bool = False) -> Json:
    stands = {
        "reason": "an audit",
        "by": f"principal:{guid('me')}",
        "since": "2026-11-29T07:00:00Z",
    }
    return {
        "used": 12,
        "limit": 1000,
        "roomFrom": "2026-11-30T02:00:00Z",
        "frozen": stands if frozen else None,
    }


def sweep(**changed: object) -> Json:
    return {
        "id": "20261128T020000-1",
        "status": "completed",
        "pairs": {"total": 41, "conflict": 3, "clear": 37, "unknown": 1},
        "findings": 5,
        "excepted": 1,
        "results": [],
        "sets": [],
        "references": {
            each: [] for each in ("present", "planned", "written", "failed", "removed", "held")
        },
        "referenceCounts": {
            "present": 80,
            "planned": 2,
            "written": 1,
            "failed": 0,
            "removed": 0,
            "held": 1,
        },
        "drift": [],
        "coverage": {"checked": [], "skipped": [GAP]},
        "strategy": {"chosen": "index", "why": "", "ways": {}},
        "assignments": 500,
        "requests": 120,
        "roundTrips": 40,
        "throttled": 0,
        "throttledSeconds": 0.0,
        "rate": 5.0,
        "rulesHash": "sha256:00",
        "startedAt": "2026-11-28T02:00:00Z",
        "endedAt": "2026-11-28T02:04:00Z",
        "stopped": None,
        **changed,
    }


def progress(done: int = 3) -> Json:
    return {
        "id": "20261129T083000-1",
        "status": "running",
        "self": "https://app.example/api/sweeps/20261129T083000-1",
        "startedAt": "2026-11-29T08:30:00Z",
        "parts": {"done": done, "total": 8},
        "soFar": {"pairs": 20, "packages": 6, "requests": 48, "throttled": 2},
        "rate": 4.0,
        "secondsLeft": 40,
        "waiting": [
            {"part": 4, "why": "Graph answers 429", "since": "2026-11-29T08:31:00Z"},
        ],
    }


def decision(verdict: str = "deny") -> Json:
    denied = verdict == "deny"
    advice = "Ask the manager which of the two packages the subject needs."
    return {
        "decision": verdict,
        "subject": guid(ADA),
        "userPrincipalName": None,
        "subjectKnown": True,
        "accessPackageIds": [guid(APPROVE)],
        "reference": None,
        "reasons": [
            "The subject holds Pay invoices, which rule pay-and-approve keeps apart from it."
            if denied
            else "No rule keeps what is wanted apart from what the subject holds."
        ],
        "rules": [rule()] if denied else [],
        "conflicts": [
            {
                "accessPackageId": guid(PAY),
                "wantedAccessPackageId": guid(APPROVE),
                "assignmentId": guid("assignment"),
                "rule": "pay-and-approve",
                "from": None,
                "until": None,
            }
        ]
        if denied
        else [],
        "exceptions": [],
        "advice": advice if denied else None,
        "severity": "critical" if denied else None,
        "coverage": {"checked": [], "skipped": []},
        "rulesHash": "sha256:00",
        "asOf": "2026-11-28T02:00:00Z",
    }


def diagnoses() -> Json:
    return {
        "status": "not-ready",
        "diagnoses": [
            {"what": "storage", "result": "ok", "detail": "tables, blobs and queues answer"},
            {
                "what": "catalog HR",
                "result": "wrong",
                "detail": "Graph answers 403",
                "advice": "entra-sod grant --catalogs HR",
            },
            {"what": "licence", "result": "unknown", "detail": "not readable"},
        ],
    }


def everything() -> dict[str, Any]:
    """What each route answers, by `METHOD path`."""
    return {
        "GET me": me(*READ_ROUTES, *WRITE_ROUTES),
        "GET packages": {"packages": PACKAGES, "total": len(PACKAGES)},
        "GET subjects": subjects(subject_line(ADA), subject_line(GRACE, findings=0)),
        "GET subjects/{id}": subject(),
        "GET findings": {"findings": [finding(), finding(GRACE, "resolving", severity="high")]},
        "GET findings/{id}": finding_detail(),
        "POST findings/{id}/claims": finding_detail(state="resolving", claimedBy="CHG-7"),
        "GET rules": rules(),
        "GET exceptions": exceptions(),
        "GET selections": selections(),
        "POST selections/approve": {"approved": []},
        "GET freeze": freeze(),
        "PUT freeze": freeze(frozen=True)["frozen"],
        "DELETE freeze": None,
        "GET sweeps/{id}": sweep(),
        "POST sweeps": {
            "id": "1",
            "status": "queued",
            "self": "https://app.example",
            "joined": False,
        },
        "POST decisions": decision(),
        "GET ready": diagnoses(),
    }
