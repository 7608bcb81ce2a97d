from collections import Counter

import pytest

from local.graph import Tenant, create_app
from local.graph.index import is_active
from local.graph.scale import (
    CLIENT_ID,
    ONE_EXPIRED_IN,
    PLANTED,
    Scale,
    an_id,
    parse,
    scaled_tenant,
)
from tests.local.graph.caller import ROOT, Caller

SMALL = Scale(packages=110, assignments=4_003, teams=20, requesters=2, approvers=3)


@pytest.fixture(scope="module")
def tenant() -> Tenant:
    return scaled_tenant(SMALL)


def test_it_has_the_size_that_was_asked_for(tenant: Tenant) -> None:
    """Packages, assignments and catalogs are as many as the numbers say, and all differ."""
    assert len({each.id for each in tenant.access_packages}) == 110
    assert len({each.id for each in tenant.assignments}) == 4_003
    assert len(tenant.catalogs) == 20 + 1
    assert SMALL.pairs == 20 * 2 * 3


def test_a_few_packages_are_heavy(tenant: Tenant) -> None:
    """One in a hundred is held by far more people than the others, which are alike."""
    sizes = Counter(each.access_package_id for each in tenant.assignments)
    heavy = {an_id("package", 0), an_id("package", 100)}
    others = [size for package, size in sizes.items() if package not in heavy]
    assert {sizes[package] for package in heavy} == {200}
    assert max(others) - min(others) == 1


def test_no_subject_has_a_package_twice(tenant: Tenant) -> None:
    """A person and a package make one assignment, of a person who exists."""
    held = {(each.access_package_id, each.target_id) for each in tenant.assignments}
    assert len(held) == len(tenant.assignments)
    assert {target for _, target in held} <= {each.id for each in tenant.subjects}


def test_only_who_is_planted_holds_both_duties(tenant: Tenant) -> None:
    """A holder of a Requester and an Approver package of a team holds its first Approver."""
    held: dict[str, set[str]] = {}
    for each in tenant.assignments:
        held.setdefault(each.access_package_id, set()).add(str(each.target_id))
    for team in range(20):
        requesters = [held[an_id("package", team * 5 + each)] for each in (0, 1)]
        approvers = [held[an_id("package", team * 5 + each)] for each in (2, 3, 4)]
        assert len(requesters[0] & approvers[0]) == PLANTED
        assert not set[str]().union(*requesters) & set[str]().union(*approvers[1:])


def test_some_assignments_have_expired(tenant: Tenant) -> None:
    """A reader that takes whatever is listed for held is found out."""
    expired = [each for each in tenant.assignments if not is_active(each)]
    assert len(expired) == 4_003 // ONE_EXPIRED_IN


def test_it_is_the_same_in_every_run(tenant: Tenant) -> None:
    """No clock and no chance in it."""
    assert scaled_tenant(SMALL) == tenant


async def test_its_identity_may_read_it(tenant: Tenant) -> None:
    """The app that is pointed at it gets the packages with their catalogs."""
    caller = Caller(create_app(tenant, root=ROOT), CLIENT_ID)
    async with caller.http:
        first = (await caller.get("accessPackages?$expand=catalog")).json()["value"][0]
    assert first["displayName"] == "Requester 0"
    assert first["catalog"]["displayName"] == "Team 0"


def test_it_is_named_by_its_numbers() -> None:
    """On the command line, and unknown numbers are refused."""
    text = '{"packages":110,"assignments":4003,"teams":20,"requesters":2,"approvers":3}'
    assert parse(f"scale:{text}") == SMALL
    with pytest.raises(ValueError, match="unknown field"):
        parse('scale:{"people":7}')
