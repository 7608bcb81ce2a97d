"""Which roles are to be given, and giving them: all without a tenant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entra_sod.cli.operations.roles.apply import MAX_ATTEMPTS, GrantOutcome, apply
from entra_sod.cli.operations.roles.plan import WantedRoles, plan_grants, role_for
from entra_sod.core.errors import GraphError, Throttled, Unavailable
from entra_sod.domain.enforcement.result import Enforcement
from entra_sod.domain.entra import Catalog
from entra_sod.domain.roles.model import CatalogRole, RoleAssignment
from local.memory.clock import ManualClock
from local.memory.roles import MemoryRoles
from tests.builders import guid

APP, LOGIC_APP = guid("1"), guid("2")
FINANCE = Catalog(id=guid("c1"), display_name="Finance")
SALES = Catalog(id=guid("c2"), display_name="Sales")
TWINS = [Catalog(id=guid(name), display_name="Twin") for name in ("c3", "c4")]
CATALOGS = [FINANCE, SALES, *TWINS]
WANTED = WantedRoles(
    catalogs=["finance", SALES.id.upper()],
    app=APP,
    app_role=CatalogRole.PACKAGE_MANAGER,
    logic_app=LOGIC_APP,
)


def held(role: str, catalog: Catalog = FINANCE, principal: str = APP) -> RoleAssignment:
    return RoleAssignment(principal_id=principal, role_id=role, catalog_id=catalog.id)


class Tenant(MemoryRoles):
    """A tenant whose next answers are errors, which may come after the write was done."""

    def __init__(self, *errors: GraphError, lost: bool = False) -> None:
        super().__init__(CATALOGS)
        self.known = {APP, LOGIC_APP}
        self.errors, self._is_lost = list(errors), lost

    async def assign(self, wanted: RoleAssignment) -> None:
        if self.errors:
            if self._is_lost:
                await super().assign(wanted)
            raise self.errors.pop(0)
        await super().assign(wanted)


async def carried_out(roles: MemoryRoles, clock: ManualClock | None = None) -> GrantOutcome:
    plan = plan_grants(WANTED, CATALOGS, roles.held)
    return await apply(roles, plan, clock or ManualClock(), lambda _: None)


def test_the_least_role_that_the_setting_needs() -> None:
    """Reading is enough until references are written."""
    assert role_for(Enforcement.OFF) == role_for(Enforcement.PLAN) == CatalogRole.CATALOG_READER
    assert role_for(Enforcement.APPLY) == CatalogRole.PACKAGE_MANAGER


def test_every_catalog_gets_the_roles_of_both_identities() -> None:
    """By name without regard to case, or by id; a catalog that is named twice counts once."""
    plan = plan_grants(WANTED, CATALOGS, [])
    assert [(each.catalog, each.principal_id, each.role) for each in plan.missing] == [
        (catalog, principal, role)
        for catalog in (FINANCE, SALES)
        for principal, role in (
            (APP, CatalogRole.PACKAGE_MANAGER),
            (LOGIC_APP, CatalogRole.ASSIGNMENT_MANAGER),
        )
    ]
    twice = WantedRoles(
        catalogs=["Finance", FINANCE.id], app=APP, app_role=CatalogRole.CATALOG_READER
    )
    assert len(plan_grants(twice, CATALOGS, []).missing) == 1


def test_a_name_that_is_no_catalog_or_several_is_told() -> None:
    """Nothing is guessed, and the catalogs that are known are not held up."""
    wanted = WantedRoles(
        catalogs=["Nowhere", "Twin", "Sales"], app=APP, app_role=CatalogRole.CATALOG_READER
    )
    plan = plan_grants(wanted, CATALOGS, [])
    assert [each.catalog for each in plan.missing] == [SALES]
    assert "no catalog Nowhere" in plan.unknown[0]
    assert all(twin.id in plan.unknown[1] for twin in TWINS)


@pytest.mark.parametrize(
    ("app_role", "present", "serves"),
    [
        (CatalogRole.CATALOG_READER, held(CatalogRole.PACKAGE_MANAGER), True),
        (CatalogRole.CATALOG_READER, held(CatalogRole.ASSIGNMENT_MANAGER), True),
        (CatalogRole.PACKAGE_MANAGER, held(CatalogRole.CATALOG_OWNER), True),
        (CatalogRole.PACKAGE_MANAGER, held(CatalogRole.CATALOG_READER), False),
        (CatalogRole.PACKAGE_MANAGER, held(CatalogRole.ASSIGNMENT_MANAGER), False),
        (CatalogRole.PACKAGE_MANAGER, held(CatalogRole.PACKAGE_MANAGER, SALES), False),
        (
            CatalogRole.PACKAGE_MANAGER,
            held(CatalogRole.PACKAGE_MANAGER, principal=LOGIC_APP),
            False,
        ),
        (
            CatalogRole.PACKAGE_MANAGER,
            RoleAssignment(principal_id=APP, role_id=CatalogRole.PACKAGE_MANAGER, catalog_id=""),
            False,
        ),
    ],
)
def test_a_role_that_includes_what_is_wanted_serves(
    app_role: CatalogRole, present: RoleAssignment, *, serves: bool
) -> None:
    """On the same catalog, for the same principal; a role at the root is not believed."""
    wanted = WantedRoles(catalogs=["Finance"], app=APP, app_role=app_role)
    plan = plan_grants(wanted, CATALOGS, [present])
    assert (plan.missing == []) is serves


def test_a_role_that_goes_too_far_is_named_and_left() -> None:
    """Least privilege is told to a person; nothing is taken away."""
    wanted = WantedRoles(catalogs=["Finance"], app=APP, app_role=CatalogRole.CATALOG_READER)
    plan = plan_grants(wanted, CATALOGS, [held(CatalogRole.PACKAGE_MANAGER)])
    (words,) = plan.beyond
    assert "Access package manager on Finance" in words
    assert plan_grants(wanted, CATALOGS, [held(CatalogRole.CATALOG_READER)]).beyond == []


roles_held = st.lists(
    st.builds(
        RoleAssignment,
        principal_id=st.sampled_from([APP, LOGIC_APP, guid("9")]),
        role_id=st.sampled_from([*CatalogRole, "other"]),
        catalog_id=st.sampled_from(["", *(each.id for each in CATALOGS)]),
    ),
    max_size=8,
)


@given(roles_held, st.sampled_from([CatalogRole.CATALOG_READER, CatalogRole.PACKAGE_MANAGER]))
def test_a_plan_that_was_given_leaves_nothing_to_give(
    before: list[RoleAssignment], app_role: CatalogRole
) -> None:
    """Missing and present make up what is wanted; once given, all of it is present."""
    wanted = WantedRoles(
        catalogs=[FINANCE.id, SALES.id], app=APP, app_role=app_role, logic_app=LOGIC_APP
    )
    plan = plan_grants(wanted, CATALOGS, before)
    assert len(plan.missing) + len(plan.present) == 4
    after = plan_grants(wanted, CATALOGS, [*before, *(each.assignment for each in plan.missing)])
    assert after.missing == []


async def test_the_first_run_gives_and_the_second_changes_nothing() -> None:
    """Idempotent by looking first."""
    tenant = Tenant()
    assert len((await carried_out(tenant)).given) == 4
    after = list(tenant.held)
    assert await carried_out(tenant) == GrantOutcome()
    assert tenant.held == after


async def test_a_principal_that_appears_late_is_waited_for() -> None:
    """An identity that was made a moment ago may be unknown for minutes."""
    tenant, told = Tenant(), list[str]()
    tenant.known = {APP}

    class Later(ManualClock):
        async def sleep(self, seconds: float) -> None:
            await super().sleep(seconds)
            if len(self.slept) == 3:
                tenant.known.add(LOGIC_APP)

    clock = Later()
    plan = plan_grants(WANTED, CATALOGS, [])
    outcome = await apply(tenant, plan, clock, told.append)
    assert (len(outcome.given), len(clock.slept)) == (4, 3)
    assert LOGIC_APP in told[0]


async def test_a_principal_that_never_appears_ends_as_a_failure() -> None:
    """The wait has an end, and the other roles are given."""
    tenant, clock = Tenant(), ManualClock()
    tenant.known = {APP}
    outcome = await carried_out(tenant, clock)
    assert [each.principal_id for each in outcome.given] == [APP, APP]
    assert [each.grant.principal_id for each in outcome.failed] == [LOGIC_APP, LOGIC_APP]
    assert len(clock.slept) == 2 * (MAX_ATTEMPTS - 1)


async def test_what_is_refused_stands_in_no_others_way() -> None:
    """An owner of one of two catalogs gives what is theirs to give, without waiting."""
    tenant, clock = Tenant(), ManualClock()
    tenant.owned = {SALES.id}
    outcome = await carried_out(tenant, clock)
    assert {each.catalog for each in outcome.given} == {SALES}
    assert {each.catalog for each in outcome.refused} == {FINANCE}
    assert clock.slept == []


async def test_a_lost_answer_is_settled_by_reading() -> None:
    """A role that Graph took without saying so is not given twice."""
    tenant, clock = Tenant(Unavailable("no answer"), lost=True), ManualClock()
    outcome = await carried_out(tenant, clock)
    assert (len(outcome.given), len(tenant.held)) == (4, 4)
    assert clock.slept == []


async def test_graphs_patience_is_kept() -> None:
    """A 429 is waited out for as long as it says."""
    tenant, clock = Tenant(Throttled("slow", retry_after=42)), ManualClock()
    assert len((await carried_out(tenant, clock)).given) == 4
    assert clock.slept == [42]
