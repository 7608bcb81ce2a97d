"""`POST /api/decisions`: may this subject get that package? At once, and nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import azure.functions as func

from entra_sod import bootstrap
from entra_sod.core.errors import GraphError
from entra_sod.services.decisions.request import (
    MAX_BATCH_BYTES,
    DecisionRequest,
    parse_decision_request,
    parse_decision_requests,
)
from functions.http.guard import GuardedBlueprint
from functions.http.responses import graph_problem, json_response, read_json

if TYPE_CHECKING:
    from entra_sod.domain.results.decision import DecisionResult

bp = GuardedBlueprint()


@bp.answers
async def decide(req: func.HttpRequest) -> func.HttpResponse:
    body = read_json(req)
    return await answer_decision(parse_decision_request(body, bootstrap.app.clock.now()))


@bp.answers
async def decide_many(req: func.HttpRequest) -> func.HttpResponse:
    from entra_sod.domain.results.decision import DecisionResults

    body = read_json(req, largest=MAX_BATCH_BYTES)
    requests = parse_decision_requests(body, bootstrap.app.clock.now())
    places = [f"/requests/{number}" for number in range(len(requests))]
    return json_response(200, DecisionResults(decisions=await _decided(requests, places)))


async def answer_decision(request: DecisionRequest) -> func.HttpResponse:
    [result] = await _decided([request])
    return json_response(200, result)


async def _decided(
    requests: Sequence[DecisionRequest], places: Sequence[str] = ()
) -> list[DecisionResult]:
    try:
        return await bootstrap.app.engine.decisions.decide(requests, places)
    except GraphError as error:
        raise graph_problem(error, "Nothing is decided; ask again.") from error
