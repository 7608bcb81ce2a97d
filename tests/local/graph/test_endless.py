"""Lists that never end: each page leads to another, always under a new token."""

from typing import Any, Literal

import pytest

from local.graph.demo import APPROVE_INVOICES, PAY_INVOICES
from tests.local.graph.caller import Caller, additional_access, assignments_of
from tests.local.graph.contract import Description

NEXT = "@odata.nextLink"
ASSIGNMENTS = assignments_of(PAY_INVOICES)


async def first_pages(graph: Caller, path: str, count: int) -> list[Any]:
    pages = [(await graph.get(path)).json()]
    while len(pages) < count:
        answer = await graph.send("GET", pages[-1][NEXT])
        assert answer.status_code == 200, answer.text
        pages.append(answer.json())
    return pages


@pytest.mark.parametrize(
    ("then", "sizes"),
    [
        ("first-page", [20, 20, 3, 20, 20, 3, 20]),
        ("last-page", [20, 20, 3, 3, 3, 3, 3]),
        ("empty-page", [20, 20, 3, 0, 0, 0, 0]),
    ],
)
async def test_a_list_may_go_on_after_its_last_page(
    graph: Caller,
    description: Description,
    then: Literal["first-page", "last-page", "empty-page"],
    sizes: list[int],
) -> None:
    """It brings nothing new, never repeats a link, and each page is a page as described."""
    graph.behaviour.page_size, graph.behaviour.after_last_page = 20, then
    pages = await first_pages(graph, ASSIGNMENTS, len(sizes))
    assert [len(page["value"]) for page in pages] == sizes
    assert len({page[NEXT] for page in pages}) == len(pages)
    assert len({item["id"] for page in pages for item in page["value"]}) == 43
    schema = description.answer("/identityGovernance/entitlementManagement/assignments")
    assert [description.faults(schema, page) for page in pages] == [[]] * len(pages)


async def test_each_round_has_the_empty_pages_of_the_first(graph: Caller) -> None:
    """Empty pages stand before the pages of every round."""
    behaviour = graph.behaviour
    behaviour.page_size, behaviour.empty_pages, behaviour.after_last_page = 40, 1, "first-page"
    pages = await first_pages(graph, ASSIGNMENTS, 8)
    assert [len(page["value"]) for page in pages] == [0, 40, 0, 3, 0, 40, 0, 3]
    assert len({page[NEXT] for page in pages}) == 8


@pytest.mark.parametrize(
    "path",
    [
        "accessPackages",
        "catalogs",
        additional_access(PAY_INVOICES, APPROVE_INVOICES),
        f"accessPackages/{PAY_INVOICES}/incompatibleGroups",
        f"accessPackages/{PAY_INVOICES}/incompatibleGroups/$ref",
    ],
)
async def test_every_list_can_be_endless(graph: Caller, path: str) -> None:
    """The function and the lists of references, an empty one as well."""
    graph.behaviour.after_last_page = "first-page"
    pages = await first_pages(graph, path, 5)
    assert len({page[NEXT] for page in pages}) == 5
    assert [page["value"] for page in pages] == [pages[0]["value"]] * 5


async def test_one_list_alone_can_be_endless(graph: Caller) -> None:
    """Only lists whose path and query have the given part go on."""
    graph.behaviour.after_last_page = "first-page"
    graph.behaviour.after_last_page_path = PAY_INVOICES
    assert NEXT in (await graph.get(ASSIGNMENTS)).json()
    for path in (assignments_of(APPROVE_INVOICES), "accessPackages"):
        assert NEXT not in (await graph.get(path)).json()


async def test_a_list_ends_when_the_behaviour_does(graph: Caller) -> None:
    """The links that were given stay good, and lead to the end."""
    graph.behaviour.page_size, graph.behaviour.after_last_page = 20, "first-page"
    pages = await first_pages(graph, ASSIGNMENTS, 4)
    graph.behaviour.after_last_page = "nothing"
    rest = await graph.send("GET", pages[-1][NEXT])
    last = await graph.send("GET", rest.json()[NEXT])
    assert NEXT not in last.json()
