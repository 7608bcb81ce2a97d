"""`GET /api/selections` and `POST /api/selections/approve`: what rules select, and its approval."""

from __future__ import annotations

from collections.abc import Sequence

import azure.functions as func

from entra_sod import bootstrap
from entra_sod.api.queries import MAX_RULE_ID_LENGTH, QueryReader
from entra_sod.api.selections import ApprovalRequest, ApprovalResult, ApprovedSelectionView
from entra_sod.core.errors import FieldError, GraphError, InvalidRequest
from entra_sod.core.validation import read_as
from entra_sod.domain.callers.caller import Caller
from functions.http.guard import GuardedBlueprint
from functions.http.responses import HttpProblem, graph_problem, json_response, read_json

bp = GuardedBlueprint()
_LOOK = "Read GET /api/selections again, and approve what it shows then."
_AGAIN = f"Nothing was approved. {_LOOK}"
_RETRY_SECONDS = 60


@bp.answers
async def list_selections(req: func.HttpRequest) -> func.HttpResponse:
    reader = QueryReader(dict(req.params), ("rule",))
    rule = reader.text("rule", maximum=MAX_RULE_ID_LENGTH)
    reader.finish()
    try:
        return json_response(200, await bootstrap.app.engine.selections.listed(rule))
    except GraphError as error:
        raise graph_problem(error, "What rules select now is not known; ask again.") from error


@bp.answers_caller
async def approve_selections(req: func.HttpRequest, caller: Caller) -> func.HttpResponse:
    from entra_sod.services.rules.approvals import (
        ListNotWhole,
        NothingRemembered,
        SelectionChanged,
        ShownSelection,
        UnknownRule,
    )

    request = read_as(ApprovalRequest, read_json(req))
    _require_each_once(request)
    shown = [ShownSelection(each.id, each.selection) for each in request.rules]
    try:
        approved = await bootstrap.app.engine.selections.approve(shown, caller.name)
    except SelectionChanged as error:
        raise _changed(error.places, error.approved) from error
    except UnknownRule as error:
        raise HttpProblem(404, "unknown-rule", "No such rule", f"{error} {_AGAIN}") from error
    except NothingRemembered as error:
        title = "No selection is remembered"
        raise HttpProblem(409, "nothing-remembered", title, str(error)) from error
    except ListNotWhole as error:
        title = "The list of packages is not whole"
        raise HttpProblem(
            503, "list-incomplete", title, str(error), retry_after=_RETRY_SECONDS
        ) from error
    except GraphError as error:
        raise graph_problem(error, "Nothing was approved; ask again.") from error
    views = [
        ApprovedSelectionView(
            id=each.rule,
            selection=each.selection,
            reviewed_at=each.reviewed_at,
            reviewed_by=each.reviewed_by,
        )
        for each in approved
    ]
    return json_response(200, ApprovalResult(approved=views))


def _require_each_once(request: ApprovalRequest) -> None:
    ids = [each.id for each in request.rules]
    errors = [
        FieldError(pointer=f"/rules/{at}/id", detail="is given twice")
        for at, each in enumerate(ids)
        if each in ids[:at]
    ]
    if errors:
        raise InvalidRequest(errors)


def _changed(places: Sequence[int], approved: Sequence[str]) -> HttpProblem:
    errors = [
        FieldError(pointer=f"/rules/{at}/selection", detail="is not what the rule selects now")
        for at in places
    ]
    title = "Rules select something else now"
    done = f"Approved, before another run changed the next rule: {', '.join(approved)}. {_LOOK}"
    text = done if approved else _AGAIN
    return HttpProblem(409, "selection-changed", title, text, errors=errors)
