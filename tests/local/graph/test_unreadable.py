"""What cannot be read while everything else can, for as long as the behaviour is set."""

import re
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from local.graph.behaviour import Unreadable
from local.graph.demo import (
    APPROVE_INVOICES,
    GROUP_EXTERNAL_AUDITORS,
    GROUP_PROCUREMENT_TEAM,
    ORDER_GOODS,
    PAY_INVOICES,
)
from local.graph.demo_packages import GROUP_BUYERS
from tests.local.graph.caller import Caller, additional_access, assignments_of, error_code
from tests.local.graph.contract import Description

NEXT = "@odata.nextLink"
ASSIGNMENTS = assignments_of(PAY_INVOICES)
GROUPS = f"accessPackages/{PAY_INVOICES}/incompatibleGroups"


async def pages_until_error(graph: Caller, path: str) -> list[httpx.Response]:
    answers = [await graph.get(path)]
    while answers[-1].status_code == 200 and NEXT in answers[-1].json():
        answers.append(await graph.send("GET", answers[-1].json()[NEXT]))
    return answers


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        ("server-error", 500, "InternalServerError"),
        ("forbidden", 403, "UnAuthorized"),
        ("no-license", 403, "NoLicense"),
        ("not-found", 404, "ResourceNotFound"),
    ],
)
async def test_one_package_is_unreadable(
    graph: Caller, description: Description, answer: Any, status: int, code: str
) -> None:
    """All reads that name it fail, again and again; other packages and the lists are read."""
    graph.behaviour.unreadable = [Unreadable(path_contains=PAY_INVOICES, answer=answer)]
    naming = [
        f"accessPackages/{PAY_INVOICES}",
        ASSIGNMENTS,
        GROUPS,
        additional_access(APPROVE_INVOICES, PAY_INVOICES),
    ]
    for path in naming * 2:
        refused = await graph.get(path)
        assert (refused.status_code, error_code(refused)) == (status, code)
        assert description.faults(description.error(), refused.json()) == []
    for path in ("accessPackages", f"accessPackages/{APPROVE_INVOICES}"):
        assert (await graph.get(path)).status_code == 200
    assert PAY_INVOICES in await graph.ids("accessPackages")


async def test_the_package_alone_is_unreadable(graph: Caller) -> None:
    """A longer part of the path spares what lies below another path."""
    part = f"accessPackages/{PAY_INVOICES}?"
    graph.behaviour.unreadable = [Unreadable(path_contains=part)]
    expanded = f"{part}$expand=resourceRoleScopes($expand=role,scope)"
    assert (await graph.get(expanded)).status_code == 500
    for path in (ASSIGNMENTS, GROUPS):
        assert (await graph.get(path)).status_code == 200


async def test_writes_are_no_reads(graph: Caller) -> None:
    """A reference can be added where the list of references cannot be read."""
    graph.behaviour.unreadable = [Unreadable(path_contains=GROUPS)]
    assert (await graph.add_group(PAY_INVOICES, GROUP_EXTERNAL_AUDITORS)).status_code == 204
    assert (await graph.get(GROUPS)).status_code == 500


async def test_one_page_is_unreadable(graph: Caller) -> None:
    """The pages before it are read, and so is every other list."""
    graph.behaviour.page_size = 10
    graph.behaviour.unreadable = [Unreadable(path_contains=PAY_INVOICES, page=3)]
    answers = await pages_until_error(graph, ASSIGNMENTS)
    assert [each.status_code for each in answers] == [200, 200, 500]
    assert len(await graph.ids(assignments_of(APPROVE_INVOICES))) > 20


async def test_a_page_may_become_readable_again(graph: Caller) -> None:
    """The link that failed is good once the behaviour is gone."""
    graph.behaviour.page_size = 30
    graph.behaviour.unreadable = [Unreadable(page=2)]
    first, refused = await pages_until_error(graph, ASSIGNMENTS)
    assert refused.status_code == 500
    graph.behaviour.unreadable = []
    rest = (await graph.send("GET", first.json()[NEXT])).json()
    assert len(rest["value"]) == 13


async def test_one_assignment_is_unreadable(graph: Caller) -> None:
    """The page that would show it fails; pages and filters that leave it out do not."""
    everything = await graph.ids(ASSIGNMENTS)
    graph.behaviour.page_size = 10
    graph.behaviour.unreadable = [Unreadable(item=everything[15].upper())]
    answers = await pages_until_error(graph, ASSIGNMENTS)
    assert [each.status_code for each in answers] == [200, 500]
    without = assignments_of(PAY_INVOICES, "state eq 'expired'")
    assert everything[15] not in await graph.ids(without)


@pytest.mark.parametrize(("answer", "shown"), [("null", None), ("misshapen", {"id": 7})])
async def test_one_assignment_is_not_what_it_should_be(
    graph: Caller, description: Description, answer: Any, shown: object
) -> None:
    """It stands in its place in the list, does not fit the description, and the rest does."""
    everything = await graph.value(ASSIGNMENTS)
    graph.behaviour.unreadable = [Unreadable(item=everything[15]["id"], answer=answer)]
    body = (await graph.get(ASSIGNMENTS)).json()
    schema = description.answer("/identityGovernance/entitlementManagement/assignments")
    assert description.faults(schema, body)
    assert body["value"].pop(15) == shown
    assert body["value"] == everything[:15] + everything[16:]
    assert description.faults(schema, body) == []


