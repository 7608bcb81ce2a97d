"""What packages grant, as Graph shows it: every system, names, and a request for each package."""

from __future__ import annotations

import json

import msgspec
import pytest

from entra_sod.adapters.graph import wire
from entra_sod.core.errors import Forbidden, GraphError, Unreadable
from entra_sod.domain.grants import Grant, GrantKind, Grants
from local.graph import demo_packages as demo
from local.graph import odd_packages as odd
from local.graph.demo import APP_CLIENT_ID, demo_tenant
from local.graph.odd import APP_CLIENT_ID as ODD_CLIENT_ID
from local.graph.odd import odd_tenant
from tests.adapters.graph.fixtures import Connect, Simulator


async def read(graph: object, ids: list[str]) -> dict[str, Grants | GraphError]:
    return {key: each async for key, each in graph.grants_of(ids)}  # type: ignore[attr-defined]


async def test_grants_come_with_names(simulator: Simulator, connect: Connect) -> None:
    """Of the demo tenant: app roles, members, owners, eligible members and a site."""
    simulator.control.replace_tenant(json.loads(msgspec.json.encode(demo_tenant())))
    graph = connect(AZURE_CLIENT_ID=APP_CLIENT_ID)
    wanted = [demo.RUN_PAYMENTS, demo.INVOICE_STAND_IN, demo.APPROVE_EXPENSES, demo.APPROVE_ORDERS]
    found = await read(graph, [*wanted, demo.MAINTAIN_VENDORS, demo.RELEASE_PAYMENTS])
    (role,) = granted(found, demo.RUN_PAYMENTS)
    assert (role.system, role.resource, role.resource_name, role.role_name) == (
        "AadApplication",
        demo.PAYMENTS_APP,
        "Payments",
        "Run payments",
    )
    assert {each.resource_name for each in granted(found, demo.INVOICE_STAND_IN)} == {
        "Invoice payers",
        "Invoice approvers",
    }
    kinds = [granted(found, each)[0].kind for each in wanted[1:]]
    assert kinds == [GrantKind.MEMBER, GrantKind.ELIGIBLE, GrantKind.OWNER]
    sites = [each for each in granted(found, demo.MAINTAIN_VENDORS) if "SharePoint" in each.system]
    assert [(each.resource, each.role) for each in sites] == [(demo.VENDOR_SITE, "5")]
    assert isinstance(found[demo.RELEASE_PAYMENTS], Forbidden)


def granted(found: dict[str, Grants | GraphError], package: str) -> Grants:
    grants = found[package]
    assert not isinstance(grants, GraphError)
    return grants


async def test_directory_and_azure_roles_say_how_they_are_granted(
    simulator: Simulator, connect: Connect
) -> None:
    """A directory role by the id of its role, an Azure role by its type."""
    simulator.control.replace_tenant(json.loads(msgspec.json.encode(odd_tenant())))
    graph = connect(AZURE_CLIENT_ID=ODD_CLIENT_ID)
    wanted = [
        odd.GRANTS_DIRECTORY_ROLE,
        odd.GRANTS_AZURE_ROLE,
        odd.GRANTS_ELIGIBLE_AZURE_ROLE,
        odd.GRANTS_ELIGIBLE_OWNER,
    ]
    found = await read(graph, wanted)
    assert [granted(found, each)[0].kind for each in wanted] == [
        GrantKind.ELIGIBLE,
        GrantKind.ACTIVE,
        GrantKind.ELIGIBLE,
        GrantKind.ELIGIBLE,
    ]
    names = [granted(found, each)[0].resource_name for each in wanted[:2]]
    assert names == ["Billing Administrator", "Odd subscription"]


async def test_each_package_takes_one_request(simulator: Simulator, connect: Connect) -> None:
    """In batches of 20, and nothing else is asked."""
    simulator.control.replace_tenant(json.loads(msgspec.json.encode(demo_tenant())))
    graph = connect(AZURE_CLIENT_ID=APP_CLIENT_ID)
    wanted = [each.id for each in demo.packages()]
    await read(graph, wanted)
    inner = [each for each in simulator.control.requests() if each["batch"] is not None]
    assert len(inner) == len(wanted)


async def test_ids_are_read_where_names_are_refused(simulator: Simulator, connect: Connect) -> None:
    """The names need an expansion within an expansion, which a Graph may refuse."""
    simulator.control.replace_tenant(json.loads(msgspec.json.encode(demo_tenant())))
    fault = {"kind": "status", "status": 400, "times": 100}
    match = {"method": "GET", "path_contains": "$expand=resource)"}
    simulator.control.add_faults({**fault, "match": match})
    found = await read(connect(AZURE_CLIENT_ID=APP_CLIENT_ID), [demo.RUN_PAYMENTS])
    (role,) = granted(found, demo.RUN_PAYMENTS)
    assert (role.resource, role.resource_name) == (demo.PAYMENTS_APP, "")


@pytest.mark.parametrize(
    "role_scope",
    [
        {},
        {"role": None, "scope": {"originId": "x"}},
        {"role": {"originSystem": "AadGroup"}, "scope": {"originId": "x"}},
        {"role": {"originSystem": "AadGroup", "originId": "Member_x"}, "scope": {}},
    ],
)
def test_a_grant_without_its_role_or_resource_makes_the_package_unreadable(
    role_scope: object,
) -> None:
    """What is not understood is not taken for not granted."""
    body = json.dumps({"id": "A", "resourceRoleScopes": [role_scope]}).encode()
    with pytest.raises(Unreadable):
        wire.decode(wire.package_grants, body)


def test_equal_grants_count_once_and_long_names_are_cut() -> None:
    """A name of the tenant is data."""
    name = "x" * 5_000
    one = {
        "role": {
            "originSystem": "AadGroup",
            "originId": "Owner_A",
            "displayName": name,
            "resource": {"displayName": name},
        },
        "scope": {"originId": "A"},
    }
    body = json.dumps({"id": "A", "resourceRoleScopes": [one, one]}).encode()
    (found,) = wire.decode(wire.package_grants, body)
    assert isinstance(found, Grant)
    assert (found.resource, found.role, found.kind) == ("a", "owner_a", GrantKind.OWNER)
    assert len(found.role_name) <= 1_000 >= len(found.resource_name)
