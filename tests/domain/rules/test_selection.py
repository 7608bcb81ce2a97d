"""What is remembered of a rule: under which key, what grows by itself, and what has changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import msgspec
import pytest

from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.rules.language import AtMost, GroupSelector, Mode, PackageSelector, Rule, Side
from entra_sod.domain.rules.parse import ParsedRules
from entra_sod.domain.rules.resolve import ResolvedRule, Tenant, resolve
from entra_sod.domain.rules.selection import (
    RuleSelection,
    next_selection,
    selection_change,
    selection_key,
    selection_of,
    with_left,
)
from tests.builders import (
    TODAY,
    at_most,
    at_most_sides,
    guid,
    package,
    requires,
    rule,
    side,
)

PAY, APPROVE = Side(packages=[PackageSelector(name="Pay*")]), side("b")
RULE = rule("r", PAY, APPROVE)


def named(name: str, display_name: str, *groups: str) -> AccessPackage:
    return replace(package(name, *groups), display_name=display_name)


def resolved(
    written: Rule, packages: Sequence[AccessPackage] = (), classes: dict[str, Side] | None = None
) -> ResolvedRule:
    parsed = ParsedRules(rules={written.id: written}, classes=classes or {})
    (found,) = resolve(parsed, Tenant(packages), TODAY)
    return found


def by_id(*packages: AccessPackage) -> dict[str, AccessPackage]:
    return {each.id: each for each in packages}


P1, P2, B = named("1", "Pay 1", "e"), named("2", "Pay 2", "f"), package("b", "d")


@pytest.mark.parametrize(
    "change",
    [
        {"id": "other"},
        {"between": [PAY, side("c")]},
        {"between": [PAY, Side(packages=APPROVE.packages, classes=["k"])]},
        {"between": None, "at_most": at_most("x", 1, "ab").at_most},
        {"between": None, "all_of": [PAY, APPROVE]},
        {"between": None, "requires": requires("x", PAY, APPROVE).requires},
        {"between": None, "at_most_sides": at_most_sides("x", 1, PAY, APPROVE).at_most_sides},
        {"between": [PAY, side("b", every=True)]},
        {"mode": Mode.WARN},
        {"references": "groups"},
        {"eligible": True},
        {"all_packages": True},
    ],
)
def test_a_rule_that_selects_or_asks_for_something_else_has_another_key(
    change: dict[str, object],
) -> None:
    """So what was reviewed of the rule before it was changed is not taken for it."""
    changed = msgspec.structs.replace(RULE, **change)
    classes = {"k": Side(groups=[GroupSelector(id=UUID(guid("a")))])}
    assert selection_key(resolved(changed, classes=classes)) != selection_key(resolved(RULE))


def test_a_class_is_part_of_the_key() -> None:
    """A class that a rule leads to says what the rule selects, also through another class."""
    written = rule("r", Side(classes=["k"]), APPROVE)
    keys = {
        selection_key(resolved(written, classes={"k": Side(classes=["m"]), "m": inner}))
        for inner in (side("c"), side("d"))
    }
    assert len(keys) == 2


@pytest.mark.parametrize("change", [{"title": "T"}, {"owner": "o"}, {"advice": "a"}])
def test_words_for_people_approve_nothing(change: dict[str, str]) -> None:
    """The key stays, and so does what was reviewed."""
    changed = msgspec.structs.replace(RULE, **change)
    assert selection_key(resolved(changed)) == selection_key(resolved(RULE))


def test_the_first_time_counts_as_reviewed() -> None:
    """Sides with all their packages, and the groups of those that were read."""
    found = next_selection(None, resolved(RULE, [P1, P2]), by_id(P1, B), is_sweep=False)
    assert found.sides == ((guid("1"), guid("2")), (guid("b"),))
    assert found.groups == {guid("1"): (guid("e"),), guid("b"): (guid("d"),)}


def test_a_set_is_one_side() -> None:
    """`atMost` keeps one list, whatever it allows of it."""
    for count in (1, 2):
        found = selection_of(resolved(at_most("r", count, "abc")), {})
        assert found.sides == ((guid("a"), guid("b"), guid("c")),)


def test_what_joins_an_enforcing_rule_is_not_taken_in() -> None:
    """Neither a package nor a group, whoever asks and however often."""
    known = selection_of(resolved(RULE, [P1]), by_id(P1, B))
    more = replace(P1, member_groups=P1.member_groups | {guid("f")})
    for is_sweep in (False, True):
        rule_now = resolved(RULE, [more, P2])
        assert next_selection(known, rule_now, by_id(more, P2, B), is_sweep=is_sweep) == known


def test_grants_that_are_read_for_the_first_time_count_as_reviewed() -> None:
    """A check has read two packages; a later run adds what the others grant, once."""
    rule_now = resolved(RULE, [P1, P2])
    known = next_selection(None, rule_now, by_id(P1), is_sweep=False)
    known = next_selection(known, rule_now, by_id(P2), is_sweep=False)
    assert known.groups == {guid("1"): (guid("e"),), guid("2"): (guid("f"),)}


@pytest.mark.parametrize("mode", [Mode.RECORD, Mode.WARN])
def test_a_rule_that_does_not_enforce_grows_with_a_sweep(mode: Mode) -> None:
    """Nothing is written for it. What has left stays, and so do its findings; a check adds none."""
    written = msgspec.structs.replace(RULE, mode=mode)
    known = selection_of(resolved(written, [P1]), {})
    rule_now = with_left(resolved(written, [P2]), known)
    assert next_selection(known, rule_now, {}, is_sweep=False) == known
    grown = next_selection(known, rule_now, {}, is_sweep=True)
    assert grown.sides == ((guid("1"), guid("2")), (guid("b"),))


@pytest.mark.parametrize("mode", [Mode.RECORD, Mode.WARN])
def test_grants_that_a_sweep_did_not_read_have_not_joined(mode: Mode) -> None:
    """A sweep reads what packages grant only for rules that enforce. People ask for all of it."""
    warns = resolved(rule("r", PAY, APPROVE, mode=mode), [P1, B])
    swept = next_selection(None, warns, {}, is_sweep=True)
    shown = next_selection(swept, warns, by_id(P1, B), is_sweep=False)
    assert not selection_change(shown, warns, by_id(P1, B)).ids
    assert next_selection(swept, warns, by_id(P1, P2, B), is_sweep=False).packages == swept.packages


def test_a_package_that_does_not_exist_is_taken_out() -> None:
    """With what it granted; one that the rule selects by its id stays, for it may come back."""
    known = selection_of(resolved(RULE, [P1, P2]), by_id(P1, P2, B))
    rule_now = with_left(resolved(RULE, [P1]), known)
    gone = {guid("2"), guid("b")}
    found = next_selection(known, rule_now, {}, gone=gone, is_sweep=True)
    assert found.sides == ((guid("1"),), (guid("b"),))
    assert found.groups.keys() == {guid("1"), guid("b")}


def test_what_left_stays_on_its_side() -> None:
    """Also of a set, whose packages are sides of their own."""
    known = selection_of(resolved(RULE, [P1, P2]), {})
    kept = with_left(resolved(RULE, [P2]), known)
    assert list(map(set, kept.package_sides)) == [{guid("1"), guid("2")}, {guid("b")}]
    assert list(map(set, kept.kept)) == [{guid("1")}, set()]
    same = resolved(RULE, [P1, P2])
    assert with_left(same, known) is same
    set_of = AtMost(count=1, of=PAY.packages)
    written = msgspec.structs.replace(at_most("s", 1, ""), at_most=set_of)
    known = selection_of(resolved(written, [P1, P2]), {})
    assert len(with_left(resolved(written, []), known).sides) == 2


def test_a_change_names_what_joined_and_what_left() -> None:
    """Packages by their side, groups with a package that grants or granted them."""
    known = RuleSelection(
        ((guid("1"),), (guid("b"),)), {guid("1"): (guid("e"),), guid("b"): (guid("d"),)}
    )
    other = replace(B, member_groups=frozenset([guid("c")]))
    rule_now = with_left(resolved(RULE, [P2]), known)
    change = selection_change(known, rule_now, by_id(P2, other))
    assert [*change.joined, *change.left] == [guid("2"), guid("1")]
    assert change.joined_groups == {guid("f"): guid("2"), guid("c"): guid("b")}
    assert change.left_groups == {guid("d"): guid("b")}
    assert selection_change(known, resolved(RULE, [P1]), by_id(P1, B)).ids == frozenset()


def test_a_package_that_changes_its_side_has_joined_one_and_left_the_other() -> None:
    """A name that fits another pattern is no way around a rule."""
    written = rule("r", PAY, Side(packages=[PackageSelector(name="Approve*")]))
    approve = named("2", "Approve 2")
    known = selection_of(resolved(written, [P1, approve]), {})
    rule_now = with_left(resolved(written, [P1, P2]), known)
    assert list(map(set, rule_now.package_sides)) == [{guid("1"), guid("2")}, {guid("2")}]
    change = selection_change(known, rule_now, {})
    assert [*change.joined, *change.left] == [guid("2"), guid("2")]


def test_a_rule_that_is_found_only_grows_with_a_sweep() -> None:
    """Nothing is written for it, so nothing waits for approval."""
    written = requires("r", PAY, APPROVE)
    known = next_selection(None, resolved(written, [P1]), by_id(P1), is_sweep=True)
    rule_now = resolved(written, [P1, P2])
    grown = next_selection(known, rule_now, by_id(P1, P2), is_sweep=True)
    assert grown.sides == ((P1.id, P2.id), (B.id,))
    assert selection_change(grown, rule_now, by_id(P1, P2)).joined == frozenset()


def test_a_package_that_left_stays_on_its_side() -> None:
    """Also on a side of a rule that is found only."""
    written = requires("r", PAY, APPROVE)
    known = next_selection(None, resolved(written, [P1, P2]), {}, is_sweep=True)
    left = with_left(resolved(written, [P1]), known)
    assert [side.packages for side in left.duties] == [{P1.id, P2.id}, {B.id}]
    assert left.kept == (frozenset([P2.id]), frozenset[str]())
