"""What no other function takes: `/api` itself, unknown paths, and methods that a path has not."""

from __future__ import annotations

import azure.functions as func

from entra_sod.domain.callers.routes import ROUTES, methods_at
from functions.http.guard import GuardedBlueprint
from functions.http.responses import HttpProblem, json_response, own_url

bp = GuardedBlueprint()
_READING = "GET"


@bp.answers_elsewhere
async def elsewhere(req: func.HttpRequest) -> func.HttpResponse:
    """Name the contract at `/api`; say which methods a path takes, or that there is no such."""
    path, contract = req.route_params.get("path", ""), own_url(req, ROUTES["get_contract"].path)
    methods = methods_at(path) if path else [_READING]
    if not methods:
        text = f"There is nothing at this path. {contract} names every path."
        raise HttpProblem(404, "unknown-path", "No such path", text)
    if path or req.method != _READING:
        allowed = ", ".join(methods)
        text = f"This path takes {allowed}. {contract} tells what for."
        headers = {"Allow": allowed}
        raise HttpProblem(405, "method-not-allowed", "Not by this method", text, headers=headers)
    return json_response(200, {"contract": contract})
