"""Expectations: what holds of a story that came true, and fails as soon as one fact is another."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from local.demo import expectations
from local.demo.expectations import INVOICES, LEGACY, STAND_IN, UNREADABLE, Unmet
from local.demo.facts import (
    Asked,
    Checked,
    Commanded,
    Decided,
    Gap,
    Pair,
    Reference,
    References,
    Resumed,
    Reviewed,
    Swept,
    TakenBack,
)
from tests.local.demo import made_up
from tests.local.demo.made_up import (
    ADDED,
    AGAIN,
    DECIDED,
    DISTURBED,
    EIGHT,
    FOUR,
    FROZEN,
    GRANTED,
    HELD,
    LATER,
    PLANNED,
    PROBLEM,
    REFUSED,
    REPAIRED,
    REVIEWED,
    STARTED,
    SWEPT,
    TAKEN_BACK,
    WAITING,
    WRITTEN,
    resumed,
)

type Case = Callable[[], None]

STRANGER = Reference("Pay invoices", "group", "Strangers")
ORDERS = Pair.of("Order goods", "Receive goods")


def accepted(checked: Checked) -> Case:
    return lambda: expectations.expect_accepted(checked, ticket="CHG-1")


def held_by_seven(checked: Checked) -> Case:
    return lambda: expectations.expect_holders(checked, count=7)


def planned(checked: Checked) -> Case:
    return lambda: expectations.expect_plan_only(checked)


def denied(decided: Decided) -> Case:
    return lambda: expectations.expect_denied(decided, ticket="CHG-1")


def answered(found: Resumed, *, denied: bool = True) -> Case:
    return lambda: expectations.expect_resumed(found, denied=denied)


def sent(**changes: object) -> Resumed:
    """A denial that was sent with other data than the documented."""
    right = resumed(denied=True)
    data = right.body["data"]
    assert isinstance(data, dict)
    return replace(right, body={**right.body, "data": {**data, **changes}})


def written(checked: Checked) -> Case:
    return lambda: expectations.expect_written(checked)


def again(checked: Checked) -> Case:
    return lambda: expectations.expect_nothing_left_to_write(checked)


def granted(asked: Asked) -> Case:
    return lambda: expectations.expect_let_through(asked)


def refused(asked: Asked) -> Case:
    return lambda: expectations.expect_refused(asked)


def swept(sweep: Swept) -> Case:
    return lambda: expectations.expect_swept(sweep, let_in=1)


def reviewed(found: Reviewed) -> Case:
    return lambda: expectations.expect_reviewed(found)


def repaired(sweep: Swept) -> Case:
    return lambda: expectations.expect_drift_repaired(sweep, DISTURBED)


def waits(sweep: Swept) -> Case:
    return lambda: expectations.expect(
        "what waits", expectations.expect_held(sweep, ADDED), WAITING
    )


def frozen(sweep: Swept) -> Case:
    return lambda: expectations.expect_frozen(sweep, WAITING, reason="an audit")


def later(checked: Checked) -> Case:
    return lambda: expectations.expect_written_later(checked, WAITING)


def taken_back(found: TakenBack, let_in: int = 7) -> Case:
    return lambda: expectations.expect_taken_back(found, REPAIRED, let_in=let_in)


def in_tenant[T: (Checked, Swept)](fact: T, references: dict[Reference, int]) -> T:
    return replace(fact, tenant=replace(fact.tenant, references=references))


def with_pair(pair: Pair, **changes: object) -> Swept:
    pairs = (
        replace(each, **changes) if each.pair == pair else each  # type: ignore[arg-type]
        for each in SWEPT.pairs
    )
    return replace(SWEPT, pairs=tuple(pairs))


TRUE: dict[str, Case] = {
    "ready": lambda: expectations.expect_ready(STARTED),
    "accepted": accepted(PLANNED),
    "held": held_by_seven(PLANNED),
    "planned": planned(PLANNED),
    "denied before": denied(DECIDED),
    "request denied": answered(resumed(denied=True)),
    "request continued": answered(resumed(denied=False), denied=False),
    "written": written(WRITTEN),
    "again": again(AGAIN),
    "granted": granted(GRANTED),
    "refused": refused(REFUSED),
    "reviewed": reviewed(REVIEWED),
    "swept": swept(SWEPT),
    "repaired": repaired(REPAIRED),
    "held back": waits(HELD),
    "frozen": frozen(FROZEN),
    "written later": later(LATER),
    "taken back": taken_back(TAKEN_BACK),
    "done": lambda: expectations.expect_command(Commanded("entra-sod unfreeze", 0, ""), 0),
    "problem": lambda: expectations.expect_problem(PROBLEM),
}
UNTRUE: dict[str, Case] = {
    "not ready": lambda: expectations.expect_ready(replace(STARTED, status=503)),
    "no rules": lambda: expectations.expect_ready(replace(STARTED, ready={"rules": "a mistake"})),
    "other rules": lambda: expectations.expect_ready(
        replace(STARTED, ready={"rules": "ok: 7 rules, 5 pairs, sha256:00"})
    ),
    "other answer": accepted(replace(PLANNED, accepted=200)),
    "no Retry-After": accepted(replace(PLANNED, retry_after="")),
    "another's ticket": accepted(replace(PLANNED, reference="CHG-2")),
    "one holder less": held_by_seven(replace(PLANNED, holder_count=6)),
    "another holder": held_by_seven(replace(PLANNED, holders=WRITTEN.holders[1:])),
    "not found": held_by_seven(replace(PLANNED, outcome="clear")),
    "not looked at": held_by_seven(replace(PLANNED, gaps=(Gap("a package", "403"),))),
    "one direction planned": planned(replace(PLANNED, references=References(planned=FOUR[:2]))),
    "one planned twice": planned(replace(PLANNED, references=References(planned=(*FOUR, FOUR[0])))),
    "written by a plan": planned(
        replace(PLANNED, references=References(planned=FOUR, written=FOUR))
    ),
    "applied": planned(replace(PLANNED, enforcement="apply")),
    "tenant changed": planned(replace(PLANNED, tenant=replace(PLANNED.tenant, has_changed=True))),
    "allowed before": denied(replace(DECIDED, decision="allow")),
    "denied without a reason": denied(replace(DECIDED, reasons=())),
    "denied for another package": denied(replace(DECIDED, against=("Order goods",))),
    "denied with a gap": denied(replace(DECIDED, gaps=(Gap("a package", "403"),))),
    "denied too late": denied(replace(DECIDED, has_it=True)),
    "denied and written": denied(replace(DECIDED, has_changed=True)),
    "another field": answered(sent(more="than is documented")),
    "another state": answered(sent(state="canceled")),
    "another path": answered(replace(resumed(denied=True), path="/beta/resume")),
    "resume refused": answered(replace(resumed(denied=True), status=400)),
    "run failed": answered(replace(resumed(denied=True), run="Failed")),
    "continued, not denied": answered(resumed(denied=False)),
    "denied, not continued": answered(resumed(denied=True), denied=False),
    "denied and yet given": answered(replace(resumed(denied=True), has_it=True)),
    "denied without the rule": answered(replace(resumed(denied=True), detail="No.")),
    "not written": written(replace(WRITTEN, references=References(planned=FOUR))),
    "one failed": written(
        replace(WRITTEN, references=replace(WRITTEN.references, failed=(STRANGER,)))
    ),
    "one not in the tenant": written(in_tenant(WRITTEN, dict.fromkeys(FOUR[1:], 1))),
    "one twice in the tenant": written(in_tenant(WRITTEN, dict.fromkeys(FOUR, 1) | {FOUR[0]: 2})),
    "one too many in the tenant": written(in_tenant(WRITTEN, dict.fromkeys((*FOUR, STRANGER), 1))),
    "only planned": written(replace(WRITTEN, enforcement="plan")),
    "one not found again": again(replace(AGAIN, references=References(present=FOUR[1:]))),
    "written again": again(replace(AGAIN, references=References(present=FOUR, written=FOUR[:1]))),
    "changed by the second": again(replace(AGAIN, tenant=WRITTEN.tenant)),
    "not granted": granted(replace(GRANTED, status=400)),
    "granted but not given": granted(replace(GRANTED, has_it=False)),
    "let through": refused(replace(REFUSED, status=201)),
    "refused for something else": refused(replace(REFUSED, code="InvalidTarget")),
    "refused but given": refused(replace(REFUSED, has_it=True)),
    "an unknown pair called clear": swept(with_pair(UNREADABLE, outcome="clear")),
    "a clear pair in conflict": swept(with_pair(ORDERS, outcome="conflict")),
    "holders miscounted": swept(with_pair(INVOICES, holder_count=7)),
    "a pair forgotten": swept(replace(SWEPT, pairs=SWEPT.pairs[1:])),
    "the tenant counts otherwise": swept(
        replace(
            SWEPT,
            tenant=replace(
                SWEPT.tenant,
                holders_of_both={pair: frozenset() for pair in SWEPT.tenant.holders_of_both},
            ),
        )
    ),
    "the stand-in not permitted": swept(
        replace(SWEPT, passing=(STAND_IN._replace(days=None), LEGACY))
    ),
    "the legacy package forgotten": swept(replace(SWEPT, passing=(STAND_IN,))),
    "no gaps admitted": swept(replace(SWEPT, status="completed")),
    "coverage too small": swept(replace(SWEPT, checked=3)),
    "no reason": swept(replace(SWEPT, gaps=SWEPT.gaps[1:])),
    "another reason": swept(replace(SWEPT, gaps=(Gap("access package Release payments", "busy"),))),
    "sweep found less": swept(replace(SWEPT, references=References(present=FOUR))),
    "sweep wrote the old again": swept(
        replace(SWEPT, references=replace(SWEPT.references, written=EIGHT))
    ),
    "rules with a mistake": reviewed(replace(REVIEWED, validated=1)),
    "nothing planned": reviewed(replace(REVIEWED, planned=0, additions=())),
    "planned less": reviewed(replace(REVIEWED, additions=EIGHT[1:])),
    "not applied": reviewed(replace(REVIEWED, applied=1)),
    "something left to plan": reviewed(replace(REVIEWED, left_to_write=2)),
    "a package unread without a word": reviewed(replace(REVIEWED, planned_again=0)),
    "applied but not there": reviewed(
        replace(REVIEWED, tenant=replace(REVIEWED.tenant, references=dict.fromkeys(FOUR, 1)))
    ),
    "sweep failed at one": swept(
        replace(SWEPT, references=replace(SWEPT.references, failed=(STRANGER,)))
    ),
    "sweep removed one": swept(in_tenant(SWEPT, dict.fromkeys(EIGHT, 1))),
    "a removal not noticed": repaired(replace(REPAIRED, drift=REPAIRED.drift[1:])),
    "a stranger's reference not named": repaired(replace(REPAIRED, drift=REPAIRED.drift[:1])),
    "not repaired": repaired(replace(REPAIRED, references=References())),
    "a stranger's reference removed": repaired(replace(REPAIRED, tenant=SWEPT.tenant)),
    "nothing held": waits(replace(HELD, references=References(), why_held=())),
    "held and written": waits(replace(HELD, references=References(held=(WAITING,), written=FOUR))),
    "held, and the tenant is another": waits(replace(HELD, tenant=WRITTEN.tenant)),
    "held for another reason": waits(replace(HELD, why_held=("it is protected",))),
    "written while frozen": frozen(
        replace(FROZEN, references=replace(FROZEN.references, written=(WAITING,)))
    ),
    "held although approved": frozen(
        replace(FROZEN, references=replace(FROZEN.references, held=(WAITING,)))
    ),
    "approved, and not planned": frozen(replace(FROZEN, references=References())),
    "stopped without a word": frozen(replace(FROZEN, stopped="")),
    "frozen, and the tenant is another": frozen(replace(FROZEN, tenant=WRITTEN.tenant)),
    "never written": later(replace(LATER, references=References())),
    "written twice": later(in_tenant(LATER, {WAITING: 2})),
    "failed later": later(replace(LATER, references=replace(LATER.references, failed=(WAITING,)))),
    "a dry run with nothing to do": taken_back(
        replace(TAKEN_BACK, shown=TAKEN_BACK.shown._replace(code=0))
    ),
    "not taken back": taken_back(replace(TAKEN_BACK, done=TAKEN_BACK.done._replace(code=1))),
    "a rollback of nothing": taken_back(
        replace(TAKEN_BACK, done=TAKEN_BACK.done._replace(said=""))
    ),
    "other people let in": taken_back(TAKEN_BACK, let_in=8),
    "taken back, and still there": taken_back(replace(TAKEN_BACK, tenant=LATER.tenant)),
    "a command that failed": lambda: expectations.expect_command(
        Commanded("entra-sod unfreeze", 1, "no storage"), 0
    ),
    "nonsense accepted": lambda: expectations.expect_problem(replace(PROBLEM, status=202)),
    "no problem document": lambda: expectations.expect_problem(
        replace(PROBLEM, media_type="text/plain")
    ),
    "one mistake not named": lambda: expectations.expect_problem(
        replace(PROBLEM, pointers=("/enforcement",))
    ),
}


@pytest.mark.parametrize("holds", TRUE.values(), ids=TRUE.keys())
def test_a_story_that_came_true_meets_all_expectations(holds: Case) -> None:
    """Facts as they should be raise nothing."""
    holds()


@pytest.mark.parametrize("fails", UNTRUE.values(), ids=UNTRUE.keys())
def test_each_changed_fact_is_noticed(fails: Case) -> None:
    """One fact that differs is enough, and the message has what was expected and what was seen."""
    with pytest.raises(Unmet, match=r"^[^:]+: expected .+, seen .+$"):
        fails()


def test_a_message_names_packages_and_people() -> None:
    """References are told by names, in the same order every time, on one line."""
    with pytest.raises(Unmet) as unmet:
        written(replace(WRITTEN, references=References(written=FOUR[1:])))()
    assert str(unmet.value) == (
        "written references: expected 4 (group Invoice approvers on Pay invoices; "
        "group Invoice payers on Approve invoices; package Approve invoices on Pay invoices; "
        "package Pay invoices on Approve invoices), seen 3 (group Invoice approvers on Pay "
        "invoices; package Approve invoices on Pay invoices; package Pay invoices on Approve "
        "invoices)"
    )


def test_a_message_tells_counts_by_name() -> None:
    """What belongs together is shown together, and nothing at all is called so."""
    assert (
        expectations.in_words({made_up.FOUR[0]: 2})
        == "1 (group Invoice payers on Approve invoices: 2)"
    )
    assert expectations.in_words(()) == "none"
    assert expectations.in_words("") == "nothing"
    assert expectations.in_words(value=True) == "True"
