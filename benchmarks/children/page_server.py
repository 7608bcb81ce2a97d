"""`python -m benchmarks.children.page_server --port P --assignments N`: a Graph of assignments.

Package K has N assignments, of the people from K·N/2 on: neighbours share half of their people.
`additionalAccess` is refused, as it may be to an app.
"""

from __future__ import annotations

import argparse
import re

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from benchmarks.pages import PAGE_SIZE, page

_PACKAGE = re.compile(r"accessPackage/id eq '[0-9a-f-]{24}([0-9a-f]{12})'")
_TOKEN = "$skiptoken"  # noqa: S105 - a position in a list


def people(package: int, assignments: int) -> range:
    first = package * assignments // 2
    return range(first, first + assignments)


def answer(request: Request) -> Response:
    asked = _PACKAGE.fullmatch(request.query_params.get("$filter", ""))
    if asked is None:
        return JSONResponse({"error": {"code": "Forbidden", "message": "not for apps"}}, 403)
    package, start = int(asked[1], 16), int(request.query_params.get(_TOKEN, "0"))
    holders = people(package, request.app.state.assignments)
    end = start + PAGE_SIZE
    link = str(request.url.include_query_params(**{_TOKEN: end})) if end < len(holders) else None
    body = page(holders[start:end], package=package, next_link=link)
    return Response(body, media_type="application/json")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--assignments", type=int, required=True)
    arguments = parser.parse_args()
    app = Starlette(routes=[Route("/{path:path}", answer)])
    app.state.assignments = arguments.assignments
    uvicorn.run(app, host="127.0.0.1", port=arguments.port, log_level="warning")


if __name__ == "__main__":
    main()
