"""`PUT /api/freeze` and `DELETE /api/freeze`: stop every write of a reference, allow them again."""

from __future__ import annotations

import azure.functions as func

from entra_sod import bootstrap
from entra_sod.core.validation import read_as
from entra_sod.domain.callers.caller import Caller
from entra_sod.domain.enforcement.freeze import FreezeRequest
from functions.http.guard import GuardedBlueprint
from functions.http.responses import json_response, read_json

bp = GuardedBlueprint()


@bp.answers_caller
async def freeze_writing(req: func.HttpRequest, caller: Caller) -> func.HttpResponse:
    request = read_as(FreezeRequest, read_json(req))
    controls = bootstrap.app.records.controls
    return json_response(200, await controls.freeze(request.reason, caller.name))


@bp.answers
async def unfreeze_writing(req: func.HttpRequest) -> func.HttpResponse:
    await bootstrap.app.records.controls.unfreeze()
    return func.HttpResponse(status_code=204, headers={"Cache-Control": "no-store"})
