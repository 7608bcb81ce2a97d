"""JSON bodies that say two things of one field."""

from __future__ import annotations

import azure.functions as func
import msgspec
import pytest

from functions.http.decisions import decide
from functions.http.responses import HttpProblem, read_json
from tests.app import App, body_of, call

JSON = {"Content-Type": "application/json"}


def request(body: str) -> func.HttpRequest:
    return func.HttpRequest("POST", "https://i/api/x", headers=JSON, body=body.encode())


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ('{"a": 1, "a": 2}', ["/a"]),
        ('{"a": 1, "a": 1}', ["/a"]),
        (r'{"a": 1, "\u0061": 2}', ["/a"]),
        ('{"a": [{}, {"b/c": 1, "b/c": 2}]}', ["/a/1/b~1c"]),
        ('{"a": {"b": 1, "b": 2}, "a": 3, "c": {"d": 1}}', ["/a", "/a/b"]),
    ],
)
def test_d9_a_field_that_is_given_twice_is_named(body: str, pointers: list[str]) -> None:
    """In whatever object of the body."""
    with pytest.raises(HttpProblem) as raised:
        read_json(request(body))
    assert raised.value.status == 400
    assert [each.pointer for each in raised.value.errors] == pointers


@pytest.mark.parametrize("body", ['[{"a": 1}, {"a": 1}]', '{"a": {"a": 1}}', "1" * 18])
def test_d9_the_same_name_in_two_objects_is_fine(body: str) -> None:
    """Only one object may not have it twice; numbers are as before."""
    assert read_json(request(body)) == msgspec.json.decode(body)


def test_d9_a_body_without_end_is_a_400() -> None:
    """Deep nesting is refused without a traceback."""
    with pytest.raises(HttpProblem) as raised:
        read_json(request('{"a":' * 5_000 + "1" + "}" * 5_000))
    assert (raised.value.status, raised.value.slug) == (400, "not-json")


async def test_d9_a_decision_about_two_packages_is_refused(make_app: type[App]) -> None:
    """400, with the field named."""
    make_app([], {}, [])
    body = '{"subject": "x", "accessPackageId": "d", "accessPackageId": "p"}'
    answer = await call(decide, request(body))
    assert answer.status_code == 400
    assert body_of(answer)["errors"] == [
        {"pointer": "/accessPackageId", "detail": "is given twice"}
    ]
