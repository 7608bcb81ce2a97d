"""`GET /api/findings` and `GET /api/findings/{id}`: what was found, and the life of each."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import azure.functions as func

from functions import wiring
from functions.findings.query import Query, parameters, parse_query, read_page
from functions.findings.views import FindingPage, as_csv, detail, view
from functions.triggers.http import HttpProblem, answered, json_response, own_url
from functions.triggers.media import choose_media

bp = func.Blueprint()
JSON, CSV = "application/json", "text/csv"


@bp.function_name("list_findings")
@bp.route(route="findings", methods=["GET"])
async def list_findings(req: func.HttpRequest) -> func.HttpResponse:
    return await answered(_list(req))


@bp.function_name("get_finding")
@bp.route(route="findings/{id}", methods=["GET"])
async def get_finding(req: func.HttpRequest) -> func.HttpResponse:
    return await answered(_get(req))


async def _list(req: func.HttpRequest) -> func.HttpResponse:
    media, query = choose_media(req, (JSON, CSV)), parse_query(dict(req.params))
    page = await read_page(wiring.records().findings, query)
    views = [view(each) for each in page.findings]
    link = _link(req, page.next) if page.next else None
    if media == CSV:
        headers = {"Content-Disposition": 'attachment; filename="findings.csv"'}
        if link:
            headers["Link"] = f'<{link}>; rel="next"'
        return json_response(200, as_csv(views), headers, mimetype=CSV)
    return json_response(200, FindingPage(findings=views, next_link=link))


async def _get(req: func.HttpRequest) -> func.HttpResponse:
    name = req.route_params["id"]
    kept = None
    if re.fullmatch("[0-9a-f]{32}", name):
        kept = await wiring.records().findings.get(name)
    if kept is None:
        text = "There is no finding with this id. GET /api/findings lists them."
        raise HttpProblem(404, "unknown-finding", "No such finding", text)
    return json_response(200, detail(kept.finding))


def _link(req: func.HttpRequest, query: Query) -> str:
    return f"{own_url(req, 'findings')}?{urlencode(list(parameters(query)))}"
