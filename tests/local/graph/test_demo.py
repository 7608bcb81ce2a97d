import pytest

from local.graph.demo import (
    APPROVE_EXPENSES,
    APPROVE_INVOICES,
    APPROVE_ORDERS,
    CLOSE_BOOKS,
    GROUP_EXTERNAL_AUDITORS,
    GROUP_PROCUREMENT_TEAM,
    MAINTAIN_VENDORS,
    ORDER_GOODS,
    PAY_INVOICES,
    POST_JOURNALS,
    RECEIVE_GOODS,
    TREASURY,
    demo_tenant,
)
from local.graph.index import Index
from local.graph.tenant import Tenant
from tests.local.graph.caller import Caller, additional_access


@pytest.fixture(scope="module")
def tenant() -> Tenant:
    return demo_tenant()


@pytest.mark.parametrize(
    ("pair", "conflicts"),
    [
        ((PAY_INVOICES, APPROVE_INVOICES), 7),
        ((MAINTAIN_VENDORS, PAY_INVOICES), 4),
        ((POST_JOURNALS, CLOSE_BOOKS), 5),
        ((ORDER_GOODS, RECEIVE_GOODS), 0),
        ((MAINTAIN_VENDORS, APPROVE_INVOICES), 0),
    ],
)
async def test_pairs_have_the_conflicts_that_the_demo_speaks_of(
    graph: Caller, pair: tuple[str, str], conflicts: int
) -> None:
    """Some pairs are in conflict, others clear, and expired assignments do not change that."""
    assert len(await graph.ids(additional_access(*pair))) == conflicts


def test_the_tenant_is_the_same_every_time(tenant: Tenant) -> None:
    """Two runs make the same people, ids and assignments."""
    assert demo_tenant() == tenant


def test_no_two_subjects_have_one_name(tenant: Tenant) -> None:
    """A few hundred people have distinct names, addresses and ids."""
    people = [subject for subject in tenant.subjects if isinstance(subject.display_name, str)]
    assert len(people) > 200
    for values in (
        {person.display_name for person in people},
        {person.id for person in people},
        {person.object_id for person in people},
    ):
        assert len(values) == len(people)


def test_everything_refers_to_something(tenant: Tenant) -> None:
    """Assignments, packages, groups and roles name things that exist."""
    index = Index(tenant)
    for assignment in tenant.assignments:
        package = index.packages[assignment.access_package_id]
        assert assignment.target_id in index.subjects
        assert assignment.assignment_policy_id == package.assignment_policies[0].id
    for package in tenant.access_packages:
        assert package.catalog_id in index.catalogs
        for item in package.resource_role_scopes:
            assert item.role.origin_system != "AadGroup" or item.scope.origin_id in index.groups
    for group in tenant.groups:
        assert index.subjects_by_object.keys() >= set(group.members)


def test_ids_are_unique(tenant: Tenant) -> None:
    """No id is used twice among assignments, packages and groups."""
    ids = [assignment.id for assignment in tenant.assignments]
    ids += [package.id for package in tenant.access_packages]
    ids += [group.id for group in tenant.groups]
    assert len(set(ids)) == len(ids)


def test_packages_grant_groups_in_every_way(tenant: Tenant) -> None:
    """Two groups in one package, one group in two, eligibility, ownership, and no security."""
    granted = {
        package.id: {item.role.origin_id for item in package.resource_role_scopes}
        for package in tenant.access_packages
    }
    assert len(granted[PAY_INVOICES]) == 2
    assert len(granted[PAY_INVOICES] & granted[APPROVE_INVOICES]) == 1
    assert all(origin.startswith("EligibleMember_") for origin in granted[APPROVE_EXPENSES])
    assert all(origin.startswith("Owner_") for origin in granted[APPROVE_ORDERS])
    assert f"Member_{GROUP_PROCUREMENT_TEAM}" in granted[ORDER_GOODS]
    assert not Index(tenant).groups[GROUP_PROCUREMENT_TEAM].security_enabled


def test_the_app_has_no_role_on_the_treasury(tenant: Tenant) -> None:
    """One catalog cannot be read, so that the demo has a gap to report."""
    assert all(TREASURY not in role.app_scope_id for role in tenant.role_assignments)


def test_auditors_are_a_group_that_no_package_grants(tenant: Tenant) -> None:
    """The external auditors have members, one of whom pays invoices."""
    index = Index(tenant)
    members = index.groups[GROUP_EXTERNAL_AUDITORS].members
    targets = index.targets_of(PAY_INVOICES)
    payers = [one for one in members if index.subjects_by_object[one].id in targets]
    assert (len(members), len(payers)) == (4, 1)
