from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from entra_sod.domain.enforcement.desired import DesiredReference
from entra_sod.domain.enforcement.drift import Drift, DriftKind, find_drift
from entra_sod.domain.enforcement.result import ReferenceSnapshot
from entra_sod.domain.entra import Reference, ReferenceKind
from tests.builders import guid

A, B, C = guid("a"), guid("b"), guid("c")
A_TO_B = Reference(A, ReferenceKind.PACKAGE, B)
B_TO_A = Reference(B, ReferenceKind.PACKAGE, A)
GROUP_ON_A = Reference(A, ReferenceKind.GROUP, guid("1"))
BOTH = [DesiredReference(A_TO_B, ("r",)), DesiredReference(B_TO_A, ("r",))]
VIEW = {A, B}

references = st.builds(
    Reference,
    st.sampled_from([A, B]),
    st.sampled_from(ReferenceKind),
    st.sampled_from([A, B, C, guid("1")]),
).filter(lambda each: each.on != each.target)
sets = st.sets(references)


def compared(
    desired: Iterable[DesiredReference],
    there: Collection[Reference],
    written: Collection[Reference],
    *,
    in_view: Collection[str],
    gone: Collection[str] = (),
) -> list[Drift]:
    """Drift in a tenant where the lists of some packages were read."""
    seen = ReferenceSnapshot()
    for on, kind in product(in_view, ReferenceKind):
        listed = (each for each in there if (each.on, each.kind) == (on, kind))
        seen.add(on, kind, (each.target for each in listed))
    return find_drift(desired, there, written, is_one_way=seen.is_one_way, gone=gone)


def kinds(drift: list[Drift], reference: Reference) -> set[DriftKind]:
    return {each.kind for each in drift if each.reference == reference}


def test_what_a_person_removed_is_missing() -> None:
    """Ours, still asked for and gone from Graph: missing, and its mirror is one-directional."""
    drift = compared(BOTH, [A_TO_B], [A_TO_B, B_TO_A], in_view=VIEW)
    assert kinds(drift, B_TO_A) == {DriftKind.MISSING}
    assert kinds(drift, A_TO_B) == {DriftKind.ASYMMETRIC}


def test_what_no_rule_asks_for_any_more_is_extra() -> None:
    """Ours, there, and in no rule."""
    drift = compared([], [A_TO_B, B_TO_A], [A_TO_B, B_TO_A], in_view=VIEW)
    assert kinds(drift, A_TO_B) == kinds(drift, B_TO_A) == {DriftKind.EXTRA}


def test_what_others_made_is_foreign() -> None:
    """There, in no rule, and not ours."""
    assert compared([], [GROUP_ON_A], [], in_view=VIEW) == [Drift(DriftKind.FOREIGN, GROUP_ON_A)]


def test_what_points_to_a_package_that_is_gone_is_orphaned() -> None:
    """Ours, on or to a package that does not exist: orphaned, and neither missing nor extra."""
    drift = compared(BOTH, [A_TO_B], [A_TO_B, B_TO_A], in_view=[A], gone=[B])
    assert kinds(drift, A_TO_B) == kinds(drift, B_TO_A) == {DriftKind.ORPHANED}


def test_what_points_to_a_group_that_is_gone_is_orphaned() -> None:
    """A deleted group is told like a deleted package, whether its reference is still listed."""
    drift = compared([], [], [GROUP_ON_A], in_view=VIEW, gone=[B, GROUP_ON_A.target])
    assert drift == [Drift(DriftKind.ORPHANED, GROUP_ON_A)]


def test_a_mirror_that_was_not_read_makes_nothing_asymmetric() -> None:
    """Where the other package's list is not in view, nothing is said about its mirror."""
    assert compared(BOTH, [A_TO_B], [], in_view=[A]) == []


@given(sets, sets, sets)
def test_rules_graph_and_ledger_that_agree_have_no_drift(
    wanted: set[Reference], there: set[Reference], written: set[Reference]
) -> None:
    """Each difference is exactly one of missing, extra, foreign; agreement is none of them."""
    desired = [DesiredReference(each, ("r",)) for each in wanted]
    drift = compared(desired, there, written, in_view=VIEW)
    for each in wanted | there | written:
        found = kinds(drift, each) - {DriftKind.ASYMMETRIC}
        expected = {
            (True, False, True): {DriftKind.MISSING},
            (False, True, True): {DriftKind.EXTRA},
            (False, True, False): {DriftKind.FOREIGN},
        }.get((each in wanted, each in there, each in written), set())
        assert found == expected
