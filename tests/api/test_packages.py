"""`GET /api/packages` and `GET /api/openapi.json`."""

from __future__ import annotations

from collections.abc import Sequence

import azure.functions as func
import pytest

from entra_sod.api.packages import PackageQuery, select_packages
from entra_sod.cli.operations.api.document import openapi
from entra_sod.core.errors import Forbidden, Throttled
from entra_sod.domain.entra import AccessPackage
from functions.http.openapi import get_contract, list_packages
from tests.app import App, body_of, call
from tests.builders import guid

PAY = AccessPackage(id=guid("a"), display_name="Pay invoices", catalog_name="Finance")
APPROVE = AccessPackage(id=guid("b"), display_name="approve invoices", catalog_name="Finance")
STOCK = AccessPackage(id=guid("c"), display_name="Count stock", catalog_name="Logistics")
PACKAGES = [PAY, APPROVE, STOCK]


class Refusing(App):
    """An app whose tenant does not list its packages."""

    def refuse(self, error: Exception) -> None:
        async def packages() -> Sequence[AccessPackage]:
            raise error

        self.graph.packages = packages  # type: ignore[method-assign]


@pytest.fixture
def app(make_app: type[App]) -> Refusing:
    assert make_app is App
    return Refusing(PACKAGES, {}, [])


async def ask(**params: str) -> func.HttpResponse:
    request = func.HttpRequest("GET", "https://i/api/packages", params=params, body=b"")
    return await call(list_packages, request)


@pytest.mark.usefixtures("app")
async def test_packages_are_listed_by_name_with_their_catalogs() -> None:
    """Two packages of one name in two catalogs can be told apart in the list."""
    answer = await ask()
    assert answer.status_code == 200
    listed = body_of(answer)
    assert [each["title"] for each in listed["packages"]] == [
        "approve invoices (Finance)",
        "Count stock (Logistics)",
        "Pay invoices (Finance)",
    ]
    assert listed["packages"][2] == {
        "id": guid("a"),
        "displayName": "Pay invoices",
        "catalogName": "Finance",
        "title": "Pay invoices (Finance)",
    }
    assert listed["total"] == 3


@pytest.mark.parametrize(
    ("search", "found"), [("INVOICES", 2), ("logistics", 1), ("", 3), ("nothing", 0), ("%", 0)]
)
@pytest.mark.usefixtures("app")
async def test_a_search_looks_at_names_and_catalogs(search: str, found: int) -> None:
    """In any case; a search is text, and no pattern."""
    assert body_of(await ask(search=search))["total"] == found


def test_a_limit_leaves_the_total_whole() -> None:
    """A shortened list says how many packages there are."""
    listed = select_packages(PACKAGES, PackageQuery(limit=1))
    assert ([each.id for each in listed.packages], listed.total) == ([APPROVE.id], 3)


@pytest.mark.parametrize(
    ("params", "named"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "1001"}, "limit"),
        ({"limit": "-1"}, "limit"),
        ({"limit": ""}, "limit"),
        ({"limit": "٣"}, "limit"),
        ({"search": "x" * 201}, "search"),
    ],
)
@pytest.mark.usefixtures("app")
async def test_a_wrong_query_is_named(params: dict[str, str], named: str) -> None:
    """422, and which parameter it was."""
    answer = await ask(**params)
    assert answer.status_code == 422
    assert body_of(answer)["errors"][0]["detail"].startswith(named)


@pytest.mark.parametrize(
    ("error", "seconds"), [(Throttled("busy", retry_after=7), "7"), (Forbidden("no"), "5")]
)
async def test_without_graph_there_is_no_list(
    app: Refusing, error: Exception, seconds: str
) -> None:
    """503 with a time to ask again, never an empty list that looks like an empty tenant."""
    app.refuse(error)
    answer = await ask()
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, seconds)
    assert body_of(answer)["type"] == "urn:entra-sod:problem:graph"


async def test_the_contract_is_served() -> None:
    """It needs no setting, no storage and no Graph."""
    request = func.HttpRequest("GET", "https://i/api/openapi.json", body=b"")
    answer = await call(get_contract, request)
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert body_of(answer) == openapi()
