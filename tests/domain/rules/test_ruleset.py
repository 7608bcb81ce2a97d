from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from entra_sod.domain.entra import Pair
from entra_sod.domain.rules.language import AtMost, Mode, PackageSelector, References, Rule, Side
from entra_sod.domain.rules.parse import ParsedRules
from entra_sod.domain.rules.resolve import Tenant, resolve
from entra_sod.domain.rules.ruleset import RuleSet
from tests.builders import TODAY, at_most, guid, package, rule, rule_set, side

NAMES = "abcdef"
sides = st.builds(
    side,
    packages=st.text(alphabet=NAMES, max_size=3),
    groups=st.lists(st.sampled_from(["1", "2"]), max_size=2, unique=True),
)
rules = st.lists(
    st.tuples(
        st.lists(sides, min_size=2, max_size=3),
        st.sampled_from(Mode),
        st.sampled_from(References),
    ),
    max_size=5,
).map(
    lambda specs: [
        rule(f"r{number}", *between, mode=mode, references=references)
        for number, (between, mode, references) in enumerate(specs)
    ]
)


def test_every_holder_of_one_side_stands_against_every_other_side() -> None:
    """Three sides give each pair of packages of different sides, and none within a side."""
    found = rule_set(rule("r", side("ab"), side("c"), side("d"))).constraints
    expected = [("a", "c"), ("a", "d"), ("b", "c"), ("b", "d"), ("c", "d")]
    assert set(found) == {Pair.of(guid(one), guid(other)) for one, other in expected}


def test_a_package_never_conflicts_with_itself() -> None:
    """A package on both sides is a pair with the others only."""
    found = rule_set(rule("r", side("ab"), side("a"))).constraints
    assert set(found) == {Pair.of(guid("a"), guid("b"))}


def test_the_stricter_mode_and_the_wider_references_win() -> None:
    """Two rules for one pair are merged upwards, and both are named."""
    record = rule("r1", side("a"), side("b"), mode=Mode.RECORD, references=References.GROUPS)
    enforce = rule("r2", side("b"), side("a"), mode=Mode.ENFORCE, references=References.PACKAGES)
    (constraint,) = rule_set(record, enforce).constraints.values()
    assert (constraint.mode, constraint.terms.references) == (Mode.ENFORCE, References.BOTH)
    assert constraint.rule_ids == ("r1", "r2")


def test_groups_of_a_rule_that_is_not_enforced_are_not_written() -> None:
    """A record rule's groups are known, and not handed on to an enforcing rule's references."""
    record = rule("r1", side("a", ["1"]), side("b"), mode=Mode.RECORD)
    enforce = rule("r2", side("a"), side("b"))
    (constraint,) = rule_set(record, enforce).constraints.values()
    assert constraint.terms.low_groups == frozenset()
    assert constraint.named_groups == {guid("1")}


def test_a_side_of_groups_only_guards_the_packages_of_the_others() -> None:
    """Groups without packages become a guard on each package that faces them, and no pair."""
    found = rule_set(rule("r", side("ab"), side("", ["1"])))
    assert not found.constraints
    assert {package: guard.groups for package, guard in found.group_blocks.items()} == {
        guid("a"): {guid("1")},
        guid("b"): {guid("1")},
    }


def test_a_package_is_named_by_whichever_rule_has_it() -> None:
    """Of a pair, against groups only, in a set of which one or more are allowed: in any mode."""
    found = rule_set(
        rule("pair", side("a"), side("b")),
        rule("guarded", side("c"), side("", ["1"]), mode=Mode.RECORD),
        at_most("one", 1, "de"),
        at_most("two", 2, "def"),
    )
    assert found.named_packages == {guid(name) for name in "abcdef"}


@given(rules)
def test_the_order_of_rules_does_not_matter(some_rules: list[Rule]) -> None:
    """Rules in any order have the same hash, the same pairs and the same guards."""
    first = rule_set(*some_rules)
    for shuffled in list(permutations(some_rules))[:6]:
        other = rule_set(*shuffled)
        assert first.hash == other.hash
        assert list(first.constraints.items()) == list(other.constraints.items())
        assert first.group_blocks == other.group_blocks


@given(rules)
def test_every_duty_is_asked_for_by_a_rule_that_separates_its_packages(
    some_rules: list[Rule],
) -> None:
    """No pair comes from nowhere: each of its rules has its packages on different sides."""
    for pair, constraint in rule_set(*some_rules).constraints.items():
        for each in constraint.rules:
            places = [{str(item.id) for item in one.packages} for one in each.between or ()]
            assert any(
                pair.low in places[i] and pair.high in places[j]
                for i in range(len(places))
                for j in range(len(places))
                if i != j
            )


def test_a_changed_rule_changes_the_hash() -> None:
    """The hash names the version of the rules: any change of a rule is another hash."""
    first = rule_set(rule("r", side("a"), side("b")))
    second = rule_set(rule("r", side("a"), side("b"), mode=Mode.WARN))
    assert first.hash != second.hash


A_RULE = rule("r", side("a"), side("b"))
BETWEEN = replace(A_RULE, between=[side("a"), Side(classes=["k"])])
SET = replace(A_RULE, between=None, at_most=AtMost(count=2, classes=["k"]))


def with_classes(used: Rule, tenant: Tenant | None = None, **classes: Side) -> RuleSet:
    return RuleSet(resolve(ParsedRules(rules={used.id: used}, classes=classes), tenant, TODAY))


@pytest.mark.parametrize("used", [BETWEEN, SET], ids=["between", "atMost"])
def test_rules_whose_classes_say_something_else_have_another_hash(used: Rule) -> None:
    """Also where the class is only reached through another one; a class not used is no matter."""
    hashes = {with_classes(used, k=side(names)).hash for names in ("b", "c", "bc")}
    through = Side(classes=["deep"])
    hashes |= {with_classes(used, k=through, deep=side(names)).hash for names in ("b", "c")}
    assert len(hashes) == 5
    assert with_classes(used, k=side("b"), other=side("d")).hash in hashes


def test_what_patterns_mean_today_is_not_in_the_hash() -> None:
    """It names a version of the rules, not of the tenant."""
    pattern = Side(packages=[PackageSelector(name="Package *")])
    one = with_classes(BETWEEN, Tenant([package("a"), package("b")]), k=pattern)
    other = with_classes(BETWEEN, Tenant([package("c")]), k=pattern)
    assert set(one.constraints) != set(other.constraints)
    assert one.hash == other.hash
