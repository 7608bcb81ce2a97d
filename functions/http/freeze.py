"""`/api/freeze`: stop every write of a reference, see what holds writes back, allow them again."""

from __future__ import annotations

import azure.functions as func

from entra_sod import bootstrap
from entra_sod.core.validation import read_as
from entra_sod.domain.callers.caller import Caller
from entra_sod.domain.enforcement.freeze import FreezeRequest
from entra_sod.domain.notifications.kept_event import freeze_event
from functions.http.guard import GuardedBlueprint
from functions.http.responses import json_response, read_json, traceparent

bp = GuardedBlueprint()


@bp.answers
async def get_freeze(req: func.HttpRequest) -> func.HttpResponse:
    limit = bootstrap.app.engine.enforcer.max_writes_per_day
    return json_response(200, await bootstrap.app.records.controls.state(limit))


@bp.answers_caller
async def freeze_writing(req: func.HttpRequest, caller: Caller) -> func.HttpResponse:
    request, records = read_as(FreezeRequest, read_json(req)), bootstrap.app.records
    stands = await records.controls.freeze(request.reason, caller.name)
    await records.announcer.announce_kept(freeze_event(stands), traceparent=traceparent(req))
    return json_response(200, stands)


@bp.answers_caller
async def unfreeze_writing(req: func.HttpRequest, caller: Caller) -> func.HttpResponse:
    records = bootstrap.app.records
    if stands := await records.controls.frozen():
        event = freeze_event(stands, ended_by=caller.name)
        # Before it ends: where the announcement fails, the caller asks again.
        await records.announcer.announce_kept(event, traceparent=traceparent(req))
        await records.controls.unfreeze()
    return func.HttpResponse(status_code=204, headers={"Cache-Control": "no-store"})
