"""Facts of a story that went as it should; each test changes one of them."""

from dataclasses import replace

from local.demo.documented import RESUME_PATH, resume_body
from local.demo.expectations import (
    HOLDERS,
    INVOICE_REFERENCES,
    INVOICES,
    LEGACY,
    PAY_AND_APPROVE,
    STAND_IN,
    SWEEP_REFERENCES,
)
from local.demo.expectations import UNREADABLE as TREASURY
from local.demo.facts import (
    Asked,
    Checked,
    Commanded,
    Decided,
    Disturbed,
    Drifted,
    Gap,
    Granted,
    Holder,
    Reference,
    References,
    Refused,
    Resumed,
    Reviewed,
    Started,
    Swept,
    SweptPair,
    TakenBack,
    TenantSeen,
)

PEOPLE = ("Ada", "Bilal", "Chiara", "Devi", "Elif", "Farah", "Greta", "Hugo")
FOUR = tuple(sorted(INVOICE_REFERENCES))
EIGHT = tuple(sorted(SWEEP_REFERENCES))

STARTED = Started(
    enforcement="plan",
    address="http://127.0.0.1:1",
    status=200,
    ready={"queues": "ok", "rules": "ok: 7 rules, 6 pairs, sha256:00"},
)


def _checked(
    *, enforcement: str, people: tuple[str, ...], references: References, tenant: TenantSeen
) -> Checked:
    return Checked(
        pair=INVOICES,
        accepted=202,
        location="http://127.0.0.1:1/api/checks/1",
        retry_after="5",
        outcome="conflict",
        reference="CHG-1",
        enforcement=enforcement,
        holders=tuple(Holder(person, "delivered") for person in people),
        holder_count=len(people),
        rules=("Pay or approve (critical, enforce)",),
        references=references,
        gaps=(),
        tenant=tenant,
    )


PLANNED = _checked(
    enforcement="plan",
    people=PEOPLE[:7],
    references=References(planned=FOUR),
    tenant=TenantSeen(
        has_changed=False, references={}, holders_of_both={INVOICES: frozenset(PEOPLE[:7])}
    ),
)
_AFTER = TenantSeen(
    has_changed=True,
    references=dict.fromkeys(FOUR, 1),
    holders_of_both={INVOICES: frozenset(PEOPLE)},
)
WRITTEN = _checked(
    enforcement="apply",
    people=PEOPLE,
    references=References(planned=FOUR, written=FOUR),
    tenant=_AFTER,
)
AGAIN = _checked(
    enforcement="apply",
    people=PEOPLE,
    references=References(present=FOUR),
    tenant=TenantSeen(
        has_changed=False,
        references=dict.fromkeys(FOUR, 1),
        holders_of_both=_AFTER.holders_of_both,
    ),
)
GRANTED = Asked(
    person="Hugo", holds="Pay invoices", wants="Approve invoices", status=201, has_it=True
)
REFUSED = Asked(
    person="Ines",
    holds="Pay invoices",
    wants="Approve invoices",
    status=400,
    has_it=False,
    code="IncompatibleAccess",
    reason="The target is not eligible.",
)
DECIDED = Decided(
    person="Ines",
    wants="Pay invoices",
    reference="CHG-1",
    status=200,
    decision="deny",
    severity="critical",
    reasons=(f"rule pay-and-approve: {PAY_AND_APPROVE}",),
    advice="Keep one of them.",
    against=("Approve invoices",),
    gaps=(),
    has_it=False,
    has_changed=False,
)


def resumed(*, denied: bool) -> Resumed:
    """An answer to Entra that went as it should."""
    detail = f"Against separation of duties: {PAY_AND_APPROVE}" if denied else "May be granted"
    body = resume_body(
        source="the demo",
        stage="assignmentRequestCreated",
        stage_instance="1",
        detail=detail,
        denies=denied,
    )
    return Resumed(
        person="Ines",
        wants="Pay invoices",
        method="POST",
        path=RESUME_PATH.format("2"),
        body=body,
        wanted_path=RESUME_PATH.format("2"),
        wanted_body=body,
        status=204,
        run="Succeeded",
        state="denied" if denied else "delivered",
        detail=detail,
        has_it=not denied,
    )


_COUNTS = HOLDERS | {INVOICES: 8}
SWEPT = Swept(
    status="completed-with-gaps",
    pairs=(
        *(
            SweptPair(
                pair=pair,
                outcome="conflict" if count else "clear",
                holder_count=count,
                rules=("a-rule",),
            )
            for pair, count in _COUNTS.items()
        ),
        SweptPair(pair=TREASURY, outcome="unknown", holder_count=0, rules=("a-rule",)),
    ),
    references=References(present=(*FOUR, *EIGHT)),
    checked=5,
    gaps=(
        Gap("access package Release payments", "Graph answers 403"),
        Gap("members of group External auditors", "not read"),
    ),
    requests=30,
    tenant=TenantSeen(
        has_changed=True,
        references=dict.fromkeys((*FOUR, *EIGHT), 1),
        holders_of_both={pair: frozenset(PEOPLE[:count]) for pair, count in _COUNTS.items()},
    ),
    passing=(STAND_IN, LEGACY),
)
REVIEWED = Reviewed(
    validated=0,
    planned=3,
    additions=EIGHT,
    applied=3,
    told="8 written",
    planned_again=3,
    left_to_write=0,
    tenant=SWEPT.tenant,
)
DISTURBED = Disturbed(
    removed=Reference("Pay invoices", "package", "Approve invoices"),
    added=Reference("Pay invoices", "group", "External auditors"),
)
REPAIRED = replace(
    SWEPT,
    references=References(planned=(DISTURBED.removed,), written=(DISTURBED.removed,)),
    drift=(Drifted("missing", DISTURBED.removed), Drifted("foreign", DISTURBED.added)),
    tenant=replace(SWEPT.tenant, references=dict.fromkeys((*FOUR, *EIGHT, DISTURBED.added), 1)),
)
ADDED = Granted("Approve invoices", "Expense approvers")
WAITING = Reference("Pay invoices", "group", "Expense approvers")
QUIET = replace(REPAIRED, drift=(), tenant=replace(REPAIRED.tenant, has_changed=False))
HELD = replace(
    QUIET,
    references=References(held=(WAITING,)),
    why_held=(
        "Approve invoices has come to grant Expense approvers: entra-sod selection approve --rule",
    ),
)
FROZEN = replace(
    QUIET, references=References(planned=(WAITING,)), stopped="writing is frozen: an audit"
)
LATER = replace(
    WRITTEN,
    references=References(planned=(WAITING,), written=(WAITING,)),
    tenant=replace(_AFTER, references={**REPAIRED.tenant.references, WAITING: 1}),
)
TAKEN_BACK = TakenBack(
    shown=Commanded("entra-sod rollback --dry-run", 2, "References: 1, on one.\nAt least 7 times"),
    done=Commanded(
        "entra-sod rollback", 0, "1 removed, 0 failed\nasked for by pay-and-approve (1)"
    ),
    tenant=replace(REPAIRED.tenant, has_changed=True),
)
PROBLEM = Refused(
    sent={"accessPackageId": "no id"},
    status=422,
    media_type="application/problem+json",
    problem={"status": 422},
    pointers=("/enforcement", "/accessPackageId"),
)
