from __future__ import annotations

from datetime import date
from uuid import UUID

import msgspec
import pytest

from entra_sod.cli.operations.plan_document import (
    Addition,
    PlanDocument,
    TenantState,
    make_document,
    why_stale,
)
from entra_sod.domain.entra import Reference, ReferenceKind
from entra_sod.domain.rules.language import ExceptionEntry
from entra_sod.domain.rules.ruleset import RuleSet
from tests.builders import guid, package, rule, rule_set, side

A, B = guid("a"), guid("b")
RULES = rule_set(rule("r", side("a"), side("b")))
PACKAGES = {A: package("a", "1"), B: package("b", "2")}
FOREIGN = Reference(A, ReferenceKind.GROUP, guid("f"))
STALE_RULES = rule_set(rule("r2", side("a"), side("b")))


def state(*present: Reference) -> TenantState:
    return TenantState(packages=PACKAGES, present=frozenset(present))


def document(
    now: TenantState, rules: RuleSet = RULES, prunable: tuple[Reference, ...] = ()
) -> PlanDocument:
    return make_document(rules, now, prunable=prunable, made_at="2026-01-01T00:00:00Z")


def test_a_document_survives_its_file() -> None:
    """What is saved as JSON is read back as the same plan."""
    plan = document(state(FOREIGN))
    assert msgspec.json.decode(msgspec.json.encode(plan), type=PlanDocument) == plan
    assert (plan.writes, plan.left_alone) == (4, (FOREIGN,))


def test_a_fresh_plan_may_be_applied() -> None:
    """The same rules and the same tenant make no plan stale."""
    plan = document(state())
    assert why_stale(plan, document(state()), state()) is None


def test_what_the_plan_wrote_itself_does_not_make_it_stale() -> None:
    """An interrupted run is gone on with: its own additions and removals are no news."""
    extra = Reference(B, ReferenceKind.GROUP, guid("9"))
    plan = document(state(extra), prunable=(extra,))
    assert plan.removals == (extra,)
    half = state(plan.additions[0].reference)
    assert why_stale(plan, document(half), half) is None


def test_a_reference_that_others_added_makes_it_stale() -> None:
    """Somebody else's change may be what the reviewer would have wanted to know."""
    moved = state(FOREIGN)
    assert why_stale(document(state()), document(moved), moved) == "the tenant has changed"


def test_a_group_that_a_package_now_grants_makes_it_stale() -> None:
    """The references follow from what packages grant, so that is part of the state."""
    moved = TenantState(packages={A: package("a", "1", "3"), B: PACKAGES[B]}, present=frozenset())
    assert why_stale(document(state()), document(moved), moved) == "the tenant has changed"


def test_other_rules_make_it_stale() -> None:
    """A plan is for the rules that it was made from."""
    fresh = document(state(), STALE_RULES)
    assert why_stale(document(state()), fresh, state()) == "the rules have changed"


@pytest.mark.parametrize("edit", ["added", "dropped"])
def test_a_plan_whose_file_was_edited_is_refused(edit: str) -> None:
    """Neither more nor less than the rules ask for is written from a file."""
    plan = document(state())
    smuggled = Addition(
        reference=FOREIGN,
        rules=("r",),
        kept_from_getting=0,
        kept_from_renewing=0,
        in_conflict=(),
        is_whole=True,
    )
    additions = (*plan.additions, smuggled) if edit == "added" else plan.additions[1:]
    edited = msgspec.structs.replace(plan, additions=additions)
    why = why_stale(edited, document(state()), state())
    assert why is not None
    assert "was its file edited?" in why


def test_an_exception_is_named_as_not_enforceable() -> None:
    """Entra refuses an excepted subject as well, and the plan says so."""
    entry = ExceptionEntry(
        id="EX-1",
        rule="r",
        subject=UUID(guid("e")),
        start=date(2026, 1, 1),
        until=date(2026, 2, 1),
        reason="Year-end closing",
        requested_by="a@example.com",
        approved_by="b@example.com",
    )
    rules = RuleSet(RULES.rules, [entry])
    (gap,) = document(state(), rules).not_enforceable
    assert "EX-1" in gap.what
    assert rules.hash != RULES.hash


BOTH = (Reference(A, ReferenceKind.PACKAGE, B), Reference(B, ReferenceKind.PACKAGE, A))
STALE = Reference(B, ReferenceKind.GROUP, guid("9"))


def unread_state(*, gone: bool = False) -> TenantState:
    """B is not read, and A has a reference to it."""
    return TenantState(
        packages={A: PACKAGES[A]},
        present=frozenset(BOTH[:1]),
        gone=frozenset([B] if gone else []),
    )


@pytest.mark.parametrize("rules", [RULES, RuleSet([])])
def test_nothing_is_removed_that_an_unread_package_may_ask_for(rules: RuleSet) -> None:
    """Named by a rule or passed over by its patterns: what is ours stays, and the plan says so."""
    plan = document(unread_state(), rules, prunable=BOTH[:1])
    assert plan.removals == ()
    assert any("removing 1 references" in each.what for each in plan.not_enforceable)
    assert any(B in each.why for each in plan.not_enforceable)


def test_what_refers_to_a_package_that_is_gone_is_removed() -> None:
    """Graph's own word that there is no such package is no gap."""
    plan = document(unread_state(gone=True), RuleSet([]), prunable=BOTH[:1])
    assert (plan.removals, plan.not_enforceable) == (BOTH[:1], ())


def test_a_removal_that_was_put_into_the_file_is_refused() -> None:
    """What the rules and the ledger do not say may go is not removed from a file."""
    now = state(STALE)
    edited = msgspec.structs.replace(document(now), removals=(STALE,))
    why = why_stale(edited, document(now), now)
    assert why is not None
    assert "was its file edited?" in why


def test_a_removal_that_was_done_already_does_not_make_it_stale() -> None:
    """An interrupted run is gone on with also where it had removed something."""
    plan = document(state(STALE), prunable=(STALE,))
    assert why_stale(plan, document(state()), state()) is None
