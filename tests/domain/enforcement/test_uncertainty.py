from __future__ import annotations

import pytest

from entra_sod.cli.operations.plan_document import half_seen
from entra_sod.domain.enforcement.drift import Drift, DriftKind
from entra_sod.domain.enforcement.uncertainty import is_certain, may_be_required
from entra_sod.domain.entra import Reference, ReferenceKind
from tests.builders import guid, rule, rule_set, side

A, B, C, D = (guid(name) for name in "abcd")
A_TO_C = Reference(A, ReferenceKind.PACKAGE, C)
A_TO_GROUP = Reference(A, ReferenceKind.GROUP, guid("1"))


@pytest.mark.parametrize("unread", [A, C])
def test_a_package_that_was_not_read_may_ask_for_what_is_on_it_and_to_it(unread: str) -> None:
    """Between two packages that were read, nothing is in doubt."""
    assert may_be_required(A_TO_C, {unread})
    assert not may_be_required(A_TO_C, {B})


def test_a_package_that_was_not_read_may_grant_any_group() -> None:
    """So it may ask for a reference to it on any other package, until all were read."""
    assert may_be_required(A_TO_GROUP, {B})
    assert not may_be_required(A_TO_GROUP, set())


def test_both_packages_of_a_pair_are_half_seen() -> None:
    """What either asks for on the other is not known where one of them was not read."""
    rules = rule_set(rule("r", side("a"), side("b")), rule("s", side("c"), side("d")))
    assert half_seen(rules, {B}) == {A, B}
    assert half_seen(rules, set()) == set()


def test_nothing_is_called_unasked_for_that_may_be_asked_for() -> None:
    """Extra and foreign are left out on what is half seen or to what was not read; no others."""
    drift = [Drift(kind, A_TO_C) for kind in DriftKind]
    others = [each for each in drift if each.kind not in (DriftKind.EXTRA, DriftKind.FOREIGN)]
    assert [each for each in drift if is_certain(each, {A}, frozenset())] == others
    assert [each for each in drift if is_certain(each, (), {C})] == others
    assert [each for each in drift if is_certain(each, {C}, {B})] == drift
