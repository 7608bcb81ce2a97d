"""What holds for rules of every form: equal forms, growing holdings, and nothing written."""

from __future__ import annotations

import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from entra_sod.cli.operations.plan_document import make_document
from entra_sod.cli.operations.tenant_state import TenantState
from entra_sod.domain.detection.index import IndexedAssignment
from entra_sod.domain.detection.join import join
from entra_sod.domain.enforcement.reach import EnforcementReach
from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.rules.language import Mode, References, Rule, RuleForm, Side
from entra_sod.domain.rules.ruleset import RuleSet
from tests.app import App
from tests.builders import (
    all_of,
    at_most,
    at_most_sides,
    guid,
    held,
    package,
    requires,
    rule,
    rule_set,
    side,
)
from tests.services.sweeps.test_sweeps import sweep

NAMES = "abcdef"
TENANTS, MAY_BE = 1000, 0.3
letters = st.sets(st.sampled_from(NAMES), min_size=1, max_size=3).map(sorted).map("".join)
sides = st.builds(side, letters, every=st.booleans())
plain_sides = st.builds(side, letters)
side_lists = st.lists(sides, min_size=3, max_size=4, unique_by=lambda each: tuple(each.packages))
holdings = st.sets(st.sampled_from(NAMES))


@st.composite
def found_only(draw: st.DrawFn, name: str) -> Rule:
    """A rule of any form that no pair of packages can say."""
    form = draw(st.sampled_from([*RuleForm]))
    if form is RuleForm.AT_MOST:
        names = draw(st.sets(st.sampled_from(NAMES), min_size=3))
        count = draw(st.integers(2, len(names) - 1))
        return at_most(name, count, sorted(names), mode=Mode.ENFORCE)
    if form is RuleForm.REQUIRES:
        when = draw(sides)
        needs = draw(sides.filter(lambda each: each.packages != when.packages))
        return requires(name, when, needs)
    drawn = draw(side_lists)
    if form is RuleForm.ALL_OF:
        return all_of(name, *drawn)
    if form is RuleForm.AT_MOST_SIDES:
        return at_most_sides(name, 2, *drawn)
    return rule(name, side("ab", every=True), *drawn)


def tenant_of(chance: random.Random) -> tuple[RuleSet, dict[str, AccessPackage]]:
    """Enforcing rules, found only and not, over packages that grant groups."""

    def some_sides(number: int) -> list[Side]:
        found = ("".join(sorted(chance.sample(NAMES, chance.randint(1, 3)))) for _ in range(number))
        return [side(each, every=chance.random() < MAY_BE) for each in found]

    few = chance.sample(NAMES, chance.randint(3, len(NAMES)))
    found_only_rules = [
        at_most("f1", chance.randint(2, 3), few, mode=Mode.ENFORCE),
        all_of("f2", *some_sides(chance.randint(3, 4))),
        at_most_sides("f3", 2, *some_sides(chance.randint(3, 4))),
        requires("f4", *some_sides(2)),
        rule("f5", side("ab", every=True), *some_sides(2)),
    ]
    references = chance.choice([*References])
    rules = [*chance.sample(found_only_rules, 3), rule("p", side("a"), side("b"))]
    wide = [msgspec.structs.replace(each, references=references) for each in rules]
    packages = [package(name, *chance.sample("123", chance.randint(0, 2))) for name in NAMES]
    return rule_set(*wide), {each.id: each for each in packages}


def test_nothing_is_planned_for_rules_that_are_found_only() -> None:
    """In 1,000 tenants under enforce no reference is for such a rule, and the plan says so."""
    planned = 0
    for seed in range(TENANTS):
        rules, packages = tenant_of(random.Random(seed))  # noqa: S311 - no secret
        state = TenantState(packages=packages, present=frozenset())
        plan = make_document(rules, state, prunable=[], made_at="2026-06-01T00:00:00Z")
        planned += len(plan.additions)
        assert {each for addition in plan.additions for each in addition.rules} <= {"p"}
        found_only_rules = [each for each in plan.enforcement if each.rule != "p"]
        assert len(found_only_rules) == len(rules.rules) - 1
        assert all(each.reach is EnforcementReach.FOUND_ONLY for each in found_only_rules)
        assert all(each.why for each in found_only_rules)
    assert planned > TENANTS


