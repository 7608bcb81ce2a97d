from __future__ import annotations

from entra_sod.cli.operations.blast_radius import blast_radius, grantors_of
from entra_sod.domain.entra import Reference, ReferenceKind
from tests.builders import guid, package

A, B, C = guid("a"), guid("b"), guid("c")
A_TO_B = Reference(A, ReferenceKind.PACKAGE, B)
GROUP_ON_A = Reference(A, ReferenceKind.GROUP, guid("1"))


def test_the_blast_radius_tells_getting_from_renewing() -> None:
    """Holders of the other side cannot get it; who holds both cannot renew it."""
    holders = {A: frozenset("xy"), B: frozenset("yz")}
    radius = blast_radius(A_TO_B, holders, {})
    assert (radius.kept_from_getting, radius.kept_from_renewing) == (1, frozenset("y"))
    assert radius.is_whole


def test_a_groups_members_are_known_by_the_packages_that_grant_it() -> None:
    """Members by other ways are not known, so the radius says that it is not whole."""
    packages = {B: package("b", "1"), C: package("c", "1")}
    holders = {A: frozenset("x"), B: frozenset("xy"), C: frozenset("z")}
    radius = blast_radius(GROUP_ON_A, holders, grantors_of(packages.values()))
    assert (radius.kept_from_getting, radius.kept_from_renewing) == (2, frozenset("x"))
    assert not radius.is_whole
