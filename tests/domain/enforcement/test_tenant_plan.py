"""A tenant's plan, package by package: what holds whatever rules, tenant and ledger are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from entra_sod.cli.operations.plan_document import compile_references
from entra_sod.domain.enforcement.desired import (
    DesiredReference,
    desired_by_constraint,
    desired_on,
    references_on,
)
from entra_sod.domain.enforcement.drift import find_drift
from entra_sod.domain.enforcement.plan import make_plan
from entra_sod.domain.enforcement.result import LazyCollection, ReferenceSnapshot
from entra_sod.domain.enforcement.tenant_plan import TenantPlan
from entra_sod.domain.entra import AccessPackage, Reference, ReferenceKind
from entra_sod.domain.rules.language import Rule
from tests.builders import guid, rule_set
from tests.domain.enforcement.test_compile import (
    NAMES,
    foreign_references,
    quick,
    rule_lists,
    tenants,
)

NO_LIMIT = 1_000
foreign_sets = st.frozensets(st.sampled_from(foreign_references), max_size=6)


def seen_of(present: Iterable[Reference]) -> ReferenceSnapshot:
    """The lists of all packages, as they show references."""
    seen, present = ReferenceSnapshot(), list(present)
    for on, kind in product(map(guid, NAMES), ReferenceKind):
        listed = (each for each in present if (each.on, each.kind) == (on, kind))
        seen.add(on, kind, (each.target for each in listed))
    return seen


class Case:
    def __init__(
        self,
        rules: Iterable[Rule],
        packages: Iterable[AccessPackage],
        present: Collection[Reference],
        ours: Collection[Reference],
    ) -> None:
        self.rules, self.packages = rule_set(*rules), {each.id: each for each in packages}
        self.desired = list(compile_references(self.rules, self.packages))
        # Some of what is desired is there, and some of that is ours.
        self.present = {*present, *(each.reference for each in self.desired[::2])}
        self.ours = {*ours, *(each.reference for each in self.desired[::3])}
        self.seen = seen_of(self.present)
        self.plan = TenantPlan(
            desired=lambda on: references_on(on, self.rules, self.packages),
            packages=self.packages,
            seen=self.seen,
            noted={
                on: {each for each in self.ours if each.on == on}
                for on in {each.on for each in self.ours}
            },
            written=self.ours,
            may_prune=lambda each: each.kind is ReferenceKind.PACKAGE,
            is_certain=lambda _: True,
        )


cases = st.builds(Case, rule_lists, tenants, foreign_sets, foreign_sets)


@quick
@given(rule_lists, tenants)
def test_by_package_or_by_pair_the_same_is_asked_for(
    rules: list[Rule], packages: list[AccessPackage]
) -> None:
    """In order, each reference once, with all the rules that any pair or guard has for it."""
    found, by_id = rule_set(*rules), {each.id: each for each in packages}
    desired = list(compile_references(found, by_id))
    by_pair: list[DesiredReference] = []
    for constraint in found.constraints.in_order():
        if constraint.pair.low in by_id and constraint.pair.high in by_id:
            by_pair += desired_by_constraint(constraint, by_id)
    for on in found.group_blocks.keys() & by_id.keys():
        by_pair += desired_on(by_id[on], {}, found.group_blocks[on], by_id)
    assert desired == list(make_plan(by_pair, ()).additions)


@quick
@given(cases)
def test_the_plans_of_all_packages_are_the_plan_of_the_tenant(case: Case) -> None:
    """Package by package nothing is added, left out, or told otherwise."""
    prunable = [each for each in case.ours if each.kind is ReferenceKind.PACKAGE]
    whole = make_plan(case.desired, case.present, prunable, case.ours)
    survey = case.plan.survey(NO_LIMIT)
    assert list(case.plan.additions()) == [each.reference for each in whole.additions]
    assert list(case.plan.unchanged()) == list(whole.unchanged)
    assert (survey.present, survey.planned) == (len(whole.unchanged), len(whole.additions))
    assert survey.writes == whole.writes
    assert (survey.plan.additions, survey.plan.removals) == (whole.additions, whole.removals)
    assert survey.plan.vanished == whole.vanished
    assert set(survey.plan.unchanged) == case.ours & set(whole.unchanged)


@quick
@given(cases)
def test_the_drift_of_all_packages_is_the_drift_of_the_tenant(case: Case) -> None:
    """Also where the other package does not refer back."""
    whole = find_drift(
        case.desired, case.present, case.ours, is_one_way=case.seen.is_one_way, gone=()
    )
    assert case.plan.survey(NO_LIMIT).drift == whole


@given(cases, st.integers(0, 4))
def test_of_too_many_changes_none_are_kept(case: Case, most: int) -> None:
    """They are counted all the same: the limit is told with the number that passes it."""
    survey = case.plan.survey(most)
    assert survey.writes == case.plan.survey(NO_LIMIT).writes
    assert len(survey.plan.changes) == (survey.writes if survey.writes <= most else 0)


def test_no_more_than_one_packages_references_are_made_at_a_time() -> None:
    """The next package's are made when those of the one before have been taken."""
    made: list[str] = []

    def desired(on: str) -> list[DesiredReference]:
        made.append(on)
        return [DesiredReference(Reference(on, ReferenceKind.GROUP, guid("9")), ("r",))]

    ids = sorted(map(guid, NAMES))
    plan = TenantPlan(
        desired=desired,
        packages=ids,
        seen=ReferenceSnapshot(),
        noted={},
        written=frozenset(),
        may_prune=lambda _: False,
        is_certain=lambda _: True,
    )
    for number, reference in enumerate(plan.additions(), start=1):
        assert made == ids[:number]
        assert reference.on == ids[number - 1]
    made.clear()
    plan.survey(0)
    assert made == ids


def test_values_that_are_made_again_are_as_many_as_they_say() -> None:
    """A caller may iterate over them repeatedly, and count them without an iteration."""
    times = 0

    def make() -> Iterator[int]:
        nonlocal times
        times += 1
        return iter(range(3))

    values = LazyCollection(3, make)
    assert (len(values), times) == (3, 0)
    assert (list(values), list(values), times) == ([0, 1, 2], [0, 1, 2], 2)
    assert 2 in values
    assert 3 not in values
