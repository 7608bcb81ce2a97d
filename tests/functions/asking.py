"""Asks the app's HTTP functions by their routes, without a host."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import azure.functions as func

from tests.app import body_of
from tests.functions.test_matrix import FUNCTIONS

ROOT = "https://app.example.com/api/"


async def ask(
    what: str,
    place: str | None = None,
    *,
    body: object = None,
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
) -> func.HttpResponse:
    """Send one request; `what` is the route as the table has it, `place` the id in its path."""
    method, _, route = what.partition(" ")
    request = func.HttpRequest(
        method,
        ROOT + route,
        headers={"Content-Type": "application/json", **(headers or {})},
        params=dict(params or {}),
        route_params={} if place is None else {"id": place},
        body=b"" if body is None else json.dumps(body).encode(),
    )
    answer: func.HttpResponse = await FUNCTIONS[what].get_user_function()(request)
    return answer


async def get(what: str, place: str | None = None, **params: str) -> dict[str, Any]:
    """The body of an answer that has to be 200."""
    answer = await ask(f"GET {what}", place, params=params)
    assert answer.status_code == 200, answer.get_body()
    return body_of(answer)


async def problem(what: str, place: str | None = None, **more: Any) -> tuple[int, str]:
    """The status and the slug of a problem."""
    answer = await ask(what, place, **more)
    return answer.status_code, body_of(answer)["type"].removeprefix("urn:entra-sod:problem:")
