"""`GET /api/openapi.json`: the contract. `GET /api/packages`: what a maker can choose from."""

from __future__ import annotations

import azure.functions as func

from entra_sod import bootstrap
from entra_sod.api.packages import parse_package_query, select_packages
from entra_sod.core.errors import GraphError
from functions.http.guard import GuardedBlueprint
from functions.http.responses import graph_problem, json_response

bp = GuardedBlueprint()


@bp.answers
async def get_contract(req: func.HttpRequest) -> func.HttpResponse:
    from entra_sod.api.document import openapi_json

    return json_response(200, openapi_json())


@bp.answers
async def list_packages(req: func.HttpRequest) -> func.HttpResponse:
    query = parse_package_query(req.params)
    try:
        packages = await bootstrap.app.engine.rules.packages()
    except GraphError as error:
        raise graph_problem(error, "The packages cannot be listed; ask again.") from error
    return json_response(200, select_packages(packages, query))
