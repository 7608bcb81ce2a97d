"""The contract, the choices for a maker of flows, and the answer to unknown routes."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import azure.functions as func

from entra_sod import bootstrap
from entra_sod.api.packages import parse_package_query, select_packages
from entra_sod.core.errors import GraphError
from entra_sod.domain.callers.routes import ROUTES, methods_at
from functions.http.guard import GuardedBlueprint
from functions.http.responses import HttpProblem, graph_problem, json_response, own_url

CONTRACT = Path(__file__).with_name("openapi.json")  # written by `make contract`

bp = GuardedBlueprint()


@bp.answers
async def get_contract(req: func.HttpRequest) -> func.HttpResponse:
    return json_response(200, _contract())


@bp.answers
async def zz_elsewhere(req: func.HttpRequest) -> func.HttpResponse:
    """Name the contract at `/api`; otherwise answer with the path's methods, or 404."""
    path, contract = req.route_params.get("path", ""), own_url(req, ROUTES["get_contract"].path)
    methods = methods_at(path) if path else ["GET"]
    if not path and req.method in methods:
        return json_response(200, {"contract": contract})
    if not methods:
        text = f"There is nothing at this path. {contract} names every path."
        raise HttpProblem(404, "unknown-path", "No such path", text)
    allow = {"Allow": ", ".join(methods)}
    text = f"This path takes {allow['Allow']}. {contract} describes them."
    raise HttpProblem(405, "method-not-allowed", "Not by this method", text, headers=allow)


@cache
def _contract() -> bytes:
    return CONTRACT.read_bytes()


@bp.answers
async def list_packages(req: func.HttpRequest) -> func.HttpResponse:
    query = parse_package_query(req.params)
    try:
        packages = (await bootstrap.app.engine.rules.listed()).values()
    except GraphError as error:
        raise graph_problem(error, "The packages cannot be listed; ask again.") from error
    return json_response(200, select_packages(packages, query))
