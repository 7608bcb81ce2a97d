"""Documented exchanges, replayed on a tenant that holds what the documentation shows."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from local.graph.tenant import (
    AccessPackage,
    Assignment,
    AssignmentRequest,
    Catalog,
    Group,
    Identity,
    Reference,
    ResourceRoleScope,
    RoleAssignment,
    Subject,
    Tenant,
)
from tests.local.graph.contract import example, plain, replay

CATALOG = "32efb28c-9a7a-446c-986b-ca6528c6669d"
FIRST, SECOND = "2506aef1-3929-4d24-a61e-7c8b83d95e6f", "d5d99728-8c0b-4ede-83d2-cf9b0e8dabfb"
WRITTEN = "73eb2497-3b88-4c0a-8bb3-68ba8162beff"
# the documentation's other id, now a group and now a package
OTHER = "c0a74b4d-2694-4d5d-a964-1bee4ff0aaf2"


def tenant_of(**parts: Any) -> Tenant:
    """A tenant with one catalog, and an identity that may do everything."""
    permissions = ["EntitlementManagement.ReadWrite.All"]
    identity = Identity(
        client_id="admin", principal_id="principal", display_name="admin", permissions=permissions
    )
    catalogs = parts.pop("catalogs", [Catalog(id=CATALOG, display_name="Catalog")])
    return Tenant(catalogs=catalogs, identities=[identity], **parts)


def package(package_id: str, **more: Any) -> AccessPackage:
    """A package that shows no more than the documentation's abridged one."""
    return AccessPackage(id=package_id, catalog_id=CATALOG, display_name="accesspackage", **more)


def records[T](kind: type[T], items: list[Any], **more: object) -> list[T]:
    """Documented objects as the tenant keeps them."""
    return [msgspec.convert(plain(item) | more, type=kind) for item in items]


def documented(contract: Path, number: str) -> Any:
    return plain(example(contract, number)[1]["body"])


def related_tenant() -> Tenant:
    """A package that names another, which names it back, and a group that one can name."""
    return tenant_of(
        access_packages=[
            package(WRITTEN, incompatible_access_packages=[Reference(id=OTHER)]),
            package(OTHER, incompatible_access_packages=[Reference(id=WRITTEN)]),
        ]
    )


def group_tenant(*, group_id: str, referred: bool) -> Tenant:
    references = [Reference(id=group_id)] if referred else []
    return tenant_of(
        access_packages=[package(WRITTEN, incompatible_groups=references)],
        groups=[Group(id=group_id, display_name="group")],
    )


async def test_01_additional_access(contract: Path) -> None:
    """The documented holders of both packages come back as documented."""
    shown = documented(contract, "01")
    assignments = [
        Assignment(id=item["id"], access_package_id=FIRST, target_id=item["target"]["id"])
        for item in shown["value"]
    ]
    second = [
        Assignment(id=f"second {item.id}", access_package_id=SECOND, target_id=item.target_id)
        for item in assignments
    ]
    alone = Assignment(id="alone", access_package_id=FIRST, target_id="alone")
    tenant = tenant_of(
        access_packages=[package(FIRST), package(SECOND)],
        subjects=records(Subject, [item["target"] for item in shown["value"]]),
        assignments=[alone, *assignments, *second],
    )
    assert plain((await replay(contract, "01", tenant)).json()) == shown


async def test_02_list_incompatible_groups(contract: Path) -> None:
    """The documented list of incompatible groups comes back."""
    shown = documented(contract, "02")
    tenant = group_tenant(group_id=shown["value"][0]["id"], referred=True)
    assert plain((await replay(contract, "02", tenant)).json()) == shown


async def test_03_add_incompatible_group(contract: Path) -> None:
    """Adding a group answers as documented, with nothing in the body."""
    tenant = group_tenant(group_id=OTHER, referred=False)
    assert (await replay(contract, "03", tenant)).content == b""


async def test_04_remove_incompatible_group(contract: Path) -> None:
    """Removing a group answers as documented, with nothing in the body."""
    tenant = group_tenant(group_id=OTHER, referred=True)
    assert (await replay(contract, "04", tenant)).content == b""


@pytest.mark.parametrize("number", ["05", "08"])
async def test_05_08_list_incompatible_packages(contract: Path, number: str) -> None:
    """The documented lists of packages come back, seen from either end."""
    answer = await replay(contract, number, related_tenant())
    assert plain(answer.json()) == documented(contract, number)


