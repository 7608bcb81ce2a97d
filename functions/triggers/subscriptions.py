"""`POST /api/subscriptions` and `DELETE /api/subscriptions/{id}`: be told, and no more."""

from __future__ import annotations

from uuid import UUID

import azure.functions as func

from functions import wiring
from functions.delivery.subscribe import parse_subscription_request
from functions.triggers.guard import GuardedBlueprint
from functions.triggers.http import (
    HttpProblem,
    answered,
    json_response,
    own_root,
    own_url,
    read_json,
)

bp = GuardedBlueprint()


@bp.function_name("start_subscription")
@bp.route(route="subscriptions", methods=["POST"])
async def start_subscription(req: func.HttpRequest) -> func.HttpResponse:
    return await answered(_start(req))


@bp.function_name("end_subscription")
@bp.route(route="subscriptions/{id}", methods=["DELETE"])
async def end_subscription(req: func.HttpRequest) -> func.HttpResponse:
    return await answered(_end(req))


async def _start(req: func.HttpRequest) -> func.HttpResponse:
    request = parse_subscription_request(read_json(req), wiring.delivery_settings().hosts)
    subscription_id = await wiring.records().receivers.subscribe(
        url=request.callback_url, app=own_root(req), events=request.events
    )
    location = own_url(req, f"subscriptions/{subscription_id}")
    body = {"id": subscription_id, "events": sorted(set(request.events)), "self": location}
    return json_response(201, body, {"Location": location})


async def _end(req: func.HttpRequest) -> func.HttpResponse:
    if not await wiring.records().receivers.unsubscribe(_subscription_id(req)):
        raise _unknown()
    return func.HttpResponse(status_code=204, headers={"Cache-Control": "no-store"})


def _subscription_id(req: func.HttpRequest) -> str:
    try:
        return str(UUID(req.route_params["id"]))
    except ValueError:
        raise _unknown() from None


def _unknown() -> HttpProblem:
    detail = (
        "There is no subscription with this id. Use the Location that POST /api/subscriptions "
        "answered with."
    )
    return HttpProblem(404, "unknown-subscription", "No such subscription", detail)