tenants = given(found_only("f1"), st.dictionaries(st.sampled_from(NAMES), st.just("xyz")))


@settings(max_examples=40, deadline=None)
@tenants
async def test_nothing_is_written_for_them(one: Rule, people: dict[str, str]) -> None:
    """A sweep with ENFORCEMENT=apply finds, and writes nothing."""
    await _sweep_and_see_no_write(one, people)


@pytest.mark.slow
@settings(max_examples=TENANTS, deadline=None)
@tenants
async def test_nothing_is_written_for_them_in_1_000_tenants(
    one: Rule, people: dict[str, str]
) -> None:
    """The same for as many tenants as make test has no time for."""
    await _sweep_and_see_no_write(one, people)


async def _sweep_and_see_no_write(one: Rule, people: dict[str, str]) -> None:
    packages = [package(name, name) for name in NAMES]
    assignments = {name: held(name, who) for name, who in people.items()}
    app = App(packages, assignments, [one], ENFORCEMENT="apply")
    answer = await sweep(app)
    assert answer["status"] == "completed"
    assert app.graph.writes == []


def conflicts_of(rules: RuleSet, names: set[str]) -> list[tuple[str, tuple[str, ...]]]:
    found = join(
        ((guid(name), IndexedAssignment(0, "s", name, None, None, None)) for name in names), rules
    )
    return sorted((each.rules[0].id, tuple(each.packages)) for each in found)


@given(plain_sides, plain_sides, holdings)
def test_between_of_two_is_all_of_two(one: Side, other: Side, names: set[str]) -> None:
    """The same conflicts for whatever is held, and the same pairs to write."""
    between, both = rule_set(rule("r", one, other)), rule_set(all_of("r", one, other))
    assert conflicts_of(between, names) == conflicts_of(both, names)
    assert list(between.constraints) == list(both.constraints)


@given(st.sets(st.sampled_from(NAMES), min_size=2), holdings)
def test_at_most_one_is_at_most_one_side_of_singletons(some: set[str], names: set[str]) -> None:
    """The same conflicts for whatever is held, and the same pairs to write."""
    counted = rule_set(at_most("r", 1, sorted(some)))
    sided = rule_set(at_most_sides("r", 1, *map(side, sorted(some))))
    assert conflicts_of(counted, names) == conflicts_of(sided, names)
    assert list(counted.constraints) == list(sided.constraints)


@given(found_only("r"), holdings, st.sampled_from(NAMES))
def test_one_more_package_never_ends_a_conflict(one: Rule, names: set[str], more: str) -> None:
    """The exception is a rule that requires: a package of the needed side ends its conflict."""
    rules = rule_set(one)
    before, after = conflicts_of(rules, names), conflicts_of(rules, names | {more})
    if one.requires is not None and guid(more) in rules.rules[0].duties[1].packages:
        return
    assert len(after) >= len(before)
    for (_, old), (_, new) in zip(before, after, strict=False):
        assert set(old) <= set(new)


@given(
    found_only("r"),
    holdings,
    st.sets(st.sampled_from(NAMES)),
)
def test_what_was_not_read_makes_no_conflict_that_is_none(
    one: Rule, names: set[str], unread: set[str]
) -> None:
    """Whatever is held of the packages that were not read, a conflict that is told is one."""
    rules = rule_set(one)
    known = names - unread
    told = [
        each.packages
        for each in join(
            ((guid(name), IndexedAssignment(0, "s", name, None, None, None)) for name in known),
            rules,
            frozenset(map(guid, unread)),
        )
    ]
    if told:
        [(_, packages)] = conflicts_of(rules, names)
        assert set(told[0]) <= set(packages)
