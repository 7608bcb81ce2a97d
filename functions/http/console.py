"""`GET /api/console`: one page for people, which asks the other routes for all that it shows."""

from __future__ import annotations

import azure.functions as func

from functions.http.guard import GuardedBlueprint
from functions.http.negotiation import choose_media
from functions.http.responses import page_response

bp = GuardedBlueprint()


@bp.answers
async def get_console(req: func.HttpRequest) -> func.HttpResponse:
    from entra_sod.api.console.render import policy, render

    choose_media(req, ("text/html",))
    return page_response(render(), policy())
