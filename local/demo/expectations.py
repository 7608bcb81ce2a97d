"""What the story claims, held against what was seen. Pure: a fact in, an Unmet out or nothing."""

from collections.abc import Collection, Mapping

from local.demo.facts import (
    Asked,
    Checked,
    Commanded,
    Decided,
    Disturbed,
    Granted,
    Pair,
    Passing,
    Reference,
    Refused,
    Resumed,
    Reviewed,
    Started,
    Swept,
    TakenBack,
)

INVOICES = Pair.of("Pay invoices", "Approve invoices")
UNREADABLE = Pair.of("Approve invoices", "Release payments")

# Each package names the other one, and the groups that the other one alone grants: Invoice readers
# is not among them, both packages grant it.
MEMBERS = "how many members groups of planned references have"
INVOICE_REFERENCES = frozenset(
    {
        Reference("Pay invoices", "package", "Approve invoices"),
        Reference("Pay invoices", "group", "Invoice approvers"),
        Reference("Approve invoices", "package", "Pay invoices"),
        Reference("Approve invoices", "group", "Invoice payers"),
    }
)
SWEEP_REFERENCES = frozenset(
    {
        Reference("Maintain vendors", "package", "Pay invoices"),
        Reference("Maintain vendors", "group", "Invoice payers"),
        Reference("Maintain vendors", "group", "Invoice readers"),
        Reference("Maintain vendors", "group", "External auditors"),
        Reference("Pay invoices", "package", "Maintain vendors"),
        Reference("Pay invoices", "group", "Vendor maintainers"),
        Reference("Order goods", "package", "Receive goods"),
        Reference("Receive goods", "package", "Order goods"),
    }
)
# holders of both, as the demo tenant has them before the first request
HOLDERS = {
    INVOICES: 7,
    Pair.of("Maintain vendors", "Pay invoices"): 4,
    Pair.of("Close the books", "Post journals"): 5,
    Pair.of("Order goods", "Receive goods"): 0,
    # Their rule names roles of an app, and no package.
    Pair.of("Clear payments", "Run payments"): 2,
}
STAND_IN = Passing("Invoice stand-in", "toxic", "pay-and-approve", holders=1, days=1)
LEGACY = Passing("Invoice desk (legacy)", "overlap", "pay-and-approve")
RULES = "ok: 7 rules, 6 pairs"
NOTHING: frozenset[Reference] = frozenset()

PAY_AND_APPROVE = "Nobody both pays and approves invoices"
CREATED, ACCEPTED, BAD_REQUEST, NOT_WHAT_IS_ASKED_FOR = 201, 202, 400, 422
TAKEN = 204
SOMETHING = 2  # the exit code of a dry run that would remove something
UNKNOWN = 3  # the exit code of a plan for which a package could not be read


class Unmet(Exception):
    """Something that the story claims did not happen."""

    def __init__(self, claim: str, *, expected: object, seen: object) -> None:
        self.claim = claim
        super().__init__(f"{claim}: expected {in_words(expected)}, seen {in_words(seen)}")


def in_words(value: object) -> str:
    """On one line, and in the same order every time."""
    match value:
        case str() | Pair() | Reference():
            return str(value) or "nothing"
        case Mapping():
            entries = sorted(f"{in_words(key)}: {in_words(each)}" for key, each in value.items())
            return f"{len(entries)} ({'; '.join(entries)})" if entries else "none"
        case Collection():
            entries = sorted(map(in_words, value))
            return f"{len(entries)} ({'; '.join(entries)})" if entries else "none"
        case _:
            return str(value)


def expect(claim: str, seen: object, expected: object) -> None:
    """Raises Unmet unless the two are equal."""
    if seen != expected:
        raise Unmet(claim, expected=expected, seen=seen)


def expect_references(
    claim: str, seen: Collection[Reference], expected: Collection[Reference]
) -> None:
    """No reference missing, none too many, none twice; their order says nothing."""
    expect(claim, sorted(seen), sorted(expected))


