"""`GET /api/report`: the newest sweep as a page for people, or as JSON for programs."""

from __future__ import annotations

import azure.functions as func

from functions import wiring
from functions.errors import GraphError, Throttled
from functions.triggers.guard import GuardedBlueprint
from functions.triggers.http import HttpProblem, json_response

bp = GuardedBlueprint()

RETRY_SECONDS = 30
_JSON = "application/json"


@bp.function_name("get_report")
@bp.route(route="report", methods=["GET"])
async def get_report(req: func.HttpRequest) -> func.HttpResponse:
    wants_json = prefers_json(req.headers.get("Accept") or "")
    engine = wiring.engine()
    try:
        view = await engine.reports.make(await engine.rules.current())
    except GraphError as error:
        raise _unread(error) from error
    if wants_json:
        return json_response(200, view)
    from functions.report.render import policy, render

    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": f"{policy()}; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return func.HttpResponse(render(view), headers=headers, mimetype="text/html", charset="utf-8")


def prefers_json(accept: str) -> bool:
    """Whether a caller wants JSON: it names it, and not HTML with the same or a greater weight."""
    weights = dict(map(_weight, accept.lower().split(",")))
    return weights.get(_JSON, 0.0) > weights.get("text/html", 0.0)


def _weight(part: str) -> tuple[str, float]:
    kind, *parameters = (each.strip() for each in part.split(";"))
    given = [each.removeprefix("q=") for each in parameters if each.startswith("q=")]
    try:
        return kind, float(given[0]) if given else 1.0
    except ValueError:
        return kind, 0.0


def _unread(error: GraphError) -> HttpProblem:
    """Patterns need the list of packages: without it, what is in force is not known."""
    wait = error.retry_after if isinstance(error, Throttled) else None
    return HttpProblem(
        503,
        "graph",
        "Microsoft Graph cannot be asked just now",
        f"Which packages the rules name is not known; ask again. {error}",
        retry_after=round(wait or RETRY_SECONDS),
    )
