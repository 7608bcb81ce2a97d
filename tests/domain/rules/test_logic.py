"""Conflicts that show only in all that a subject holds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from entra_sod.core.errors import Forbidden
from entra_sod.domain.rules.language import Rule
from entra_sod.domain.rules.logic import ConflictKind, RuleHit, find_hit, met_by
from entra_sod.domain.rules.resolve import ResolvedRule
from tests.builders import all_of, at_most, at_most_sides, guid, requires, rule, rule_set, side


def ids(names: str) -> frozenset[str]:
    return frozenset(map(guid, names))


def resolved(one: Rule) -> ResolvedRule:
    [found] = rule_set(one).rules
    return found


@pytest.mark.parametrize(
    ("one", "held", "met"),
    [
        (all_of("r", side("ab"), side("c"), side("d")), "acd", "acd"),
        (all_of("r", side("ab"), side("c"), side("d")), "abcdf", "abcd"),
        (all_of("r", side("ab"), side("c"), side("d")), "abc", ""),
        (all_of("r", side("a"), side("ab"), side("ac")), "a", "a"),
        (at_most_sides("r", 2, side("a"), side("b"), side("c")), "ab", ""),
        (at_most_sides("r", 2, side("a"), side("b"), side("c")), "abc", "abc"),
        (at_most("r", 2, "abc"), "ac", ""),
        (at_most("r", 2, "abc"), "abcd", "abc"),
        (rule("r", side("ab", every=True), side("c")), "ac", ""),
        (rule("r", side("ab", every=True), side("c")), "abc", "abc"),
        (requires("r", side("a"), side("b")), "a", "a"),
        (requires("r", side("a"), side("b")), "ab", ""),
        (requires("r", side("a"), side("b")), "b", ""),
        (requires("r", side("a"), side("bc", every=True)), "ab", "a"),
        (requires("r", side("ad", every=True), side("b")), "a", ""),
        (requires("r", side("ad", every=True), side("b")), "ad", "ad"),
    ],
)
def test_a_conflict_names_the_packages_that_make_it(one: Rule, held: str, met: str) -> None:
    """Those of the sides that are met, or nothing where there is no conflict."""
    assert met_by(resolved(one), ids(held)) == ids(met)


def test_a_requirement_names_what_is_missing() -> None:
    """With `every` all that is not held, otherwise any of the side's packages would do."""
    one = resolved(requires("r", side("a"), side("bc")))
    every = resolved(requires("r", side("a"), side("bc", every=True)))
    kind = ConflictKind.REQUIREMENT
    assert find_hit(one, ids("a")) == RuleHit(kind=kind, packages=ids("a"), missing=ids("bc"))
    assert find_hit(every, ids("ab")) == RuleHit(kind=kind, packages=ids("a"), missing=ids("c"))


def test_a_needed_package_that_was_not_read_makes_no_conflict() -> None:
    """The subject may hold it, so the rule is not known to be met, and not known to be kept."""
    one = resolved(requires("r", side("a"), side("bc")))
    assert find_hit(one, ids("a"), ids("b")) is None


def test_a_package_that_was_not_read_completes_no_conflict() -> None:
    """What is held is certain, and the rest only possible: it is a gap."""
    one = resolved(all_of("r", side("a"), side("b"), side("c")))
    assert find_hit(one, ids("ab"), ids("c")) is None


@pytest.mark.parametrize(
    ("one", "pairs"),
    [
        (all_of("r", side("a"), side("b")), 1),
        (at_most_sides("r", 1, side("a"), side("b"), side("c")), 3),
        (rule("r", side("a", every=True), side("b")), 1),
        (all_of("r", side("a"), side("b"), side("c")), 0),
        (at_most_sides("r", 2, side("a"), side("b"), side("c")), 0),
        (requires("r", side("a"), side("b")), 0),
        (rule("r", side("ab", every=True), side("c")), 0),
        (all_of("r", side("ab", every=True), side("c")), 0),
    ],
)
def test_only_rules_that_pairs_can_say_make_pairs(one: Rule, pairs: int) -> None:
    """Nothing can be written for others, whatever their mode."""
    rules = rule_set(one)
    assert len(rules.constraints) == pairs
    assert not rules.group_blocks
    assert bool(rules.enforced_packages) is bool(pairs)
    assert rules.packages == rules.named_packages


def test_all_of_two_sides_is_between_them() -> None:
    """The same pairs on the same terms, but for the words of the rule."""
    two = rule_set(all_of("r", side("ab"), side("cd", ["f"])))
    between = rule_set(rule("r", side("ab"), side("cd", ["f"])))
    assert [each.pair for each in two.constraints.in_order()] == [
        each.pair for each in between.constraints.in_order()
    ]


def test_a_package_that_is_held_may_be_the_needed_one() -> None:
    """While it is not known what it grants, the rule is not known to be met."""
    one = resolved(requires("r", side("a"), side("b")))
    open_rule = replace(one, grant_gaps={guid("d"): Forbidden("403")})
    assert find_hit(open_rule, ids("ad")) is None
    assert find_hit(open_rule, ids("ac")) is not None
    nothing_known = replace(one, grant_gaps={"": Forbidden("403")})
    assert find_hit(nothing_known, ids("a")) is None
