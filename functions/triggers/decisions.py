"""`POST /api/decisions`: may this subject get that package? At once, and nothing is written."""

from __future__ import annotations

import azure.functions as func

from functions import wiring
from functions.decisions.request import (
    LARGEST_BATCH,
    parse_decision_request,
    parse_decision_requests,
)
from functions.errors import GraphError
from functions.triggers.guard import GuardedBlueprint
from functions.triggers.http import HttpProblem, graph_problem, json_response, read_json

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
    decisions = wiring.engine().decisions
    request = parse_decision_request(body, decisions.clock.now())
    try:
        [result] = await decisions.decide([request])
    except GraphError as error:
        raise undecided(error) from error
    return json_response(200, result)


async def _decide_many(req: func.HttpRequest) -> func.HttpResponse:
    from functions.decisions.result import DecisionResults

    body = read_json(req, largest=LARGEST_BATCH)
    decisions = wiring.engine().decisions
    requests = parse_decision_requests(body, decisions.clock.now())
    try:
        results = await decisions.decide(requests)
    except GraphError as error:
        raise undecided(error) from error
    return json_response(200, DecisionResults(decisions=results))


def undecided(error: GraphError) -> HttpProblem:
    return graph_problem(error, "Nothing is decided; ask again.")
