"""How many subjects a reference newly keeps away, and how many a run may."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entra_sod.domain.enforcement.desired import DesiredReference
from entra_sod.domain.enforcement.impact import (
    Impact,
    Population,
    WeighedAdditions,
    grantors_of,
    impacts_of,
    targets_of,
    weigh,
)
from entra_sod.domain.entra import Reference, ReferenceKind
from tests.builders import guid, package

A, B, C, D = (guid(name) for name in "abcd")
PAYERS, STAFF = guid("1"), guid("2")
GRANTORS = grantors_of([package("b", "1"), package("c", "1", "2")])
HOLDERS = {A: 100, B: 30, C: 20}


def to_package(target: str, on: str = A) -> Reference:
    return Reference(on, ReferenceKind.PACKAGE, target)


def to_group(target: str, on: str = A) -> Reference:
    return Reference(on, ReferenceKind.GROUP, target)


def population(members: Mapping[str, int] | None = None, *, both: int = 0) -> Population:
    """Who holds A, B and C; so many hold any two of them."""
    return Population(
        holders=HOLDERS,
        whole=HOLDERS.keys(),
        both=lambda _one, _other: both,
        grantors=GRANTORS,
        members=members or {},
    )


def impact(
    reference: Reference,
    known: Population,
    *,
    present: Sequence[Reference] = (),
    planned: Sequence[Reference] = (),
) -> Impact:
    return impacts_of([reference, *planned], targets_of(present), known)[reference]


def test_a_package_keeps_its_holders_away_but_those_who_have_the_other() -> None:
    """Who holds both keeps both; the others can no longer get the package."""
    assert impact(to_package(B), population(both=7)) == Impact(23)


def test_more_who_hold_both_than_hold_one_keep_no_subject_away() -> None:
    """Numbers of different moments never give less than nothing."""
    assert impact(to_package(B), population(both=31)) == Impact(0)


def test_holders_of_a_package_are_kept_away_by_its_group_already() -> None:
    """A reference to a group that the package grants exists: the package adds no holder."""
    assert impact(to_package(B), population(), present=[to_group(PAYERS)]) == Impact(0)


def test_a_group_on_another_package_keeps_no_subject_away_from_this_one() -> None:
    """A reference works on the package that it is on alone."""
    assert impact(to_package(B), population(), present=[to_group(PAYERS, on=D)]) == Impact(30)


def test_a_package_whose_holders_were_not_all_read_is_not_known() -> None:
    """Those who were read are told, and that there may be more."""
    known = replace(population(), whole=[A, C])
    assert impact(to_package(B), known) == Impact(30, is_known=False)
    assert impact(to_package(D), known) == Impact(0, is_known=False)


def test_a_group_keeps_its_members_away() -> None:
    """All of them, where no package that grants it is referenced."""
    assert impact(to_group(PAYERS), population({PAYERS: 80})) == Impact(80)


@pytest.mark.parametrize("are_present", [True, False])
def test_members_whom_a_package_keeps_away_are_counted_there(are_present: bool) -> None:  # noqa: FBT001
    """The holders of a package that grants the group, present or planned, are taken off."""
    references = [to_package(B)]
    present, planned = (references, []) if are_present else ([], references)
    known = population({PAYERS: 80}, both=5)
    assert impact(to_group(PAYERS), known, present=present, planned=planned) == Impact(50)


def test_a_group_never_keeps_fewer_than_0_subjects_away() -> None:
    """The directory's count may be older than the assignments."""
    known = population({PAYERS: 10})
    assert impact(to_group(PAYERS), known, planned=[to_package(B)]) == Impact(0)


def test_members_that_were_not_counted_are_not_known() -> None:
    """What the holders of its packages tell is the least; without any it is unknown, not 0."""
    known = population()
    assert impact(to_group(PAYERS), known) == Impact(30, is_known=False)
    assert impact(to_group(PAYERS), known, planned=[to_package(B)]) == Impact(20, is_known=False)
    assert impact(to_group(guid("9")), known) == Impact(0, is_known=False)
    assert Impact(0, is_known=False).counted == 1


def weighed(
    *additions: Reference, limit: int, earlier: Sequence[Reference] = (), known: Population
) -> WeighedAdditions:
    return weigh(additions, earlier, known, limit=limit, earlier=earlier)


def test_additions_go_through_in_order_while_they_are_within_the_limit() -> None:
    """The first that does not fit is held, and so is what comes after it; both numbers are told."""
    additions = to_package(C), to_package(B), to_package(C, on=D)
    found = weighed(*additions, limit=49, known=population())
    assert list(found.held) == [to_package(B), to_package(C, on=D)]
    why = found.why_held(DesiredReference(to_package(B), ("r",)))
    assert why is not None
    assert "70 subjects" in why
    assert "MAX_SUBJECTS_AFFECTED is 49" in why
    assert "entra-sod apply" in why
    assert found.why_held(DesiredReference(to_package(C), ("r",))) is None
    assert weighed(*additions, limit=50, known=population()).held.keys() == {to_package(C, on=D)}
    assert not weighed(*additions, limit=70, known=population()).held


def test_what_an_earlier_try_of_the_run_wrote_counts() -> None:
    """It is there already, and the limit is that of the run."""
    again = weighed(to_package(B), limit=49, earlier=[to_package(C)], known=population())
    assert again.held.keys() == {to_package(B)}
    assert again.impacts[to_package(C)] == Impact(20)


def test_a_group_counts_whom_a_held_package_does_not_keep_away() -> None:
    """Its package waits, so all members of the group are kept away by the group."""
    known = population({STAFF: 25})
    additions = to_group(STAFF), to_package(C), to_package(B)
    found = weighed(*additions, limit=24, known=known)
    assert found.held.keys() == set(additions)
    found = weighed(*additions, limit=25, known=known)
    assert found.held.keys() == {to_package(B)}
    assert (found.impacts[to_group(STAFF)], found.impacts[to_package(C)]) == (Impact(5), Impact(20))


