"""`GET /api/openapi.json`: the contract. `GET /api/packages`: what a maker can choose from."""

from __future__ import annotations

from pathlib import Path

import azure.functions as func

from entra_sod import bootstrap
from entra_sod.api.packages import parse_package_query, select_packages
from entra_sod.core.errors import GraphError
from functions.http.guard import GuardedBlueprint
from functions.http.responses import graph_problem, json_response

CONTRACT = Path(__file__).with_name("openapi.json")  # written by `make contract`

bp = GuardedBlueprint()


@bp.answers
async def get_contract(req: func.HttpRequest) -> func.HttpResponse:
    return json_response(200, CONTRACT.read_bytes())


@bp.answers
async def list_packages(req: func.HttpRequest) -> func.HttpResponse:
    query = parse_package_query(req.params)
    try:
        packages = await bootstrap.app.engine.rules.packages()
    except GraphError as error:
        raise graph_problem(error, "The packages cannot be listed; ask again.") from error
    return json_response(200, select_packages(packages, query))
