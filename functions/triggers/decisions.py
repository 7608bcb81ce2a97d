"""`POST /api/decisions`: may this subject get that package? At once, and nothing is written."""

from __future__ import annotations

import azure.functions as func

from functions import wiring
from functions.decisions.request import parse_decision_request, parse_decision_requests
from functions.errors import GraphError, Throttled
from functions.triggers.guard import GuardedBlueprint
from functions.triggers.http import HttpProblem, answered, json_response, read_json

bp = GuardedBlueprint()

RETRY_SECONDS = 5


@bp.function_name("decide")
@bp.route(route="decisions", methods=["POST"])
async def decide(req: func.HttpRequest) -> func.HttpResponse:
    return await answered(_decide(req))


@bp.function_name("decide_many")
@bp.route(route="decisions/batch", methods=["POST"])
async def decide_many(req: func.HttpRequest) -> func.HttpResponse:
    return await answered(_decide_many(req))


async def _decide(req: func.HttpRequest) -> func.HttpResponse:
    request = parse_decision_request(read_json(req))
    try:
        [result] = await wiring.engine().decisions.decide([request])
    except GraphError as error:
        raise undecided(error) from error
    return json_response(200, result)


async def _decide_many(req: func.HttpRequest) -> func.HttpResponse:
    requests = parse_decision_requests(read_json(req))
    try:
        results = await wiring.engine().decisions.decide(requests)
    except GraphError as error:
        raise undecided(error) from error
    return json_response(200, {"decisions": results})


def undecided(error: GraphError) -> HttpProblem:
    """Graph cannot be asked just now: no decision is better than a guess."""
    wait = error.retry_after if isinstance(error, Throttled) else None
    return HttpProblem(
        503,
        "graph",
        "Microsoft Graph cannot be asked just now",
        f"Nothing is decided; ask again. {error}",
        retry_after=round(wait or RETRY_SECONDS),
    )
