"""`GET /api/subjects` and `GET /api/subjects/{id}`: subjects of the newest sweep."""

from __future__ import annotations

import re

import azure.functions as func
import msgspec

from entra_sod import bootstrap
from entra_sod.api.queries import (
    MAX_SUBJECT_SEARCH_LENGTH,
    PAGE_PARAMETERS,
    QueryReader,
    next_link,
)
from functions.http.guard import GuardedBlueprint
from functions.http.responses import HttpProblem, json_response, own_url

bp = GuardedBlueprint()
_START = "Start a sweep with POST /api/sweeps, and ask again when it has ended."


@bp.answers
async def list_subjects(req: func.HttpRequest) -> func.HttpResponse:
    from entra_sod.services.subjects.index import IndexMissing
    from entra_sod.services.subjects.search import SubjectQuery

    reader = QueryReader(dict(req.params), ("search", *PAGE_PARAMETERS))
    search, page = reader.text("search", maximum=MAX_SUBJECT_SEARCH_LENGTH), reader.page(2)
    reader.finish()
    after = (page.after[0], page.after[1]) if page.after else None
    query = SubjectQuery(search=search, limit=page.limit, after=after)
    try:
        view, position = await bootstrap.app.engine.subject_search.find(query)
    except IndexMissing as error:
        raise _no_index(error) from error
    link = next_link(own_url(req, "subjects"), req.params, position)
    return json_response(200, msgspec.structs.replace(view, next_link=link))


@bp.answers
async def get_subject(req: func.HttpRequest) -> func.HttpResponse:
    from entra_sod.services.subjects.detail import IndexIncomplete
    from entra_sod.services.subjects.index import IndexMissing

    asked: str = req.route_params["id"]
    if not re.fullmatch(r"[\w.-]{1,100}", asked, re.ASCII):
        raise _unknown()
    try:
        found = await bootstrap.app.engine.subjects.find(asked)
    except IndexMissing as error:
        raise _no_index(error) from error
    except IndexIncomplete as error:
        text = f"{error} Whether the subject holds anything is not known."
        raise HttpProblem(409, "index-incomplete", "Not everything was read", text) from error
    if found is None:
        raise _unknown()
    return json_response(200, found)


def _no_index(error: Exception) -> HttpProblem:
    # Not 503: no waiting mends it.
    return HttpProblem(409, "no-index", "There is no index", f"{error} {_START}")


def _unknown() -> HttpProblem:
    text = (
        "The newest sweep has seen no subject of this id: it holds no package that the rules name, "
        "and has no finding. GET /api/subjects lists those that it has seen."
    )
    return HttpProblem(404, "unknown-subject", "No such subject", text)
