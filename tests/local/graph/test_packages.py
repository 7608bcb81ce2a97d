from urllib.parse import quote

import pytest

from local.graph.demo import (
    APPROVE_EXPENSES,
    FINANCE,
    GROUP_PROCUREMENT_TEAM,
    MAINTAIN_VENDORS,
    PAY_INVOICES,
    PROCUREMENT,
    RELEASE_PAYMENTS,
)
from tests.local.graph.caller import EM, Caller, error_message

ROLE_SCOPES = "resourceRoleScopes($expand=role,scope)"
UNKNOWN = "00000000-0000-4000-8000-000000000000"


async def test_the_list_shows_what_the_caller_may_read(graph: Caller, auditor: Caller) -> None:
    """Packages of a catalog without a role are left out without a word."""
    mine, all_of_them = await graph.ids("accessPackages"), await auditor.ids("accessPackages")
    assert len(mine) == 14
    assert len(all_of_them) == 16
    assert RELEASE_PAYMENTS not in mine


@pytest.mark.parametrize(
    ("expression", "count"),
    [
        (f"id eq '{PAY_INVOICES}'", 1),
        ("displayName eq 'Pay invoices'", 1),
        ("displayName eq 'pay invoices'", 0),
        (f"catalog/id eq '{PROCUREMENT}'", 4),
        ("contains(tolower(displayName),'invoices')", 2),
        ("contains(tolower(displayName),'Invoices')", 0),
        ("contains(displayName,'Pay')", 1),
        (f"catalog/id eq '{FINANCE}' and contains(tolower(displayName),'invoices')", 2),
    ],
)
async def test_packages_are_filtered(graph: Caller, expression: str, count: int) -> None:
    """A filter compares ids, names and catalogs, joined by `and`."""
    assert len(await graph.ids(f"accessPackages?$filter={quote(expression)}")) == count


@pytest.mark.parametrize(
    "query",
    [
        "filter=id eq 'x'",
        "$filter=displayName ne 'x'",
        "$filter=displayName eq 'a' or displayName eq 'b'",
        "$filter=catalogId eq 'x'",
        f"$filter=id eq {PAY_INVOICES}",
        "$filter=displayName eq 'x",
        "$filter=displayName eq 'x' and",
        "$filter=",
        "$select=catalogId",
        "$expand=resourceRoleScopes",
        "$expand=catalog(",
        "$expand=catalog($top=1)",
        "$expand=",
        "$orderby=displayName",
        "$count=true",
        "$select=id&$select=id",
        "top=5",
        "api-version=1.0",
        "$top=0",
        "$top=1000",
        "$top=-1",
    ],
)
async def test_what_graph_does_not_know_is_refused(graph: Caller, query: str) -> None:
    """Unknown options, properties, relations and operators are bad requests, never ignored."""
    assert (await graph.get(f"accessPackages?{query}")).status_code == 400


async def test_a_package_has_no_catalog_id(graph: Caller) -> None:
    """The catalog of a package is seen by expanding it, not by a property."""
    package = (await graph.get(f"accessPackages/{PAY_INVOICES}?$expand=catalog")).json()
    assert package["catalog"]["displayName"] == "Finance"
    assert "catalogId" not in package


async def test_selected_properties_come_alone_with_what_is_expanded(graph: Caller) -> None:
    """$select keeps the named properties and the expanded relations."""
    path = f"accessPackages/{PAY_INVOICES}?$select=id&$expand=catalog($select=displayName)"
    package = (await graph.get(path)).json()
    package.pop("@odata.context")
    assert package == {"id": PAY_INVOICES, "catalog": {"displayName": "Finance"}}


@pytest.mark.parametrize(
    "expand", [ROLE_SCOPES, quote(ROLE_SCOPES, safe=""), f"{ROLE_SCOPES},catalog"]
)
async def test_role_scopes_say_which_groups_are_granted(graph: Caller, expand: str) -> None:
    """The nested expand works raw and percent-encoded, and shows role and scope."""
    answer = await graph.get(f"accessPackages/{PAY_INVOICES}?$expand={expand}")
    role_scopes = answer.json()["resourceRoleScopes"]
    assert len(role_scopes) == 2
    for item in role_scopes:
        assert item["role"]["originId"] == f"Member_{item['scope']['originId']}"
        assert item["id"] == f"{item['role']['id']}_{item['scope']['id']}"


