"""`POST /api/decisions`: may this subject get that package? At once, and nothing is written."""

from __future__ import annotations

import azure.functions as func

from entra_sod import bootstrap
from entra_sod.core.errors import GraphError
from entra_sod.services.decisions.request import (
    LARGEST_BATCH,
    parse_decision_request,
    parse_decision_requests,
)
from functions.http.guard import GuardedBlueprint
from functions.http.responses import HttpProblem, graph_problem, json_response, read_json

bp = GuardedBlueprint()


@bp.function_name("decide")
@bp.route(route="decisions", methods=["POST"])
async def decide(req: func.HttpRequest) -> func.HttpResponse:
    return await _decide(req)


@bp.function_name("decide_many")
@bp.route(route="decisions/batch", methods=["POST"])
async def decide_many(req: func.HttpRequest) -> func.HttpResponse:
    return await _decide_many(req)


async def _decide(req: func.HttpRequest) -> func.HttpResponse:
    body = read_json(req)
    decisions = bootstrap.engine().decisions
    request = parse_decision_request(body, decisions.clock.now())
    try:
        [result] = await decisions.decide([request])
    except GraphError as error:
        raise undecided(error) from error
    return json_response(200, result)


async def _decide_many(req: func.HttpRequest) -> func.HttpResponse:
    from entra_sod.domain.results.decision import DecisionResults

    body = read_json(req, largest=LARGEST_BATCH)
    decisions = bootstrap.engine().decisions
    requests = parse_decision_requests(body, decisions.clock.now())
    try:
        results = await decisions.decide(requests)
    except GraphError as error:
        raise undecided(error) from error
    return json_response(200, DecisionResults(decisions=results))


def undecided(error: GraphError) -> HttpProblem:
    return graph_problem(error, "Nothing is decided; ask again.")
