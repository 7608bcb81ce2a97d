"""Which packages meet a rule by themselves, and in which words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.rules.language import Rule
from entra_sod.domain.rules.toxic import ToxicPackage, by_package, find_toxic
from tests.builders import at_most, guid, package, rule, rule_set, side

PAY_OR_APPROVE = rule("r", side("a"), side("b"))


def found(
    rules: Sequence[Rule] | Rule, *packages: AccessPackage, **names: AccessPackage
) -> list[ToxicPackage]:
    resolved = rule_set(*([rules] if isinstance(rules, Rule) else rules)).rules
    return list(find_toxic(resolved, {each.id: each for each in packages}, names))


def toxic(rules: Sequence[Rule] | Rule, *packages: AccessPackage) -> list[str]:
    """The names of toxic packages, in order."""
    return sorted({each.package[0] for each in found(rules, *packages)})


def test_a_package_on_both_sides_is_toxic_though_its_grants_were_not_read() -> None:
    """Both sides select it, so its holders are on both."""
    assert toxic(rule("r", side("ac"), side("bc"))) == ["c"]


def test_a_package_that_grants_what_both_sides_grant_is_toxic() -> None:
    """No side selects it: it is the third package of Microsoft's documentation."""
    known = package("a", "1"), package("b", "2"), package("c", "1", "2")
    assert toxic(PAY_OR_APPROVE, *known) == ["c"]


def test_a_package_of_one_side_that_grants_what_the_other_grants_is_toxic() -> None:
    """It is on its own side because the rule says so, and on the other one by its grants."""
    assert toxic(PAY_OR_APPROVE, package("a", "1", "2"), package("b", "2")) == ["a"]


def test_what_both_sides_grant_alike_makes_no_package_toxic() -> None:
    """A group of all employees that paying and approving give is no duty."""
    known = package("a", "1", "9"), package("b", "2", "9"), package("c", "9")
    assert toxic(PAY_OR_APPROVE, *known) == []


def test_a_role_of_the_other_side_counts_if_its_own_side_does_not_give_it_otherwise() -> None:
    """Another package of the side shows that the role is not a part of this duty."""
    sides = rule("r", side("ac"), side("b"))
    known = package("a", "1", "2"), package("b", "2", "3"), package("c", "1")
    assert toxic(sides, *known) == ["a"]
    assert toxic(sides, *known[:2], package("c", "1", "2")) == []


def test_a_package_that_grants_one_side_only_is_not_toxic() -> None:
    """It is an overlap: `alike.py` finds it."""
    assert toxic(PAY_OR_APPROVE, package("a", "1"), package("b", "2"), package("c", "2")) == []


def test_a_package_that_grants_a_group_that_the_other_side_names_is_toxic() -> None:
    """A side may be a group, whose members have the duty."""
    assert toxic(rule("r", side("a"), side(groups=["2"])), package("a", "2")) == ["a"]


def test_eligible_membership_of_a_named_group_counts_if_the_rule_says_so() -> None:
    """As it does for references."""
    sides = rule("r", side("a"), side(groups=["2"]))
    eligible = AccessPackage(id=guid("a"), eligible_groups=frozenset({guid("2")}))
    assert toxic(replace(sides, eligible=True), eligible) == ["a"]


def test_of_three_sides_any_two_make_a_package_toxic() -> None:
    """`between` keeps each side from each other one."""
    sides = rule("r", side("a"), side("b"), side("c"))
    known = package("a", "1"), package("b", "2"), package("c", "3")
    assert toxic(sides, *known, package("d", "2", "3")) == ["d"]


def test_what_two_of_three_sides_grant_alike_makes_no_package_toxic() -> None:
    """It tells neither of the two from the other."""
    sides = rule("r", side("a"), side("b"), side("c"))
    known = package("a", "1", "9"), package("b", "2", "9"), package("c", "3")
    assert toxic(sides, *known, package("d", "9")) == []


def test_of_a_set_a_package_is_toxic_if_it_gives_more_than_is_allowed() -> None:
    """Two of three are allowed: who holds a package that gives all three holds too much."""
    known = package("a", "1"), package("b", "2"), package("c", "3")
    two_of_three = at_most("r", 2, "abc")
    assert toxic(two_of_three, *known, package("d", "1", "2")) == []
    assert toxic(two_of_three, *known, package("d", "1", "2", "3")) == ["d"]


def test_of_a_set_of_which_one_is_allowed_a_package_that_gives_another_is_toxic() -> None:
    """As between two packages."""
    assert toxic(at_most("r", 1, "ab"), package("a", "1", "2"), package("b", "2")) == ["a"]


def test_a_side_with_many_packages_that_grant_the_same_hides_none_of_the_other() -> None:
    """Each package of both sides gives all that the other side gives."""
    known = [package(name, "1") for name in "abcdef"]
    assert toxic(rule("r", side("abcde"), side("f")), *known) == [*"abcdef"]
    assert toxic(rule("r", side("bcdef"), side("a")), *known) == [*"abcdef"]


def test_a_package_is_named_for_each_rule_that_it_meets() -> None:
    """A finding is of one rule."""
    rules = [PAY_OR_APPROVE, rule("s", side("a"), side("b"))]
    known = package("a", "1"), package("b", "2"), package("c", "1", "2")
    assert [each.rule.id for each in by_package(found(rules, *known))[guid("c")]] == ["r", "s"]


