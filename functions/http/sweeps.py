"""A sweep by hand, and the answer of a sweep."""

from __future__ import annotations

import logging
import re

import azure.functions as func

from entra_sod import bootstrap
from entra_sod.api.responses import SweepAccepted
from entra_sod.services.sweeps.progress import progress_of
from entra_sod.services.sweeps.start import StartedSweep
from entra_sod.stores.sweeps import SweepRecord
from functions.http.guard import GuardedBlueprint
from functions.http.responses import (
    HttpProblem,
    json_response,
    own_url,
    require_no_fields,
    traceparent,
)

bp = GuardedBlueprint()
log = logging.getLogger("entra_sod")

POLL_SECONDS = 15


@bp.answers
async def start_sweep_by_hand(req: func.HttpRequest) -> func.HttpResponse:
    require_no_fields(req)
    started = await bootstrap.app.records.sweep_starter.start(traceparent=traceparent(req))
    report_started(started, by="hand")
    location = own_url(req, f"sweeps/{started.id}")
    body = SweepAccepted(
        id=started.id, status=started.status, self_=location, joined=started.is_joined
    )
    return _accepted(location, body)


def report_started(started: StartedSweep, *, by: str) -> None:
    log.info(
        "sweep %s %s by %s",
        started.id,
        "joined" if started.is_joined else "started",
        by,
        extra={"action": "sweep_started", "sweep_id": started.id, "by": by},
    )


@bp.answers
async def get_sweep(req: func.HttpRequest) -> func.HttpResponse:
    sweeps = bootstrap.app.records.sweeps
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
    sweeps = bootstrap.app.records.sweeps
    if name == "latest":
        return await sweeps.latest()
    return await sweeps.get(name) if re.fullmatch(r"[\w-]{1,64}", name) else None


async def _under_way(req: func.HttpRequest, record: SweepRecord) -> func.HttpResponse:
    records = bootstrap.app.records
    parts = await records.sweeps.parts(record.id)
    location = own_url(req, f"sweeps/{record.id}")
    return _accepted(location, progress_of(record, parts, records.clock.now(), location=location))


def _accepted(location: str, body: object) -> func.HttpResponse:
    return json_response(202, body, {"Location": location, "Retry-After": str(POLL_SECONDS)})
