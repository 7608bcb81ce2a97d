from typing import Any

import pytest

from local.graph.behaviour import Behaviour
from local.graph.demo import (
    APPROVE_INVOICES,
    GROUP_EXTERNAL_AUDITORS,
    GROUP_PROCUREMENT_TEAM,
    MAINTAIN_VENDORS,
    PAY_INVOICES,
    RELEASE_PAYMENTS,
)
from tests.local.graph.caller import EM, ROOT, Caller

GROUPS = f"accessPackages/{PAY_INVOICES}/incompatibleGroups"
PACKAGES = f"accessPackages/{PAY_INVOICES}/incompatibleAccessPackages"
WITH = f"accessPackages/{APPROVE_INVOICES}/accessPackagesIncompatibleWith"
UNKNOWN = "00000000-0000-4000-8000-000000000000"
GROUP_ADDRESS = f"{ROOT}/v1.0/groups/{GROUP_EXTERNAL_AUDITORS}"
PACKAGE_ADDRESS = f"{ROOT}{EM}/accessPackages/{APPROVE_INVOICES}"


def change(behaviour: Behaviour, **fields: Any) -> None:
    for name, value in fields.items():
        setattr(behaviour, name, value)


async def test_a_group_is_added_listed_and_removed(graph: Caller) -> None:
    """Adding and removing answer 204 with no body, and the list follows."""
    added = await graph.add_group(PAY_INVOICES, GROUP_EXTERNAL_AUDITORS)
    assert (added.status_code, added.content) == (204, b"")
    assert await graph.value(GROUPS) == [
        {"id": GROUP_EXTERNAL_AUDITORS, "displayName": "External auditors"}
    ]
    removed = await graph.delete(f"{GROUPS}/{GROUP_EXTERNAL_AUDITORS}/$ref")
    assert (removed.status_code, removed.content) == (204, b"")
    assert await graph.value(GROUPS) == []


async def test_a_package_reference_has_a_direction(graph: Caller) -> None:
    """Only the package that was written to names the other; the other sees it in reverse."""
    assert (await graph.add_package(PAY_INVOICES, APPROVE_INVOICES)).status_code == 204
    assert await graph.ids(PACKAGES) == [APPROVE_INVOICES]
    assert await graph.ids(PACKAGES.replace(PAY_INVOICES, APPROVE_INVOICES)) == []
    assert await graph.ids(WITH) == [PAY_INVOICES]
    assert await graph.ids(WITH.replace(APPROVE_INVOICES, PAY_INVOICES)) == []
    assert (await graph.delete(f"{PACKAGES}/{APPROVE_INVOICES}/$ref")).status_code == 204
    assert await graph.ids(WITH) == []


async def test_references_are_listed_as_addresses(graph: Caller) -> None:
    """The $ref of a collection lists absolute addresses."""
    await graph.add_group(PAY_INVOICES, GROUP_EXTERNAL_AUDITORS)
    await graph.add_package(PAY_INVOICES, APPROVE_INVOICES)
    assert (await graph.get(f"{GROUPS}/$ref")).json()["value"] == [GROUP_ADDRESS]
    assert (await graph.get(f"{PACKAGES}/$ref")).json()["value"] == [PACKAGE_ADDRESS]


@pytest.mark.parametrize(
    ("collection", "body"),
    [
        (GROUPS, {"@odata.id": GROUP_ADDRESS.replace(ROOT, "https://graph.microsoft.com")}),
        (GROUPS, {"@odata.id": GROUP_ADDRESS.replace("/v1.0/", "/beta/")}),
        (GROUPS, {"@odata.id": GROUP_ADDRESS.replace("/v1.0/", "/v1.0//")}),
        (GROUPS, {"@odata.id": GROUP_ADDRESS.replace("groups", "directoryObjects")}),
        (GROUPS, {"@odata.id": f"{GROUP_ADDRESS}/"}),
        (GROUPS, {"@odata.id": f"{ROOT}/v1.0/groups/auditors"}),
        (GROUPS, {"@odata.id": PACKAGE_ADDRESS}),
        (GROUPS, {"@odata.id": GROUP_EXTERNAL_AUDITORS}),
        (GROUPS, {"@odata.id": None}),
        (GROUPS, {"odata.id": GROUP_ADDRESS}),
        (GROUPS, {"@odata.id": GROUP_ADDRESS, "id": GROUP_EXTERNAL_AUDITORS}),
        (GROUPS, [GROUP_ADDRESS]),
        (GROUPS, {}),
        (PACKAGES, {"@odata.id": GROUP_ADDRESS}),
        (PACKAGES, {"@odata.id": f"{ROOT}/v1.0/accessPackages/{APPROVE_INVOICES}"}),
    ],
)
async def test_a_wrong_address_is_refused(graph: Caller, collection: str, body: object) -> None:
    """The body is exactly one @odata.id, an absolute address of the right kind on this Graph."""
    assert (await graph.post(f"{collection}/$ref", body)).status_code == 400
    assert await graph.value(collection) == []


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_a_write_must_be_json(graph: Caller, content_type: str) -> None:
    """A write whose Content-Type is not JSON is refused."""
    answer = await graph.send(
        "POST",
        f"{EM}/{GROUPS}/$ref",
        body={"@odata.id": GROUP_ADDRESS},
        headers={"Content-Type": content_type},
    )
    assert answer.status_code == 400
    assert await graph.value(GROUPS) == []


