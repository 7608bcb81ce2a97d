"""The nightly timer, and the answer of a sweep."""

from __future__ import annotations

import logging
import re

import azure.functions as func

from functions import wiring
from functions.errors import SodError
from functions.sweeps.store import SweepRecord
from functions.triggers.http import (
    HttpProblem,
    answered,
    json_response,
    new_traceparent,
    own_url,
)

bp = func.Blueprint()
log = logging.getLogger("entra_sod")

POLL_SECONDS = 15


@bp.function_name("start_sweep")
@bp.timer_trigger(arg_name="timer", schedule="%SWEEP_SCHEDULE%", run_on_startup=False)
async def start_sweep(timer: func.TimerRequest) -> None:
    try:
        rules = await wiring.engine().rules.current()
    except SodError as error:
        log.error("no sweep: %s", error, extra={"action": "sweep_not_started"})  # noqa: TRY400
        raise
    sweep_id = await wiring.records().sweep_starter.start(rules, traceparent=new_traceparent())
    log.info(
        "sweep %s started",
        sweep_id,
        extra={"action": "sweep_started", "sweep_id": sweep_id, "past_due": timer.past_due},
    )


@bp.function_name("get_sweep")
@bp.route(route="sweeps/{id}", methods=["GET"])
async def get_sweep(req: func.HttpRequest) -> func.HttpResponse:
    return await answered(_get(req))


async def _get(req: func.HttpRequest) -> func.HttpResponse:
    sweeps = wiring.records().sweeps
    record = await _find(req.route_params["id"])
    if record is None:
        detail = "There is no such sweep. GET /api/sweeps/latest answers with the newest."
        raise HttpProblem(404, "unknown-sweep", "No such sweep", detail)
    if not record.status.has_ended:
        return await _under_way(req, record)
    result = await sweeps.result(record)
    if result is None:
        detail = "The result's blob was removed from storage."
        raise HttpProblem(410, "expired-sweep", "The sweep's result is no longer kept", detail)
    return json_response(200, result)


async def _find(name: str) -> SweepRecord | None:
    sweeps = wiring.records().sweeps
    if name == "latest":
        return await sweeps.latest()
    return await sweeps.get(name) if re.fullmatch(r"[\w-]{1,64}", name) else None


async def _under_way(req: func.HttpRequest, record: SweepRecord) -> func.HttpResponse:
    done = await wiring.records().sweeps.parts_done(record.id)
    location = own_url(req, f"sweeps/{record.id}")
    body = {
        "id": record.id,
        "status": record.status,
        "self": location,
        "parts": {"done": len(done), "total": record.parts},
    }
    return json_response(202, body, {"Location": location, "Retry-After": str(POLL_SECONDS)})
