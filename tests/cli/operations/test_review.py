from __future__ import annotations

from datetime import UTC, date, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entra_sod.cli.operations.plan_additions import Addition
from entra_sod.cli.operations.plan_document import PlanDocument
from entra_sod.cli.operations.plan_figures import (
    PlanFigures,
    RuleFigures,
    figures_by_rule,
    grown_figures,
)
from entra_sod.cli.operations.plan_review import PlanSource, review_plan, why_too_old
from entra_sod.cli.operations.tenant_state import TenantState
from entra_sod.domain.entra import AccessPackage, Reference, ReferenceKind
from entra_sod.domain.rules.language import ExceptionEntry
from entra_sod.domain.rules.ruleset import RuleSet
from tests.builders import guid, package, rule, rule_set, side

A, B = guid("a"), guid("b")
RULES = rule_set(rule("r", side("a"), side("b")))
PACKAGES = {A: package("a", "1"), B: package("b", "2")}
FOREIGN = Reference(A, ReferenceKind.GROUP, guid("f"))
STALE_RULES = rule_set(rule("r2", side("a"), side("b")))
MADE_AT = "2026-01-01T00:00:00Z"
EDITED = "was its file edited?"


def state(*present: Reference) -> TenantState:
    return TenantState(packages=PACKAGES, present=frozenset(present))


def source(
    now: TenantState, rules: RuleSet = RULES, prunable: tuple[Reference, ...] = ()
) -> PlanSource:
    ours = dict.fromkeys(prunable, ("old",))
    return PlanSource(rules=rules, state=now, ours=ours, prunable=ours)


def document(
    now: TenantState, rules: RuleSet = RULES, prunable: tuple[Reference, ...] = ()
) -> PlanDocument:
    plan = source(now, rules, prunable).plan(MADE_AT)
    return msgspec.structs.replace(plan, holders_hash=now.holders_hash)


def why_refused(
    plan: PlanDocument, now: TenantState, rules: RuleSet = RULES, *, allowed: int = 0
) -> list[str]:
    fresh = source(now, rules)
    return list(review_plan(plan, fresh, fresh.plan(MADE_AT), allowed=allowed).refused)


def test_a_document_survives_its_file() -> None:
    """What is saved as JSON is read back as the same plan."""
    plan = document(state(FOREIGN))
    assert msgspec.json.decode(msgspec.json.encode(plan), type=PlanDocument) == plan
    assert (plan.writes, plan.left_alone) == (4, (FOREIGN,))


def test_a_fresh_plan_may_be_applied() -> None:
    """The same rules and the same tenant make no plan stale."""
    plan = document(state())
    assert why_refused(plan, state()) == []


def test_what_the_plan_wrote_itself_does_not_make_it_stale() -> None:
    """An interrupted run is gone on with: its own additions and removals are no news."""
    extra = Reference(B, ReferenceKind.GROUP, guid("9"))
    plan = document(state(extra), prunable=(extra,))
    assert plan.removals == (extra,)
    half = state(plan.additions[0].reference)
    assert why_refused(plan, half) == []


def test_a_reference_that_others_added_makes_it_stale() -> None:
    """Another person's change may be what the reviewer would have wanted to know."""
    moved = state(FOREIGN)
    assert why_refused(document(state()), moved)[0] == "the tenant has changed"


def test_a_group_that_a_package_now_grants_makes_it_stale() -> None:
    """The references follow from what packages grant, so that is part of the state."""
    moved = TenantState(packages={A: package("a", "1", "3"), B: PACKAGES[B]}, present=frozenset())
    assert why_refused(document(state()), moved)[0] == "the tenant has changed"


def test_other_rules_make_it_stale() -> None:
    """A plan is for the rules that it was made from."""
    assert why_refused(document(state()), state(), STALE_RULES) == ["the rules have changed"]


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
    (why,) = why_refused(edited, state())
    assert EDITED in why


