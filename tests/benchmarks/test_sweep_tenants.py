"""What is computed of a scaled tenant is what the tenant really has."""

from collections import defaultdict

import pytest

from benchmarks.sweep.cases import FULL, LARGE, TINY
from benchmarks.sweep.tenants import (
    conflicts,
    fewest_counted,
    fewest_round_trips,
    index_requests,
    intersection_requests,
    loop_requests,
    package_ids,
    pages,
    pairs,
    rules_file,
    whole_requests,
)
from entra_sod.domain.entra import AccessPackage, Pair
from entra_sod.domain.rules.document import SourceFile
from entra_sod.domain.rules.parse import parse_rules
from entra_sod.domain.rules.resolve import Tenant, resolve
from entra_sod.domain.rules.ruleset import RuleSet
from local.graph.index import is_active
from local.graph.scale import Scale, scaled_tenant
from local.memory.clock import ManualClock


def test_conflicts_are_those_of_the_tenant() -> None:
    """A person active in both packages of a pair is in conflict; the tenant itself is counted."""
    held = defaultdict(set)
    for each in scaled_tenant(TINY).assignments:
        if is_active(each):
            held[each.access_package_id].add(each.target_id)
    ids = [package_ids(pair) for pair in pairs(TINY)]
    assert list(conflicts(TINY)) == [len(held[one] & held[other]) for one, other in ids]
    assert sum(conflicts(TINY)) > 0


def test_the_rules_ask_for_these_pairs() -> None:
    """The rules file, read and resolved as the app does it, makes exactly the pairs counted on."""
    tenant = scaled_tenant(TINY)
    names = {each.id: each.display_name for each in tenant.catalogs}
    packages = [
        AccessPackage(
            id=each.id, display_name=each.display_name, catalog_name=names[each.catalog_id]
        )
        for each in tenant.access_packages
    ]
    book = parse_rules([SourceFile("rules.yaml", rules_file(TINY, "record"))])
    rules = RuleSet(resolve(book, Tenant(packages), ManualClock().now().date()))
    assert set(rules.constraints) == {Pair.of(*package_ids(pair)) for pair in pairs(TINY)}


@pytest.mark.parametrize(("items", "expected"), [(0, 1), (1, 1), (100, 1), (101, 2)])
def test_a_list_costs_at_least_one_request(items: int, expected: int) -> None:
    """An empty one as well."""
    assert pages(items, 100) == expected


def test_each_way_has_its_count() -> None:
    """Counted by hand: two teams of one pair, four packages of 24 and 26 assignments."""
    scale = Scale(packages=4, assignments=100, teams=2, requesters=1, approvers=1)
    assert scale.sizes() == [10, 30, 30, 30]
    assert loop_requests(scale, 10) == 2
    assert index_requests(scale, 10) == 1 + 3 + 3 + 3
    assert intersection_requests(scale, 10) == 1 + 3 + 3 + 3
    assert whole_requests(scale, 10) == 10
    assert fewest_counted(scale, 10) == 2
    assert fewest_round_trips(scale, 10) == 1


def test_the_rows_cover_every_dimension() -> None:
    """Each size, page, limit and number of workers that was promised is in some row."""
    scales = [case.scale for case in FULL]
    assert {100, 1_000, 5_000, 20_000} <= {each.packages for each in scales}
    assert {30_000, 300_000} <= {each.assignments for each in scales}
    assert {1_000, 10_000, 100_000, 400_000} <= {each.pairs for each in scales}
    assert {case.page_size for case in FULL} == {100, 999}
    assert {case.limit for case in FULL} == {20, 100, 1_000, 5_000}
    assert {case.workers for case in FULL} == {1, 4}
    assert {case.mode for case in FULL} == {"record", "enforce"}
    assert LARGE in scales
    assert len({case.name for case in FULL}) == len(FULL)