async def test_role_scopes_are_bare_without_the_nested_expand(graph: Caller) -> None:
    """Neither role nor scope is there unless it is expanded itself."""
    answer = await graph.get(f"accessPackages/{PAY_INVOICES}?$expand=resourceRoleScopes")
    assert all(
        item.keys() == {"id", "createdDateTime"} for item in answer.json()["resourceRoleScopes"]
    )


async def test_an_encoded_dollar_is_a_dollar_and_no_more(graph: Caller) -> None:
    """Query options are decoded exactly once."""
    once = await graph.get(f"accessPackages/{PAY_INVOICES}?%24expand=catalog")
    twice = await graph.get(f"accessPackages/{PAY_INVOICES}?%2524expand=catalog")
    assert (once.status_code, twice.status_code) == (200, 400)


async def test_catalogs_are_limited_to_those_with_a_role(graph: Caller) -> None:
    """The list of catalogs, like that of packages, shows what the caller may read."""
    named = await graph.value("catalogs?$select=displayName")
    assert named == [{"displayName": "Finance"}, {"displayName": "Procurement"}]


async def test_a_missing_package_is_found_missing_by_tenant_wide_readers_only(
    graph: Caller, auditor: Caller
) -> None:
    """A caller with catalog roles is forbidden what exists elsewhere and what does not exist."""
    assert (await auditor.get(f"accessPackages/{UNKNOWN}")).status_code == 404
    for hidden in (UNKNOWN, RELEASE_PAYMENTS):
        assert (await graph.get(f"accessPackages/{hidden}")).status_code == 403


async def test_an_id_must_be_an_id(auditor: Caller) -> None:
    """What is not a GUID is a bad request even for those who may read everything."""
    answer = await auditor.get("accessPackages/pay-invoices")
    assert answer.status_code == 400
    assert "not a valid identifier" in error_message(answer)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"{EM}/accessPackageCatalogs", 404),
        ("GET", f"{EM}/accessPackages/{PAY_INVOICES}/resourceRoleScopes", 404),
        ("GET", f"{EM}//accessPackages", 404),
        ("GET", "/beta/identityGovernance/entitlementManagement/accessPackages", 404),
        ("GET", "/v1.0/groups", 404),
        ("GET", "/", 404),
        ("POST", f"{EM}/accessPackages/{PAY_INVOICES}", 405),
        ("DELETE", f"{EM}/assignments", 405),
        ("PATCH", f"{EM}/accessPackages/{PAY_INVOICES}/incompatibleGroups/$ref", 405),
    ],
)
async def test_unknown_paths_and_methods(
    graph: Caller, method: str, path: str, status: int
) -> None:
    """What is not part of the contract is not found, or not allowed."""
    answer = await graph.send(method, path)
    assert answer.status_code == status
    assert answer.json()["error"]["innerError"]["request-id"] == answer.headers["request-id"]


async def test_answers_carry_the_ids_of_the_exchange(graph: Caller) -> None:
    """Every answer has a request id of its own, the caller's id, a date and OData's type."""
    answer = await graph.send(
        "GET", f"{EM}/accessPackages", headers={"client-request-id": "from-the-caller"}
    )
    assert answer.headers["client-request-id"] == "from-the-caller"
    assert answer.headers["request-id"] != "from-the-caller"
    assert answer.headers["date"].endswith("GMT")
    assert "odata.metadata=minimal" in answer.headers["content-type"]


async def test_the_kinds_of_roles_that_a_package_can_hold(graph: Caller) -> None:
    """Eligible membership, a site's role and a group without security are told apart by origin."""
    origins = set()
    for package_id in (APPROVE_EXPENSES, MAINTAIN_VENDORS):
        answer = await graph.get(f"accessPackages/{package_id}?$expand={ROLE_SCOPES}")
        for item in answer.json()["resourceRoleScopes"]:
            origins.add((item["role"]["originSystem"], item["role"]["originId"].split("_")[0]))
    assert origins == {
        ("AadGroup", "EligibleMember"),
        ("AadGroup", "Member"),
        ("SharePointOnline", "5"),
    }
    assert not graph.simulator.index.groups[GROUP_PROCUREMENT_TEAM].security_enabled