def expect_ready(started: Started) -> None:
    """The app reaches all that it needs and has read the rules that the story is about."""
    missing = {name: said for name, said in started.ready.items() if not said.startswith("ok")}
    expect("what the app says it cannot reach", missing, {})
    expect("the app's answer to GET /api/ready", started.status, 200)
    rules = started.ready.get("rules", "")
    expect("the rules in force", rules[: len(RULES)], RULES)


def expect_accepted(checked: Checked, *, ticket: str) -> None:
    """The caller was told at once where to look, and finds its ticket there."""
    expect("the answer to POST /api/checks", checked.accepted, ACCEPTED)
    expect("Retry-After of the answer", checked.retry_after.isdecimal(), expected=True)
    expect("the ticket's number in the result", checked.reference, ticket)


def expect_holders(checked: Checked, *, count: int) -> None:
    """The check names those who hold both packages by the tenant's own assignments."""
    expect("people who hold both packages", checked.holder_count, count)
    expect(
        "names of those who hold both packages",
        {holder.person for holder in checked.holders},
        set(checked.tenant.holders_of_both[checked.pair]),
    )
    expect("the check's outcome", checked.outcome, "conflict")
    # Before it writes, the app would count members. Its identity may not read the directory.
    unknown = [MEMBERS] if checked.enforcement == "apply" else []
    expect("what the check could not look at", [each.what for each in checked.gaps], unknown)


def expect_plan_only(checked: Checked) -> None:
    """References in both directions are planned, and nothing in the tenant has changed."""
    expect("how far the check went", checked.enforcement, "plan")
    expect_references("planned references", checked.references.planned, INVOICE_REFERENCES)
    expect_references("written references", checked.references.written, NOTHING)
    expect("whether the plan changed the tenant", checked.tenant.has_changed, expected=False)


def expect_denied(decided: Decided, *, ticket: str) -> None:
    """No, with rule, severity, advice and what stands against it, before there is any access."""
    expect("the decision", decided.decision, "deny")
    expect("its reasons", decided.reasons, (f"rule pay-and-approve: {PAY_AND_APPROVE}",))
    expect("its severity", decided.severity, "critical")
    expect("whether it gives advice", bool(decided.advice), expected=True)
    expect("what stands against it", decided.against, ("Approve invoices",))
    expect("what the decision could not look at", decided.gaps, ())
    expect("the ticket's number in the decision", decided.reference, ticket)
    expect("whether the person has the access already", decided.has_it, expected=False)
    expect("whether a decision changed the tenant", decided.has_changed, expected=False)


def expect_resumed(resumed: Resumed, *, denied: bool) -> None:
    """The call is the documented one, field by field, and the request ended by it."""
    expect("the method of the resume call", resumed.method, "POST")
    expect("the path of the resume call", resumed.path, resumed.wanted_path)
    expect("the fields of the resume call", fields(resumed.body), fields(resumed.wanted_body))
    expect("Graph's answer to the resume call", resumed.status, TAKEN)
    expect("the end of the workflow's run", resumed.run, "Succeeded")
    expect("the request's state", resumed.state, "denied" if denied else "delivered")
    expect("whether the person got the access", resumed.has_it, expected=not denied)
    expect("whether the approver reads the rule", PAY_AND_APPROVE in resumed.detail, denied)
    expect("whether the approver reads anything", bool(resumed.detail), expected=True)


def fields(body: Mapping[str, object], above: str = "") -> dict[str, object]:
    """Each field of a body by its path, such as `data.stage`."""
    found: dict[str, object] = {}
    for name, value in body.items():
        path = f"{above}.{name}" if above else name
        found |= fields(value, path) if isinstance(value, Mapping) else {path: value}
    return found


def expect_written(checked: Checked) -> None:
    """Both directions were written, and the tenant has each reference exactly once."""
    expect_references("written references", checked.references.written, INVOICE_REFERENCES)
    expect_references("references that failed", checked.references.failed, NOTHING)
    expect(
        "references in the tenant and how often each was added",
        dict(checked.tenant.references),
        dict.fromkeys(INVOICE_REFERENCES, 1),
    )
    expect("how far the check went", checked.enforcement, "apply")