@pytest.mark.parametrize("suffix", ["", "/$ref"])
async def test_one_reference_is_unreadable(graph: Caller, suffix: str) -> None:
    """The lists of references that would show it fail; those of other packages do not."""
    for package_id, group_id in (
        (PAY_INVOICES, GROUP_EXTERNAL_AUDITORS),
        (PAY_INVOICES, GROUP_BUYERS),
        (APPROVE_INVOICES, GROUP_BUYERS),
    ):
        assert (await graph.add_group(package_id, group_id)).status_code == 204
    graph.behaviour.unreadable = [Unreadable(item=GROUP_EXTERNAL_AUDITORS, answer="not-found")]
    assert (await graph.get(f"{GROUPS}{suffix}")).status_code == 404
    other = f"accessPackages/{APPROVE_INVOICES}/incompatibleGroups{suffix}"
    assert len(await graph.value(other)) == 1
    graph.behaviour.unreadable[0].answer = "null"
    shown = await graph.value(f"{GROUPS}{suffix}")
    assert shown[0] is None
    assert shown[1] is not None


async def test_everything_that_is_named_must_fit(graph: Caller) -> None:
    """An item on another page, or in a list at another path, is read."""
    listed = await graph.ids("accessPackages")
    assert listed.index(ORDER_GOODS) > 3
    graph.behaviour.page_size = 3
    fitting = Unreadable(item=ORDER_GOODS, path_contains="accessPackages", page=3)
    for other in ({"page": 1}, {"path_contains": "catalogs"}, {"item": GROUP_PROCUREMENT_TEAM}):
        graph.behaviour.unreadable = [Unreadable(**{**as_fields(fitting), **other})]
        assert await graph.ids("accessPackages") == listed
    graph.behaviour.unreadable = [fitting]
    answers = await pages_until_error(graph, "accessPackages")
    assert [each.status_code for each in answers] == [200, 200, 500]


def as_fields(unreadable: Unreadable) -> dict[str, Any]:
    return {name: getattr(unreadable, name) for name in unreadable.__struct_fields__}


async def test_a_batch_has_its_unreadable_parts(graph: Caller) -> None:
    """Inside a batch one request fails, and the others are answered."""
    graph.behaviour.unreadable = [Unreadable(path_contains=PAY_INVOICES, answer="forbidden")]
    base = "/identityGovernance/entitlementManagement/accessPackages"
    requests = [
        {"id": package_id, "method": "GET", "url": f"{base}/{package_id}"}
        for package_id in (PAY_INVOICES, APPROVE_INVOICES)
    ]
    answer = await graph.send("POST", "/v1.0/$batch", body={"requests": requests})
    statuses = {each["id"]: each["status"] for each in answer.json()["responses"]}
    assert statuses == {PAY_INVOICES: 403, APPROVE_INVOICES: 200}


async def test_it_is_ordered_by_the_control_plane(graph: Caller) -> None:
    """The behaviour is changed while Graph runs, and what makes no sense is refused."""
    part = {"path_contains": PAY_INVOICES, "answer": "not-found"}
    changed = await graph.http.put("/__simulator/behaviour", json={"unreadable": [part]})
    assert changed.json()["unreadable"] == [{**part, "item": None, "page": None}]
    assert (await graph.get(GROUPS)).status_code == 404
    for wrong in ({"answer": "null"}, {"answer": "teapot"}, {"path": "x"}):
        answer = await graph.http.put("/__simulator/behaviour", json={"unreadable": [wrong]})
        assert answer.status_code == 400
        assert answer.json()["error"]


async def test_a_licence_can_lapse_on_the_way(graph: Caller) -> None:
    """A fault with Graph's own words begins after a number of requests, and stays."""
    lapse = {
        "kind": "status",
        "error": "no-license",
        "match": {"path_contains": "entitlementManagement"},
        "skip": 2,
        "times": 1_000_000,
        "retry_after": 30,
    }
    (await graph.http.post("/__simulator/faults", json=lapse)).raise_for_status()
    answers = [await graph.get("accessPackages") for _ in range(5)]
    assert [each.status_code for each in answers] == [200, 200, 403, 403, 403]
    assert error_code(answers[-1]) == "NoLicense"
    assert answers[-1].headers["retry-after"] == "30"


def test_the_documented_entries_are_taken() -> None:
    """What local/graph/README.md gives as entries of the behaviour can be given to it."""
    page = Path(__file__).parents[3] / "local" / "graph" / "README.md"
    section = page.read_text(encoding="utf-8").partition("## What cannot be read")[2]
    entries = re.findall(r"\| `(\{.*\})` \|", section)
    assert len(entries) == 8
    for entry in entries:
        msgspec.json.decode(entry, type=Unreadable)
