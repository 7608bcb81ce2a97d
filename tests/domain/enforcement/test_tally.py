"""References are counted by the rules that ask for them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from entra_sod.domain.enforcement.desired import DesiredReference
from entra_sod.domain.enforcement.guard import HeldReference
from entra_sod.domain.enforcement.plan import Plan, make_plan
from entra_sod.domain.enforcement.tally import ReferenceNumbers, ReferenceTally
from entra_sod.domain.entra import Reference, ReferenceKind


def desired(target: str, *rules: str) -> DesiredReference:
    return DesiredReference(Reference("p", ReferenceKind.PACKAGE, target), rules)


def tally_of(wanted: list[DesiredReference], plan: Plan) -> ReferenceTally:
    tally = ReferenceTally()
    tally.add(wanted, plan)
    return tally


def test_a_reference_counts_for_every_rule_that_asks() -> None:
    """What two rules share is missing for both."""
    wanted = [desired("a", "one"), desired("b", "one", "two")]
    tally = tally_of(wanted, make_plan(wanted, [wanted[0].reference]))
    assert tally.by_rule() == {
        "one": ReferenceNumbers(wanted=2, missing=1),
        "two": ReferenceNumbers(wanted=1, missing=1),
    }


def test_what_is_held_is_missing_as_well() -> None:
    """A removal that is held is not."""
    wanted = [desired("a", "one"), desired("b", "one")]
    held = (
        HeldReference(wanted[1].reference, "new"),
        HeldReference(Reference("p", ReferenceKind.PACKAGE, "z"), "new", is_removal=True),
    )
    plan = Plan(additions=(wanted[0],), held=held)
    assert tally_of(wanted, plan).by_rule() == {
        "one": ReferenceNumbers(wanted=2, missing=2, held=1)
    }


def test_what_was_written_is_no_longer_missing() -> None:
    """And what a limit held since is held."""
    wanted = [desired("a", "one"), desired("b", "one"), desired("c", "one")]
    tally = tally_of(wanted, Plan(additions=tuple(wanted)))
    tally.settle(wanted, there=[wanted[0].reference], held=[wanted[1].reference])
    assert tally.by_rule() == {"one": ReferenceNumbers(wanted=3, missing=2, held=1)}


@given(
    st.dictionaries(
        st.sampled_from("abcdef"),
        st.tuples(st.sets(st.sampled_from("xyz"), min_size=1), st.booleans()),
    )
)
def test_the_numbers_are_those_of_counting_one_by_one(
    references: dict[str, tuple[set[str], bool]],
) -> None:
    """For any references, rules, and whether each is there."""
    wanted = [desired(target, *sorted(rules)) for target, (rules, _) in references.items()]
    there = [each.reference for each in wanted if references[each.reference.target][1]]
    found = tally_of(wanted, make_plan(wanted, there)).by_rule()
    for rule in "xyz":
        mine = [is_there for rules, is_there in references.values() if rule in rules]
        numbers = found.get(rule, ReferenceNumbers())
        assert (numbers.wanted, numbers.missing) == (len(mine), mine.count(False))