async def test_a_write_takes_no_query_options(graph: Caller) -> None:
    """Even a documented read option is refused on a write."""
    body = {"@odata.id": GROUP_ADDRESS}
    assert (await graph.post(f"{GROUPS}/$ref?$select=id", body)).status_code == 400


@pytest.mark.parametrize(
    ("duplicate", "status", "additions"),
    [("no-content", 204, 2), ("bad-request", 400, 1), ("conflict", 409, 1)],
)
async def test_a_repeated_add(graph: Caller, duplicate: str, status: int, additions: int) -> None:
    """A duplicate answers as told, is counted where it succeeds, and is listed once."""
    change(graph.behaviour, duplicate_reference=duplicate)
    await graph.add_group(PAY_INVOICES, GROUP_EXTERNAL_AUDITORS)
    answer = await graph.add_group(PAY_INVOICES, GROUP_EXTERNAL_AUDITORS.upper())
    assert answer.status_code == status
    assert await graph.ids(GROUPS) == [GROUP_EXTERNAL_AUDITORS]
    [reference] = graph.simulator.index.packages[PAY_INVOICES].incompatible_groups
    assert reference.additions == additions


@pytest.mark.parametrize("status", [400, 404])
async def test_what_cannot_be_referred_to(graph: Caller, status: int) -> None:
    """Unknown objects, groups without security and the package itself are refused as told."""
    change(graph.behaviour, unknown_reference=status, self_reference=status)
    for group_id in (UNKNOWN, GROUP_PROCUREMENT_TEAM):
        assert (await graph.add_group(PAY_INVOICES, group_id)).status_code == status
    for package_id in (UNKNOWN, PAY_INVOICES):
        assert (await graph.add_package(PAY_INVOICES, package_id)).status_code == status


async def test_removing_what_is_not_there(graph: Caller) -> None:
    """An absent reference is not found, or answered as if it had been removed."""
    path = f"{GROUPS}/{GROUP_EXTERNAL_AUDITORS}/$ref"
    assert (await graph.delete(path)).status_code == 404
    change(graph.behaviour, remove_absent="no-content")
    assert (await graph.delete(path)).status_code == 204


async def test_the_other_catalog_matters_only_when_told(graph: Caller) -> None:
    """A reference to a package elsewhere needs a role there only if the behaviour says so."""
    assert (await graph.add_package(PAY_INVOICES, RELEASE_PAYMENTS)).status_code == 204
    change(graph.behaviour, other_catalog_required=True)
    assert (await graph.add_package(APPROVE_INVOICES, RELEASE_PAYMENTS)).status_code == 403
    assert (await graph.add_package(APPROVE_INVOICES, MAINTAIN_VENDORS)).status_code == 204


async def test_a_write_shows_late_in_its_own_collection(graph: Caller) -> None:
    """After a write, the next reads of that collection, and of no other, show the old list."""
    change(graph.behaviour, lag_reads=2)
    await graph.add_group(PAY_INVOICES, GROUP_EXTERNAL_AUDITORS)
    await graph.ids(PACKAGES)
    await graph.ids(GROUPS.replace(PAY_INVOICES, APPROVE_INVOICES))
    shown = [len(await graph.ids(GROUPS)) for _ in range(4)]
    assert shown == [0, 0, 1, 1]


async def test_a_removal_shows_late_too(graph: Caller) -> None:
    """A removed reference is still listed until the lag is over, though it is gone."""
    await graph.add_group(PAY_INVOICES, GROUP_EXTERNAL_AUDITORS)
    change(graph.behaviour, lag_reads=1)
    await graph.delete(f"{GROUPS}/{GROUP_EXTERNAL_AUDITORS}/$ref")
    assert (await graph.delete(f"{GROUPS}/{GROUP_EXTERNAL_AUDITORS}/$ref")).status_code == 404
    assert [len(await graph.ids(GROUPS)) for _ in range(2)] == [1, 0]