def expect_nothing_left_to_write(checked: Checked) -> None:
    """All that the rule asks for is there already: the second check finds it and writes nothing."""
    expect_references("references that are present", checked.references.present, INVOICE_REFERENCES)
    expect_references("references written again", checked.references.written, NOTHING)
    expect("whether a second check changed it", checked.tenant.has_changed, expected=False)


def expect_let_through(asked: Asked) -> None:
    expect(f"the tenant's answer about {asked.person}", asked.status, CREATED)
    expect(f"whether {asked.person} has {asked.wants}", asked.has_it, expected=True)


def expect_refused(asked: Asked) -> None:
    """Refused for the incompatibility, and not for something else."""
    expect(f"the tenant's answer about {asked.person}", asked.status, BAD_REQUEST)
    expect(f"the reason about {asked.person}", asked.code, "IncompatibleAccess")
    expect(f"whether {asked.person} has {asked.wants}", asked.has_it, expected=False)


def expect_swept(swept: Swept, *, let_in: int) -> None:
    """Every pair that can be read is right, and the one that cannot is unknown, with its reason.

    Args:
        swept: the whole sweep.
        let_in: people who got both invoice packages while the story was told.
    """
    holders = HOLDERS | {INVOICES: HOLDERS[INVOICES] + let_in}
    outcomes = {pair: "conflict" if count else "clear" for pair, count in holders.items()}
    seen = {each.pair: each for each in swept.pairs}
    expect(
        "outcomes of the pairs",
        {pair: each.outcome for pair, each in seen.items()},
        outcomes | {UNREADABLE: "unknown"},
    )
    expect("holders by pair", {pair: seen[pair].holder_count for pair in holders}, holders)
    expect(
        "holders by pair in the tenant",
        {pair: len(swept.tenant.holders_of_both[pair]) for pair in holders},
        holders,
    )
    expect("the sweep's status", swept.status, "completed-with-gaps")
    expect("pairs that Graph answered for", swept.checked, len(holders))
    _expect_passing(swept)
    _expect_reason(swept)
    _expect_sweep_references(swept)


def expect_reviewed(reviewed: Reviewed) -> None:
    """The rules have no mistake; the plan has changes, is written, and then has none.

    One package that the rules name cannot be read, and each plan, and what applies it, says so by
    its exit code.
    """
    expect("the exit code of validate", reviewed.validated, 0)
    expect("the exit code of the first plan", reviewed.planned, UNKNOWN)
    expect_references("references planned", reviewed.additions, SWEEP_REFERENCES)
    expect(f"the exit code of apply ({reviewed.told})", reviewed.applied, UNKNOWN)
    expect("the exit code of the second plan", reviewed.planned_again, UNKNOWN)
    expect("what is left to write", reviewed.left_to_write, 0)
    expect(
        "references in the tenant and how often each was added",
        dict(reviewed.tenant.references),
        dict.fromkeys(INVOICE_REFERENCES | SWEEP_REFERENCES, 1),
    )


def expect_drift_repaired(swept: Swept, disturbed: Disturbed) -> None:
    """Both changes are named; what is ours is back, and what a person added is left alone."""
    named = {(each.kind, each.reference) for each in swept.drift}
    for kind, reference in (("missing", disturbed.removed), ("foreign", disturbed.added)):
        expect(f"whether {reference} is called {kind}", (kind, reference) in named, expected=True)
    expect_references("references repaired", swept.references.written, {disturbed.removed})
    expect(
        "references in the tenant",
        set(swept.tenant.references),
        {*INVOICE_REFERENCES, *SWEEP_REFERENCES, disturbed.added},
    )


