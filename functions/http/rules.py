"""`GET /api/rules` and `GET /api/exceptions`: what the rules files say, and what it means now."""

from __future__ import annotations

import azure.functions as func
import msgspec

from entra_sod import bootstrap
from entra_sod.api.queries import (
    MAX_RULE_ID_LENGTH,
    PAGE_PARAMETERS,
    QueryReader,
    next_link,
)
from entra_sod.core.errors import GraphError
from entra_sod.domain.rules.exception_changes import ExceptionState
from functions.http.guard import GuardedBlueprint
from functions.http.responses import graph_problem, json_response, own_url

bp = GuardedBlueprint()


@bp.answers
async def list_rules(req: func.HttpRequest) -> func.HttpResponse:
    reader = QueryReader(dict(req.params), PAGE_PARAMETERS)
    query = reader.page(1)
    reader.finish()
    try:
        page = await bootstrap.app.engine.rules_overview.page(
            query.limit, next(iter(query.after), "")
        )
    except GraphError as error:
        what = "Which packages the rules name is not known; ask again."
        raise graph_problem(error, what) from error
    position = (page.rules[-1].id,) if page.more else None
    link = next_link(own_url(req, "rules"), req.params, position)
    return json_response(200, msgspec.structs.replace(page, next_link=link))


@bp.answers
async def list_exceptions(req: func.HttpRequest) -> func.HttpResponse:
    from entra_sod.services.rules.exceptions import ExceptionQuery

    reader = QueryReader(dict(req.params), ("state", "rule", *PAGE_PARAMETERS))
    states = reader.choices("state", [str(each) for each in ExceptionState])
    rule, page = reader.text("rule", maximum=MAX_RULE_ID_LENGTH), reader.page(2)
    reader.finish()
    after = (page.after[0], page.after[1]) if page.after else None
    query = ExceptionQuery(states=states, rule=rule, limit=page.limit, after=after)
    view, position = await bootstrap.app.engine.exceptions.page(query)
    link = next_link(own_url(req, "exceptions"), req.params, position)
    return json_response(200, msgspec.structs.replace(view, next_link=link))
