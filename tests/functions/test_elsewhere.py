from __future__ import annotations

import azure.functions as func
import pytest

from entra_sod.domain.callers.routes import ELSEWHERE, ROUTES
from tests.app import App, app_functions, body_of
from tests.builders import package


@pytest.fixture(autouse=True)
def app(make_app: type[App]) -> App:
    return make_app([package("a")], {}, [])


async def ask(method: str, path: str) -> func.HttpResponse:
    """Ask the function that takes what no other does, as the host would."""
    by_name = {each.get_function_name(): each for each in app_functions()}
    params = {"path": path} if path else {}
    url = f"https://app.example.com/api/{path}"
    request = func.HttpRequest(method, url, route_params=params, body=b"")
    answer: func.HttpResponse = await by_name[ELSEWHERE.function].get_user_function()(request)
    return answer


@pytest.mark.parametrize("method", ["HEAD", "PUT", "PATCH", "TRACE", "PROPFIND", "BREW"])
@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("", "GET"),
        ("checks", "POST"),
        ("Checks/", "POST"),
        ("checks/1", "GET"),
        ("subscriptions/1", "DELETE"),
        ("webhooks/jira", "OPTIONS, POST"),
        ("openapi.json", "GET"),
    ],
)
async def test_f6_a_path_says_which_methods_it_takes(method: str, path: str, allowed: str) -> None:
    """405 with Allow, and a problem as body."""
    answer = await ask(method, path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)
    assert body_of(answer)["type"] == "urn:entra-sod:problem:method-not-allowed"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
@pytest.mark.parametrize(
    "path", ["check", "checks/1/2", "checks//1", "findings/1/claim", "..", "\0"]
)
async def test_f6_an_unknown_path_is_a_problem(method: str, path: str) -> None:
    """404, and where the paths are named."""
    answer = await ask(method, path)
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
    assert "https://app.example.com/api/openapi.json" in body_of(answer)["detail"]


async def test_f6_the_root_names_the_contract() -> None:
    """The address alone is enough to find the contract."""
    answer = await ask("GET", "")
    contract = "https://app.example.com/api/openapi.json"
    assert (answer.status_code, body_of(answer)) == (200, {"contract": contract})


def test_no_other_function_comes_after_it() -> None:
    """The host takes the first function that fits, in the order of their names."""
    names = [str(each.get_function_name()) for each in app_functions()]
    assert max(names) == ELSEWHERE.function
    assert ELSEWHERE.function not in ROUTES
