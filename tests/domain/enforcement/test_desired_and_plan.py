from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entra_sod.domain.enforcement.desired import DesiredReference, desired_by_constraint, desired_on
from entra_sod.domain.enforcement.plan import make_plan
from entra_sod.domain.entra import AccessPackage, Reference, ReferenceKind
from entra_sod.domain.rules.language import Mode, References
from tests.builders import guid, package, rule, rule_set, side

A, B = guid("a"), guid("b")
GROUP, PACKAGE = ReferenceKind.GROUP, ReferenceKind.PACKAGE


def references_of(
    *packages: AccessPackage,
    mode: Mode = Mode.ENFORCE,
    references: References = References.BOTH,
    side_groups: tuple[str, ...] = (),
) -> set[Reference]:
    rules = rule_set(rule("r", side("a"), side("b", side_groups), mode=mode, references=references))
    (constraint,) = rules.constraints.values()
    by_id = {each.id: each for each in packages}
    return {each.reference for each in desired_by_constraint(constraint, by_id)}


def test_a_pair_asks_for_both_directions_and_both_kinds() -> None:
    """On each package stand the other package and the groups that the other grants."""
    assert references_of(package("a", "1"), package("b", "2", "3")) == {
        Reference(A, PACKAGE, B),
        Reference(B, PACKAGE, A),
        Reference(A, GROUP, guid("2")),
        Reference(A, GROUP, guid("3")),
        Reference(B, GROUP, guid("1")),
    }


def test_a_group_that_a_package_grants_itself_is_never_held_against_it() -> None:
    """A shared group would lock the package's own holders out of renewing."""
    found = references_of(package("a", "1", "2"), package("b", "2"), references=References.GROUPS)
    assert found == {Reference(B, GROUP, guid("1"))}


def test_groups_that_a_side_names_are_held_against_the_other_side_only() -> None:
    """A group on b's side is a reference on a, and not on b."""
    found = references_of(
        package("a"), package("b"), references=References.GROUPS, side_groups=("4",)
    )
    assert found == {Reference(A, GROUP, guid("4"))}


@pytest.mark.parametrize("mode", [Mode.RECORD, Mode.WARN])
def test_only_enforcing_rules_ask_for_references(mode: Mode) -> None:
    """A pair under record or warn asks for nothing."""
    assert references_of(package("a", "1"), package("b", "2"), mode=mode) == set()


def test_a_guard_skips_what_the_package_grants() -> None:
    """A guarded package gets the named groups, less its own."""
    guard = rule_set(rule("r", side("a"), side("", ["1", "2"]))).group_blocks[A]
    found = desired_on(package("a", "2"), {}, guard, {})
    assert [each.reference for each in found] == [Reference(A, GROUP, guid("1"))]


references = st.builds(
    Reference,
    st.sampled_from([A, B]),
    st.sampled_from(ReferenceKind),
    st.sampled_from([guid(digit) for digit in "1234"]),
)
desires = st.lists(st.builds(DesiredReference, references, st.just(("r",))))


@given(desires, st.sets(references), st.sets(references))
def test_a_plan_carried_out_leaves_nothing_to_do(
    desired: list[DesiredReference], present: set[Reference], prunable: set[Reference]
) -> None:
    """After the additions and removals of a plan, the plan for the same wishes is empty."""
    plan = make_plan(desired, present, prunable)
    after = (present | {each.reference for each in plan.additions}) - set(plan.removals)
    assert make_plan(desired, after, prunable).writes == 0
    assert {each.reference for each in desired} <= after


@given(desires, st.sets(references), st.sets(references))
def test_a_plan_never_touches_what_others_made(
    desired: list[DesiredReference], present: set[Reference], prunable: set[Reference]
) -> None:
    """Only references of the ledger that no rule desires are removed; the rest stays."""
    plan = make_plan(desired, present, prunable)
    wanted = {each.reference for each in desired}
    assert set(plan.removals) == (present & prunable) - wanted
    assert set(plan.unchanged) == present & wanted
    assert set(plan.vanished) == prunable - present - wanted


def test_a_reference_that_two_rules_ask_for_is_planned_once_and_names_both() -> None:
    """Wishes for the same reference are one addition with all its rules."""
    reference = Reference(A, PACKAGE, B)
    wishes = [DesiredReference(reference, ("r2",)), DesiredReference(reference, ("r1",))]
    assert make_plan(wishes, []).additions == (DesiredReference(reference, ("r1", "r2")),)
