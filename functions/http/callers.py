"""`GET /api/me`: who the caller is to the app, and which routes the caller may call."""

from __future__ import annotations

import azure.functions as func

from entra_sod.api.callers import caller_view
from entra_sod.domain.callers.caller import Caller
from functions.http.guard import GuardedBlueprint
from functions.http.responses import json_response

bp = GuardedBlueprint()


@bp.answers_caller
async def get_caller(req: func.HttpRequest, caller: Caller) -> func.HttpResponse:
    return json_response(200, caller_view(caller, req.headers))
