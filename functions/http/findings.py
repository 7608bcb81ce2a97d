"""`GET /api/findings` and `GET /api/findings/{id}`: what was found, and the life of each."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import azure.functions as func

from entra_sod import bootstrap
from entra_sod.core.errors import GraphError
from entra_sod.core.validation import read_as
from entra_sod.domain.findings.views import FindingPage, as_csv, detail, view
from entra_sod.services.findings.claims import ClaimRequest, NotClaimable, store_claim
from entra_sod.services.findings.query import (
    FindingsQuery,
    names_subject,
    parameters,
    parse_query,
    read_page,
)
from functions.http.guard import GuardedBlueprint
from functions.http.negotiation import choose_media
from functions.http.responses import HttpProblem, graph_problem, json_response, own_url, read_json

bp = GuardedBlueprint()
JSON, CSV = "application/json", "text/csv"


@bp.answers
async def list_findings(req: func.HttpRequest) -> func.HttpResponse:
    media = choose_media(req, (JSON, CSV))
    query = await _with_subject(parse_query(dict(req.params)))
    page = await read_page(bootstrap.app.records.findings, query)
    views = [view(each) for each in page.findings]
    link = _link(req, page.next) if page.next else None
    if media == CSV:
        headers = {"Content-Disposition": 'attachment; filename="findings.csv"'}
        if link:
            headers["Link"] = f'<{link}>; rel="next"'
        return json_response(200, as_csv(views), headers, mimetype=CSV)
    return json_response(200, FindingPage(findings=views, next_link=link))


async def _with_subject(query: FindingsQuery) -> FindingsQuery:
    """Find out whose a name is; only then is Graph asked."""
    if not names_subject(query):
        return query
    from entra_sod.services.findings.by_name import with_subject  # HTTP seldom needs it

    try:
        return await with_subject(query, bootstrap.app.engine.decisions.names)
    except GraphError as error:
        raise graph_problem(error, "It is not known whose the name is; ask again.") from error


@bp.answers
async def get_finding(req: func.HttpRequest) -> func.HttpResponse:
    kept = await bootstrap.app.records.findings.get(_finding_id(req))
    if kept is None:
        raise _unknown()
    return json_response(200, detail(kept.finding))


@bp.answers
async def claim_finding(req: func.HttpRequest) -> func.HttpResponse:
    request, records = read_as(ClaimRequest, read_json(req)), bootstrap.app.records
    try:
        claimed = await store_claim(records.findings, _finding_id(req), request, records.clock)
    except NotClaimable as error:
        text = f"It is {error}: there is nothing to take away."
        raise HttpProblem(409, "nothing-to-claim", "Nothing to claim", text) from error
    if claimed is None:
        raise _unknown()
    return json_response(200, detail(claimed))


def _finding_id(req: func.HttpRequest) -> str:
    name: str = req.route_params["id"]
    if not re.fullmatch("[0-9a-f]{32}", name):
        raise _unknown()
    return name


def _unknown() -> HttpProblem:
    text = "There is no finding with this id. GET /api/findings lists them."
    return HttpProblem(404, "unknown-finding", "No such finding", text)


def _link(req: func.HttpRequest, query: FindingsQuery) -> str:
    return f"{own_url(req, 'findings')}?{urlencode(list(parameters(query)))}"
