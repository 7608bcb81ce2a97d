"""How a sweep is cut into parts."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from entra_sod.domain.detection.cost import Strategy
from entra_sod.domain.rules.language import Mode
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.domain.sweeps.parts import MAX_PAGES_IN_PART, PART_SIZE, PlanningInput, plan_sweep
from tests.builders import at_most, guid, rule, rule_set, side

NAMES = [f"{number:08x}" for number in range(1, 60)]
IDS = [guid(name) for name in NAMES]


def every_two(size: int, mode: Mode = Mode.RECORD) -> RuleSet:
    """Every package against every other: many pairs of few packages."""
    return rule_set(at_most("r", 1, NAMES[:size], mode=mode))


def test_many_pairs_of_few_packages_are_indexed() -> None:
    """Forty packages make 780 pairs, and two parts."""
    plan = plan_sweep(every_two(40), PlanningInput(listed=IDS))
    assert plan.strategy is Strategy.INDEX
    assert [len(part.packages) for part in plan.parts] == [PART_SIZE, PART_SIZE]
    assert not [part for part in plan.parts if part.pairs or part.unlisted or part.enforced]


@given(
    st.integers(0, 59),
    st.sampled_from(Mode),
    st.dictionaries(st.sampled_from(IDS), st.integers(1, 150)),
    st.sets(st.sampled_from(IDS)),
)
def test_the_parts_cover_everything_once(
    size: int, mode: Mode, pages: dict[str, int], ours: set[str]
) -> None:
    """Each pair is asked for, or both its packages are indexed; nothing is read twice."""
    rules = every_two(size, mode)
    plan = plan_sweep(rules, PlanningInput(listed=IDS, pages=pages, own_references=ours))
    indexed = [package for part in plan.parts for package in part.packages]
    asked = [pair for part in plan.parts for pair in part.pairs]
    enforced = [package for part in plan.parts for package in part.enforced]
    assert len(indexed) == len(set(indexed))
    assert len(asked) == len(set(asked))
    assert sorted(enforced) == sorted(rules.enforced_packages | ours)
    for pair in rules.constraints:
        assert ((pair.low, pair.high) in asked) != ({*pair} <= {*indexed})


@given(st.integers(1, 59), st.dictionaries(st.sampled_from(IDS), st.integers(1, 150)))
def test_no_part_is_too_large(size: int, pages: dict[str, int]) -> None:
    """At most twenty of each, and few enough pages, but for a package that is large by itself."""
    for part in plan_sweep(
        every_two(size, Mode.ENFORCE), PlanningInput(listed=IDS, pages=pages)
    ).parts:
        assert max(len(part.pairs), len(part.packages), len(part.enforced)) <= PART_SIZE
        read = sum(pages.get(package, 1) for package in part.packages)
        assert read <= MAX_PAGES_IN_PART or len(part.packages) == 1
        assert len(msgspec.json.encode(part)) < 10_000


@given(st.integers(2, 59), st.dictionaries(st.sampled_from(IDS), st.integers(1, 150)))
def test_packages_of_like_size_share_a_part(size: int, pages: dict[str, int]) -> None:
    """No part has a larger package than one before it: a few long lists do not thin all batches."""
    parts = plan_sweep(every_two(size, Mode.RECORD), PlanningInput(listed=IDS, pages=pages)).parts
    sizes = [pages.get(package, 1) for part in parts for package in part.packages]
    assert sizes == sorted(sizes, reverse=True)


def test_what_the_list_does_not_show_is_read_first() -> None:
    """A package that the tenant's list lacks is marked in every part that names it."""
    rules = rule_set(rule("r", side("a"), side("b")))
    [part] = plan_sweep(rules, PlanningInput(listed=[guid("a")])).parts
    assert part.unlisted == [guid("b")]


def test_a_counting_rule_has_its_set_indexed_and_the_rest_asked_for() -> None:
    """Pairs within the set are answered by its index; others are still asked for, if cheaper."""
    rules = rule_set(
        at_most("few", 2, "abc"),
        rule("in", side("a"), side("b")),
        rule("out", side("d"), side("a")),
    )
    known = PlanningInput(listed=[guid(each) for each in "abcd"], pages={guid("d"): 9})
    plan = plan_sweep(rules, known)
    assert plan.strategy is Strategy.PAIRS
    assert [package for part in plan.parts for package in part.packages] == [
        guid("a"),
        guid("b"),
        guid("c"),
    ]
    assert [pair for part in plan.parts for pair in part.pairs] == [(guid("a"), guid("d"))]


def test_an_app_that_may_not_compare_reads_no_references() -> None:
    """With ENFORCEMENT=off no part reads references."""
    known = PlanningInput(listed=IDS, own_references=IDS[:3], reads_references=False)
    plan = plan_sweep(every_two(5, Mode.ENFORCE), known)
    assert not [part for part in plan.parts if part.enforced]


def test_a_sweep_of_nothing_has_one_part() -> None:
    """So that the worker of that part closes it."""
    assert len(plan_sweep(rule_set(), PlanningInput(listed=[])).parts) == 1