def expect_held(swept: Swept, granted: Granted) -> Reference:
    """Of a group that was not reviewed nothing is written: the reference waits, and is named."""
    wanted = Reference("Pay invoices", "group", granted.group)
    expect_references("references held", swept.references.held, {wanted})
    expect_references("references written", swept.references.written, NOTHING)
    expect("whether the sweep changed the tenant", swept.tenant.has_changed, expected=False)
    for part in (granted.package, "has come to grant", "entra-sod selection approve --rule"):
        expect(f"whether the reason says {part}", part in swept.why_held[0], expected=True)
    return wanted


def expect_command(done: Commanded, code: int) -> None:
    last = done.said.rpartition("\n")[2]
    expect(f"the exit code of {done.command} ({last})", done.code, code)


def expect_frozen(swept: Swept, wanted: Reference, *, reason: str) -> None:
    """What was approved is planned, and waits for the end of the freeze."""
    expect_references("planned references", swept.references.planned, {wanted})
    expect_references("references held", swept.references.held, NOTHING)
    expect_references("references written", swept.references.written, NOTHING)
    expect("whether the sweep says what stopped it", reason in swept.stopped, expected=True)
    expect("whether the sweep changed the tenant", swept.tenant.has_changed, expected=False)


def expect_written_later(checked: Checked, wanted: Reference) -> None:
    """After the freeze it is written, once."""
    expect_references("written references", checked.references.written, {wanted})
    expect_references("references that failed", checked.references.failed, NOTHING)
    expect("how often it was added", checked.tenant.references.get(wanted), 1)


def expect_taken_back(taken: TakenBack, before: Swept, *, let_in: int) -> None:
    """The tenant has exactly the references of before, and the command said who is let in.

    Args:
        taken: the rollback.
        before: the sweep of the night before the group was added.
        let_in: people who hold the other package alone, by the tenant's own assignments.
    """
    expect_command(taken.shown, SOMETHING)
    expect_command(taken.done, 0)
    shown, done = (" ".join(each.said.split()) for each in (taken.shown, taken.done))
    claims = {
        "the dry run is about one reference": "References: 1," in shown,
        "the dry run says who is let in": f"At least {let_in} times" in shown,
        "the rollback removed it": "1 removed, 0 failed" in done,
        "the rollback says which rule asks for it again": "pay-and-approve (1)" in done,
    }
    for claim, is_so in claims.items():
        expect(f"whether {claim}", is_so, expected=True)
    expect(
        "references in the tenant and how often each was added",
        dict(taken.tenant.references),
        dict(before.tenant.references),
    )


def expect_problem(refused: Refused) -> None:
    """Both wrong fields are named, by JSON pointers, in a problem of the kind RFC 9457 defines."""
    expect("the answer to two wrong fields", refused.status, NOT_WHAT_IS_ASKED_FOR)
    media_type = refused.media_type.partition(";")[0]
    expect("its content type", media_type, "application/problem+json")
    expect("the wrong fields", sorted(refused.pointers), ["/accessPackageId", "/enforcement"])


def _expect_passing(swept: Swept) -> None:
    """The stand-in gives both duties, for a day; the legacy package gives one of them."""
    toxic = {each for each in swept.passing if each.kind == "toxic"}
    expect("packages that meet a rule by themselves", toxic, {STAND_IN})
    expect("whether the legacy package is named", LEGACY in swept.passing, expected=True)


def _expect_reason(swept: Swept) -> None:
    why = [gap.why for gap in swept.gaps if "Release payments" in gap.what]
    if len(why) != 1 or "403" not in why[0]:
        expected = "one with Graph's 403"
        raise Unmet("the reason why a pair is unknown", expected=expected, seen=why)


def _expect_sweep_references(swept: Swept) -> None:
    there = INVOICE_REFERENCES | SWEEP_REFERENCES
    expect_references("references that were there", swept.references.present, there)
    expect_references("references written", swept.references.written, NOTHING)
    expect_references("references that failed", swept.references.failed, NOTHING)
    expect(
        "references in the tenant and how often each was added",
        dict(swept.tenant.references),
        dict.fromkeys(INVOICE_REFERENCES | SWEEP_REFERENCES, 1),
    )
