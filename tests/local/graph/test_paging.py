import base64
from typing import Any

import pytest

from local.graph.demo import APP_CLIENT_ID, APPROVE_INVOICES, PAY_INVOICES
from tests.local.graph.caller import ROOT, Caller, additional_access, assignments_of, token_for

ASSIGNMENTS = assignments_of(PAY_INVOICES)
NEXT = "@odata.nextLink"


async def pages(graph: Caller, path: str) -> list[Any]:
    answer = await graph.get(path)
    found = [answer.json()]
    while NEXT in found[-1]:
        found.append((await graph.send("GET", found[-1][NEXT])).json())
    return found


async def test_pages_are_complete_and_without_repetition(graph: Caller) -> None:
    """Following nextLinks gives everything once, in pages of the size that was set."""
    whole = await graph.ids(ASSIGNMENTS)
    graph.behaviour.page_size = 10
    found = await pages(graph, ASSIGNMENTS)
    assert [len(page["value"]) for page in found] == [10, 10, 10, 10, 3]
    assert [item["id"] for page in found for item in page["value"]] == whole


async def test_a_full_last_page_has_no_next_link(graph: Caller) -> None:
    """A collection that ends with its page ends there."""
    graph.behaviour.page_size = 43
    assert len(await pages(graph, ASSIGNMENTS)) == 1


async def test_next_links_are_absolute_and_opaque(graph: Caller) -> None:
    """A nextLink lies under the root, keeps the query, and carries a token."""
    graph.behaviour.page_size = 10
    link = (await graph.get(ASSIGNMENTS)).json()[NEXT]
    assert link.startswith(f"{ROOT}/v1.0/identityGovernance/entitlementManagement/assignments?")
    assert "$filter=" in link
    assert "$skiptoken=" in link


async def test_the_function_is_paged_too(graph: Caller) -> None:
    """AdditionalAccess answers in pages, with its parameters in the nextLink."""
    graph.behaviour.page_size = 3
    path = additional_access(PAY_INVOICES, APPROVE_INVOICES, "?$expand=target")
    found = await pages(graph, path)
    assert [len(page["value"]) for page in found] == [3, 3, 1]
    assert all("target" in item for page in found for item in page["value"])


async def test_empty_pages_come_before_full_ones(graph: Caller) -> None:
    """Empty pages with a nextLink stand before every page that has something."""
    graph.behaviour.page_size, graph.behaviour.empty_pages = 30, 2
    found = await pages(graph, ASSIGNMENTS)
    assert [len(page["value"]) for page in found] == [0, 0, 30, 0, 0, 13]


async def test_an_empty_collection_has_one_page(graph: Caller) -> None:
    """Where nothing follows there is no empty page with a nextLink."""
    graph.behaviour.empty_pages = 2
    assert len(await pages(graph, f"accessPackages/{PAY_INVOICES}/incompatibleGroups")) == 1


async def test_a_next_link_may_lead_to_itself(graph: Caller) -> None:
    """A loop is a behaviour, so that a caller can prove to notice it."""
    graph.behaviour.looping_next_link = True
    first = (await graph.get(ASSIGNMENTS)).json()
    second = (await graph.send("GET", first[NEXT])).json()
    assert first[NEXT] == second[NEXT]
    assert first["value"] == second["value"]


@pytest.mark.parametrize(
    ("host", "start"),
    [("evil.example", "https://evil.example/v1.0/"), ("http://10.0.0.1:8", "http://10.0.0.1:8/")],
)
async def test_a_next_link_may_lead_elsewhere(graph: Caller, host: str, start: str) -> None:
    """A foreign nextLink is a behaviour, so that a caller can prove to keep its token."""
    graph.behaviour.page_size, graph.behaviour.foreign_next_link = 10, host
    assert (await graph.get(ASSIGNMENTS)).json()[NEXT].startswith(start)


async def test_a_token_belongs_to_its_query_and_caller(graph: Caller, auditor: Caller) -> None:
    """A token in another query, or in another identity's hands, is refused."""
    graph.behaviour.page_size = 10
    link = (await graph.get(ASSIGNMENTS)).json()[NEXT]
    token = link.partition("$skiptoken=")[2]
    other = await graph.get(f"{assignments_of(APPROVE_INVOICES)}&$skiptoken={token}")
    stolen = await auditor.send("GET", link)
    assert (other.status_code, stolen.status_code) == (400, 400)


async def test_a_changed_token_is_refused(graph: Caller) -> None:
    """Neither a made-up token nor one whose position was edited is taken."""
    graph.behaviour.page_size = 10
    link = (await graph.get(ASSIGNMENTS)).json()[NEXT]
    start, _, token = link.partition("$skiptoken=")
    payload, _, signature = token.partition(".")
    decoded = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    edited = base64.urlsafe_b64encode(decoded.replace(b":10", b":20")).decode().rstrip("=")
    for changed in ("abc", f"{edited}.{signature}", f"{payload}.", "%C3%A9.x"):
        answer = await graph.send("GET", f"{start}$skiptoken={changed}")
        assert answer.status_code == 400


async def test_a_next_link_outlives_the_access_token(graph: Caller) -> None:
    """Paging goes on with a new token of the same identity."""
    graph.behaviour.page_size = 40
    link = (await graph.get(ASSIGNMENTS)).json()[NEXT]
    now = graph.simulator.clock()
    graph.simulator.clock = lambda: now + 7200
    token = token_for(graph.simulator, APP_CLIENT_ID)
    answer = await graph.http.get(link, headers={"Authorization": f"Bearer {token}"})
    assert len(answer.json()["value"]) == 3


async def test_top_is_a_page_size_up_to_a_maximum(graph: Caller) -> None:
    """$top sets the size of pages on lists, unless the behaviour takes it away."""
    assert len(await pages(graph, f"{ASSIGNMENTS}&$top=40")) == 2
    graph.behaviour.top_maximum = 0
    assert (await graph.get(f"{ASSIGNMENTS}&$top=1")).status_code == 400