def test_an_exception_is_named_as_not_enforceable() -> None:
    """Entra refuses an excepted subject as well, and the plan says so."""
    entry = ExceptionEntry(
        id="EX-1",
        rule="r",
        subject=guid("e"),
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
    (why,) = why_refused(edited, now)
    assert EDITED in why


def test_a_removal_that_was_done_already_does_not_make_it_stale() -> None:
    """An interrupted run is gone on with also where it had removed something."""
    plan = document(state(STALE), prunable=(STALE,))
    assert why_refused(plan, state()) == []


def held_by(a: str, b: str) -> TenantState:
    """The packages with these holders; nothing is written yet."""
    return msgspec.structs.replace(
        state(), holders={A: frozenset(a), B: frozenset(b)}, partly_held=frozenset()
    )


def test_grown_impact_is_refused_with_both_numbers() -> None:
    """G2: one more holder of B is one more subject that cannot get A."""
    plan, now = document(held_by("x", "y")), held_by("x", "yz")
    refused = why_refused(plan, now)
    assert "in all: subjects kept from getting a package: 2 reviewed, 3 now" in refused
    assert "rule r: subjects kept from getting a package: 2 reviewed, 3 now" in refused
    assert why_refused(plan, now, allowed=1) == []


def test_who_now_holds_both_is_grown_impact_too() -> None:
    """Fewer can no longer get a package, and more can no longer renew one: that is worse."""
    refused = why_refused(document(held_by("x", "y")), held_by("xy", "y"))
    assert any("kept from renewing a package: 0 reviewed, 4 now" in each for each in refused)


def test_impact_that_shrank_is_not_refused() -> None:
    """A subject gave a package back since the review."""
    assert why_refused(document(held_by("x", "yz")), held_by("x", "y")) == []


def test_what_is_not_known_any_more_is_refused_however_much_may_grow() -> None:
    """An unknown number of subjects cannot be compared with a limit."""
    plan = document(held_by("x", "y"))
    now = msgspec.structs.replace(held_by("x", "y"), partly_held=frozenset([B]))
    refused = why_refused(plan, now, allowed=1000)
    assert refused
    assert all("not all subjects are known: 2 reviewed, 4 now" in each for each in refused)


@pytest.mark.parametrize(("allowed", "is_refused"), [(0, True), (1, True), (2, False)])
def test_a_tenant_that_changed_may_be_written_as_far_as_growth_allows(
    allowed: int, *, is_refused: bool
) -> None:
    """A package grants two groups more, so the rules ask for two references more."""
    changed = {A: package("a", "1", "3", "4"), B: PACKAGES[B]}
    moved = msgspec.structs.replace(held_by("", ""), packages=changed)
    whole = msgspec.structs.replace(moved, packages=changed)
    plan = document(held_by("", ""))
    refused = why_refused(plan, whole, allowed=allowed)
    unknown = [each for each in refused if "not all subjects are known" in each]
    assert bool([each for each in refused if each not in unknown]) is is_refused
    # Who is in a group by other ways is not known, which no number allows.
    assert unknown


@pytest.mark.parametrize(("allowed", "is_refused"), [(1, True), (2, False)])
def test_references_are_compared_one_by_one(allowed: int, *, is_refused: bool) -> None:
    """Two references in the place of two others are two without a review."""
    plan = document(msgspec.structs.replace(held_by("", ""), packages=_granting("3", "4")))
    now = msgspec.structs.replace(held_by("", ""), packages=_granting("5", "6"))
    refused = why_refused(plan, now, allowed=allowed)
    told = ["in all: references to add: 5 reviewed, 7 now"]
    assert refused == (told if is_refused else [])


def _granting(*groups: str) -> dict[str, AccessPackage]:
    return {A: package("a", *groups), B: PACKAGES[B]}


@pytest.mark.parametrize("figure", ["kept_from_getting", "kept_from_renewing"])
@pytest.mark.parametrize("change", [-1, 1])
def test_figures_that_are_not_the_plans_own_are_refused(figure: str, change: int) -> None:
    """G2: also where they are larger than they are, so that growth would hide behind them."""
    now = held_by("xy", "yz")
    plan = document(now)
    first = plan.additions[0]
    forged = msgspec.structs.replace(first, **{figure: getattr(first, figure) + change})
    additions = (forged, *plan.additions[1:])
    (row,) = plan.by_rule
    row = msgspec.structs.replace(row, **{figure: getattr(row, figure) + change})
    whole = msgspec.structs.replace(
        plan.figures, **{figure: getattr(plan.figures, figure) + change}
    )
    edited = msgspec.structs.replace(plan, additions=additions, by_rule=(row,), figures=whole)
    (why,) = why_refused(edited, now)
    assert EDITED in why


def test_a_rule_that_was_not_reviewed_has_grown_from_nothing() -> None:
    """A rule that only now asks for something is named with 0 reviewed."""
    now = RuleFigures(rule="new", additions=2)
    assert [str(each) for each in grown_figures([], [now])] == [
        "rule new: references to add: 0 reviewed, 2 now"
    ]


def test_figures_count_for_each_rule_that_asks() -> None:
    """An addition of two rules stands in both rows, a removal in that of the rule of then."""
    two = rule_set(rule("r1", side("a"), side("b")), rule("r2", side("a"), side("b")))
    now = held_by("xy", "y")
    additions = document(now, two).additions
    rows = figures_by_rule(two, additions, [STALE], {STALE: ("old",)})
    assert [(each.rule, each.additions, each.removals, each.packages) for each in rows] == [
        ("old", 0, 1, 0),
        ("r1", 4, 0, 2),
        ("r2", 4, 0, 2),
    ]
    assert (rows[1].kept_from_getting, rows[1].kept_from_renewing) == (1, 4)
    assert (rows[1].in_conflict, rows[1].unknown) == (1, 2)
    assert rows[1].selection == rows[2].selection
    assert rows[1].selected == (A, B)
    assert document(now, two).figures == PlanFigures(
        additions=4, kept_from_getting=1, kept_from_renewing=4, in_conflict=1, unknown=2
    )


def test_the_selection_is_named_by_its_hash() -> None:
    """Another package on a side is another selection."""
    wider = rule_set(rule("r", side("a"), side("bc")))
    narrow, wide = (figures_by_rule(each, [], [], {})[0] for each in (RULES, wider))
    assert (narrow.packages, wide.packages) == (2, 3)
    assert narrow.selection != wide.selection


@pytest.mark.parametrize(
    ("made_at", "word"),
    [
        ("1999-01-01T00:00:00Z", "may be 24 hours old"),
        ("2026-01-01T23:59:00Z", "may be 24 hours old"),
        ("2026-01-03T00:02:00Z", "in the future"),
        ("9999-01-01T00:00:00Z", "in the future"),
        ("2026-01-02T00:30:00Z", None),
        ("2026-01-03T00:00:30Z", None),
        ("2026-01-02T01:00:00+01:00", None),
    ],
)
def test_a_plan_has_a_greatest_age(made_at: str, word: str | None) -> None:
    """G2: neither old nor from the future, but for what two clocks may be apart."""
    plan = msgspec.structs.replace(document(state()), made_at=made_at)
    why = why_too_old(plan, datetime(2026, 1, 3, tzinfo=UTC), 24)
    assert (why is None) if word is None else (why is not None and word in why)


def test_a_greater_age_can_be_allowed() -> None:
    """Two days are accepted if the operator says 48 hours."""
    now = datetime(2026, 1, 2, 23, tzinfo=UTC)
    plan = document(state())
    assert (why_too_old(plan, now, 46) is None, why_too_old(plan, now, 48)) == (False, None)


POSSIBLE = [
    Reference(on, kind, target)
    for on, kind, target in (
        (A, ReferenceKind.PACKAGE, B),
        (B, ReferenceKind.PACKAGE, A),
        (A, ReferenceKind.GROUP, guid("2")),
        (B, ReferenceKind.GROUP, guid("1")),
        (A, ReferenceKind.GROUP, guid("f")),
        (B, ReferenceKind.GROUP, guid("9")),
    )
]
_people = st.frozensets(st.sampled_from("vwxyz"))
_states = st.builds(
    lambda present, a, b, groups: TenantState(
        packages={A: package("a", *groups), B: package("b", "2")},
        present=present,
        holders={A: a, B: b},
    ),
    st.frozensets(st.sampled_from(POSSIBLE)),
    _people,
    _people,
    st.sampled_from([("1",), ("1", "3"), ()]),
)
_ours = st.frozensets(st.sampled_from(POSSIBLE)).map(sorted)


@given(
    then=_states,
    now=_states,
    ours=_ours,
    ours_now=_ours,
    forged=st.lists(st.sampled_from(POSSIBLE), max_size=2),
    allowed=st.integers(0, 3),
)
def test_nothing_is_written_that_was_not_reviewed_or_allowed(
    *,
    then: TenantState,
    now: TenantState,
    ours: list[Reference],
    ours_now: list[Reference],
    forged: list[Reference],
    allowed: int,
) -> None:
    """Whatever the tenant, the ledger and the file have become since the review."""
    plan = document(then, prunable=tuple(each for each in ours if each in then.present))
    plan = msgspec.structs.replace(plan, removals=(*plan.removals, *forged))
    from_now = source(now, prunable=tuple(each for each in ours_now if each in now.present))
    fresh = from_now.plan(MADE_AT)
    review = review_plan(plan, from_now, fresh, allowed=allowed)
    if not review.refused:
        assert len(fresh.added - plan.added) <= allowed
        assert len(fresh.removed - plan.removed) <= allowed
        subjects = fresh.figures.kept_from_getting + fresh.figures.kept_from_renewing
        reviewed = plan.figures.kept_from_getting + plan.figures.kept_from_renewing
        assert subjects <= reviewed + 2 * allowed
