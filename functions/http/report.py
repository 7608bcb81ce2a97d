"""`GET /api/report`: the newest sweep as a page for people, or as JSON for programs."""

from __future__ import annotations

import azure.functions as func
import msgspec

from entra_sod import bootstrap
from entra_sod.core.errors import GraphError
from functions.http.guard import GuardedBlueprint
from functions.http.negotiation import choose_media
from functions.http.responses import graph_problem, json_response, own_url, page_response

bp = GuardedBlueprint()

HTML, JSON = "text/html", "application/json"


@bp.answers
async def get_report(req: func.HttpRequest) -> func.HttpResponse:
    media = choose_media(req, (HTML, JSON))
    engine = bootstrap.app.engine
    try:
        view = await engine.reports.make(await engine.rules.at_hand())
    except GraphError as error:
        # Patterns need the list of packages: without it, what is in force is not known.
        what = "Which packages the rules name is not known; ask again."
        raise graph_problem(error, what) from error
    view = msgspec.structs.replace(view, console=own_url(req, "console"))
    if media == JSON:
        return json_response(200, view)
    from entra_sod.services.report.render import policy, render

    return page_response(render(view), policy())