async def test_06_add_incompatible_package(contract: Path) -> None:
    """Adding a package answers as documented, with nothing in the body."""
    tenant = tenant_of(access_packages=[package(WRITTEN), package(OTHER)])
    assert (await replay(contract, "06", tenant)).content == b""


async def test_07_remove_incompatible_package(contract: Path) -> None:
    """Removing a package answers as documented, with nothing in the body."""
    assert (await replay(contract, "07", related_tenant())).content == b""


@pytest.mark.parametrize("number", ["09", "10"])
async def test_09_10_access_packages(contract: Path, number: str) -> None:
    """The documented package comes back, in a list and alone."""
    shown = documented(contract, number)
    items = shown.get("value", [shown])
    tenant = tenant_of(access_packages=records(AccessPackage, items, catalogId=CATALOG))
    assert plain((await replay(contract, number, tenant)).json()) == shown


async def test_11_resource_role_scopes(contract: Path) -> None:
    """The documented role scopes come back; the catalog id of that page is not in v1.0."""
    shown = documented(contract, "11")
    role_scopes = records(ResourceRoleScope, shown["resourceRoleScopes"])
    del shown["catalogId"]
    own = {name: value for name, value in shown.items() if name != "resourceRoleScopes"}
    [known] = records(AccessPackage, [own], catalogId=CATALOG)
    known.resource_role_scopes = role_scopes
    answer = await replay(contract, "11", tenant_of(access_packages=[known]))
    assert plain(answer.json()) == shown


async def test_12_assignments(contract: Path) -> None:
    """The documented assignment comes back."""
    shown = documented(contract, "12")
    items = records(Assignment, shown["value"], accessPackageId=FIRST, targetId="subject")
    tenant = tenant_of(access_packages=[package(FIRST)], assignments=items)
    assert plain((await replay(contract, "12", tenant)).json()) == shown


async def test_13_catalogs(contract: Path) -> None:
    """The documented catalog comes back."""
    shown = documented(contract, "13")
    tenant = tenant_of(catalogs=records(Catalog, shown["value"]))
    assert plain((await replay(contract, "13", tenant)).json()) == shown


async def test_14_role_assignments_of_a_catalog(contract: Path) -> None:
    """The documented filter and expansion of role assignments work as documented."""
    shown = documented(contract, "14")
    kept = [{k: v for k, v in item.items() if k != "principal"} for item in shown["value"]]
    elsewhere = RoleAssignment(id="x", principal_id="x", role_definition_id="x", app_scope_id="/")
    tenant = tenant_of(role_assignments=[elsewhere, *records(RoleAssignment, kept)])
    assert plain((await replay(contract, "14", tenant)).json()) == shown


async def test_15_role_definitions(contract: Path) -> None:
    """The documented role definitions come back."""
    answer = await replay(contract, "15", tenant_of())
    assert plain(answer.json()) == documented(contract, "15")


async def test_16_create_role_assignment(contract: Path) -> None:
    """A role assignment is created as documented, with an id of its own."""
    shown = documented(contract, "16")
    catalog_id = shown["appScopeId"].rpartition("/")[2]
    tenant = tenant_of(
        catalogs=[Catalog(id=catalog_id, display_name="Catalog")],
        groups=[Group(id=shown["principalId"], display_name="role-assignable")],
    )
    created = plain((await replay(contract, "16", tenant)).json())
    assert created | {"id": shown["id"]} == shown


async def test_18_refusal(contract: Path) -> None:
    """An identity without rights is refused in the words that were seen in the wild."""
    tenant = tenant_of()
    tenant.identities[0].permissions.clear()
    error = (await replay(contract, "18", tenant)).json()["error"]
    shown = documented(contract, "18")["error"]
    assert error.keys() == shown.keys()
    assert error["innerError"].keys() == shown["innerError"].keys()
    assert (error["code"], error["message"]) == (shown["code"], shown["message"])


@pytest.mark.parametrize("number", ["21", "22"])
async def test_21_22_resume(contract: Path, number: str) -> None:
    """The documented answers of a custom extension are taken."""
    request, _ = example(contract, number)
    waiting = AssignmentRequest(
        id=request["url"].split("/")[-2],
        request_type="userAdd",
        state="submitted",
        status="Accepted",
        access_package_id=FIRST,
        target_id="subject",
        stage="assignmentRequestCreated",
        stage_instance_id=request["body"]["data"]["customExtensionStageInstanceId"],
    )
    tenant = tenant_of(access_packages=[package(FIRST)], assignment_requests=[waiting])
    assert (await replay(contract, number, tenant)).content == b""
