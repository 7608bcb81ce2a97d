"""Packages that no rule names and that give what a side gives, under rules of other forms."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from entra_sod.domain.rules.alike import AlikePackage, find_alike, met_alike, packages_against_alike
from entra_sod.domain.rules.language import Rule
from tests.builders import all_of, guid, package, requires, rule_set, side

NAMED = {guid(name): package(name, name) for name in "abc"}
THREE = all_of("three", side("a"), side("b"), side("c"))
NEEDS = requires("need", side("a"), side("b"))


def alike(one: Rule, *groups: str) -> Sequence[AlikePackage]:
    """Of a package f that grants these groups."""
    return [*find_alike(rule_set(one).rules, [package("f", *groups)], NAMED)]


@pytest.mark.parametrize(("held", "is_met"), [("", False), ("b", False), ("bc", True)])
def test_a_package_like_a_side_counts_for_it(held: str, is_met: bool) -> None:  # noqa: FBT001
    """It takes every other side to be against the purpose of `allOf`."""
    found = alike(THREE, "a")
    assert bool([*met_alike(found, [*map(guid, held), guid("f")])]) is is_met
    assert packages_against_alike(found) == {guid("b"), guid("c")}


@pytest.mark.parametrize(("held", "is_met"), [("", True), ("b", False)])
def test_a_package_that_needs_another_one_by_what_it_gives(held: str, is_met: bool) -> None:  # noqa: FBT001
    """It gives what `when` gives, so it needs what `when` needs."""
    found = alike(NEEDS, "a")
    assert bool([*met_alike(found, [*map(guid, held), guid("f")])]) is is_met


def test_a_package_that_gives_what_is_needed_passes_nothing_by() -> None:
    """A subject is not kept from getting what is needed."""
    assert alike(NEEDS, "b") == []