def test_the_reason_names_the_package_and_both_duties() -> None:
    """Who reads it finds both sides, and the packages that grant the same."""
    known = package("a", "1"), package("b", "2"), package("c", "1", "2")
    (one,) = found(PAY_OR_APPROVE, *known)
    assert one.what == f"access package {guid('c')} (Package c)"
    assert one.why == (
        "it meets rule r by itself: "
        f"it grants what access package {guid('a')} (Package a) of side 1 grants; "
        f"it grants what access package {guid('b')} (Package b) of side 2 grants"
    )


def test_the_name_of_a_package_that_was_not_read_comes_from_the_list() -> None:
    """The tenant's list has it."""
    rules = rule_set(rule("r", side("c"), side("bc"))).rules
    (one,) = find_toxic(rules, {}, {guid("c"): package("c")})
    assert one.what.endswith("(Package c)")


grants = st.dictionaries(
    st.sampled_from("abcdef"), st.sets(st.sampled_from("12345"), max_size=4), max_size=6
)
sides_of_rules = st.lists(
    st.tuples(*[st.text(alphabet="abcd", min_size=1, max_size=3)] * 3), min_size=1, max_size=3
)


def _packages(granted: Mapping[str, set[str]]) -> list[AccessPackage]:
    return [package(name, *sorted(groups)) for name, groups in sorted(granted.items())]


@given(sides=sides_of_rules, granted=grants, more=st.sets(st.sampled_from("12345"), max_size=5))
def test_another_package_of_the_tenant_makes_no_package_less_toxic(
    sides: list[tuple[str, ...]], granted: dict[str, set[str]], more: set[str]
) -> None:
    """Whatever a package grants that no rule selects: those that were toxic before still are."""
    rules = [rule(f"r{number}", *map(side, each)) for number, each in enumerate(sides)]
    before = {(each.package, each.rule.id) for each in found(rules, *_packages(granted))}
    added = found(rules, *_packages({**granted, "f": more}))
    assert before - {(guid("f"), each[1]) for each in before} <= {
        (each.package, each.rule.id) for each in added
    }


@given(sides=sides_of_rules, granted=grants)
def test_the_order_of_packages_says_nothing(
    sides: list[tuple[str, ...]], granted: dict[str, set[str]]
) -> None:
    """The same packages are toxic, whichever was read first."""
    rules = [rule(f"r{number}", *map(side, each)) for number, each in enumerate(sides)]
    packages = _packages(granted)
    assert found(rules, *packages) == found(rules, *reversed(packages))


@given(sides=sides_of_rules, granted=grants)
def test_a_package_that_gives_all_that_two_sides_give_is_toxic(
    sides: list[tuple[str, ...]], granted: dict[str, set[str]]
) -> None:
    """If each side has a package of its own that grants anything."""
    rules = [rule(f"r{number}", *map(side, each)) for number, each in enumerate(sides)]
    everything = package("e", *"12345")
    known = [each for each in _packages(granted) if each.id != everything.id]
    met = {
        each.rule.id for each in found(rules, *known, everything) if each.package == everything.id
    }
    giving = {name for name, groups in granted.items() if groups}
    for each, names in zip(rules, sides, strict=True):
        if sum(not giving.isdisjoint(one) for one in names) > 1:
            assert each.id in met


@settings(max_examples=400)
@given(sides=sides_of_rules, granted=grants, hidden=st.sets(st.sampled_from("abcde"), max_size=3))
def test_what_is_certain_holds_whatever_the_unread_packages_grant(
    sides: list[tuple[str, ...]], granted: dict[str, set[str]], hidden: set[str]
) -> None:
    """A package is not called toxic only because others were not read."""
    rules = [rule(f"r{number}", *map(side, each)) for number, each in enumerate(sides)]
    packages = _packages(granted)
    read = {each.id: each for each in packages if each.id not in set(map(guid, hidden))}
    certain = {(each.package, each.rule.id) for each in _certain(rules, read)}
    possible = {(each.package, each.rule.id) for each in found(rules, *read.values())}
    assert certain <= possible
    assert certain <= {(each.package, each.rule.id) for each in found(rules, *packages)}
    if not hidden & granted.keys():
        missing = {name for each in sides for one in each for name in one} - granted.keys()
        assert missing or certain == possible


def test_a_role_that_both_sides_give_makes_no_package_toxic_while_one_side_is_not_read() -> None:
    """The role seems to be of the side alone that was read."""
    rules = [rule("r", side("a"), side("bc"))]
    everyone = "9"
    packages = [
        package("a", "1", everyone),
        package("b", "2", "4"),
        package("c", "3", everyone),
    ]
    third = package("e", everyone, "2")
    read = [each for each in packages if each.id != guid("c")]
    assert [each.package for each in found(rules, *read, third)] == [third.id]
    assert list(_certain(rules, {each.id: each for each in (*read, third)})) == []
    assert third.id not in {each.package for each in found(rules, *packages, third)}


def _certain(rules: Sequence[Rule], read: Mapping[str, AccessPackage]) -> Iterator[ToxicPackage]:
    return find_toxic(rule_set(*rules).rules, read, is_certain=True)