def test_a_group_tells_whom_it_keeps_away_while_its_package_waits() -> None:
    """The number is that of what is written, and not of what was planned beside it."""
    found = weighed(to_group(STAFF), to_package(C), limit=15, known=population({STAFF: 10}))
    assert found.held.keys() == {to_package(C)}
    assert found.impacts[to_group(STAFF)] == Impact(10)


def test_a_group_of_an_earlier_try_does_not_make_its_package_count_nothing() -> None:
    """Both are of one run, and count as if they were written together."""
    earlier = [to_group(STAFF)]
    known = population({STAFF: 25})
    assert weighed(to_package(C), limit=24, earlier=earlier, known=known).held
    found = weighed(to_package(C), limit=25, earlier=earlier, known=known)
    assert (found.impacts[to_group(STAFF)], found.impacts[to_package(C)]) == (Impact(5), Impact(20))


def test_unknown_sizes_use_the_limit_up() -> None:
    """Each counts as one at least, so a limit of 0 lets nothing through that is not known."""
    unknown = [to_group(guid(f"{number}")) for number in range(4, 9)]
    assert len(weighed(*unknown, limit=3, known=Population()).held) == 2
    assert len(weighed(*unknown, limit=0, known=Population()).held) == 5


@dataclass(frozen=True)
class Tenant:
    """A few subjects, and who of them holds and is in what; holders are members."""

    holders: Mapping[str, frozenset[int]]
    members: Mapping[str, frozenset[int]]
    grants: Mapping[str, str]
    counted: frozenset[str]
    read: frozenset[str]

    @property
    def known(self) -> Population:
        packages = [package(key, *group) for key, group in self.grants.items()]
        return Population(
            holders={guid(key): len(self.holders[key]) for key in self.read},
            whole={guid(key) for key in self.read},
            both=lambda one, other: len(self.subjects(one) & self.subjects(other)),
            grantors=grantors_of(packages),
            members={guid(key): len(self.members[key]) for key in self.counted},
        )

    def subjects(self, target: str) -> frozenset[int]:
        everybody = {**self.holders, **self.members}
        return next(each for key, each in everybody.items() if guid(key) == target)

    def newly_kept(self, additions: Sequence[Reference], present: Sequence[Reference]) -> int:
        """How many can no longer get a package, each once for each package."""
        kept = 0
        for on in {each.on for each in additions}:
            before, after = (
                frozenset[int]().union(
                    *(self.subjects(each.target) for each in references if each.on == on)
                )
                for references in (present, [*present, *additions])
            )
            kept += len(after - before - self.subjects(on))
        return kept


SUBJECTS = st.frozensets(st.integers(0, 12))
PACKAGES, GROUPS = "abcd", "12"


@st.composite
def tenants(draw: st.DrawFn, *, all_known: bool) -> Tenant:
    holders = {key: draw(SUBJECTS) for key in PACKAGES}
    grants = {key: draw(st.sampled_from(["", *GROUPS, GROUPS])) for key in PACKAGES}
    members = {
        group: draw(SUBJECTS).union(*(holders[key] for key in PACKAGES if group in grants[key]))
        for group in GROUPS
    }
    counted = frozenset(GROUPS) if all_known else draw(st.frozensets(st.sampled_from(GROUPS)))
    read = frozenset(PACKAGES) if all_known else draw(st.frozensets(st.sampled_from(PACKAGES)))
    return Tenant(holders, members, grants, counted, read)


@st.composite
def references(draw: st.DrawFn) -> tuple[list[Reference], list[Reference]]:
    """Additions in order, and references that are there; none is on a package to itself."""
    every = sorted(
        [
            *(to_group(guid(group), on=guid(on)) for on in "ab" for group in GROUPS),
            *(to_package(guid(key), on=guid(on)) for on in "ab" for key in PACKAGES if key != on),
        ]
    )
    chosen = draw(st.lists(st.sampled_from(["new", "there", ""]), min_size=10, max_size=10))
    pairs = list(zip(every, chosen, strict=True))
    return [each for each, how in pairs if how == "new"], [
        each for each, how in pairs if how == "there"
    ]


@given(tenants(all_known=False), references(), st.integers(0, 40))
def test_what_is_let_through_is_within_the_limit(
    tenant: Tenant, asked: tuple[list[Reference], list[Reference]], limit: int
) -> None:
    """No number is below 0, what is not known counts, and the first additions are let through."""
    additions, present = asked
    found = weigh(additions, present, tenant.known, limit=limit)
    assert found.impacts.keys() == set(additions)
    assert all(each.subjects >= 0 for each in found.impacts.values())
    assert all(each.counted >= 1 for each in found.impacts.values() if not each.is_known)
    through = [each for each in additions if each not in found.held]
    assert additions[: len(through)] == through
    assert sum(found.impacts[each].counted for each in through) <= limit
    for each in additions:
        is_group = each.kind is ReferenceKind.GROUP
        name = next(key for key in PACKAGES + GROUPS if guid(key) == each.target)
        if is_group and name not in tenant.counted:
            assert not found.impacts[each].is_known


@given(tenants(all_known=True), references(), st.integers(0, 40))
def test_no_more_are_kept_away_than_are_counted(
    tenant: Tenant, asked: tuple[list[Reference], list[Reference]], limit: int
) -> None:
    """However members and holders overlap: who is kept away in truth is within the limit."""
    additions, present = asked
    found = weigh(additions, present, tenant.known, limit=limit)
    through = [each for each in additions if each not in found.held]
    assert tenant.newly_kept(through, present) <= limit
