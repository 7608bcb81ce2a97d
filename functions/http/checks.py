"""`POST /api/checks` and `GET /api/checks/{id}`: ask, and fetch the answer."""

from __future__ import annotations

import re
from uuid import UUID

import azure.functions as func
import msgspec

from entra_sod import bootstrap
from entra_sod.api.responses import CheckAccepted
from entra_sod.core.errors import FieldError, InvalidRequest
from entra_sod.domain.callers.caller import Caller, cap_enforcement
from entra_sod.domain.results.status import CheckStatus
from entra_sod.services.checks.request import CheckRequest, parse_check_request
from entra_sod.services.checks.start import MAX_WAIT_SECONDS, wait_for_end
from entra_sod.services.notifications.subscribe import require_callable
from entra_sod.stores.checks import CheckRecord
from entra_sod.stores.idempotency import MAX_KEY_LENGTH, IdempotencyKey, RequestSource
from functions.http.guard import GuardedBlueprint
from functions.http.responses import (
    HttpProblem,
    json_response,
    own_root,
    own_url,
    read_json,
    traceparent,
)

bp = GuardedBlueprint()

POLL_SECONDS = 5
# The first that is there counts. ServiceNow's flows send it with an X-.
KEY_HEADERS = ("Idempotency-Key", "X-Idempotency-Key")


@bp.answers_caller
async def start_check(req: func.HttpRequest, caller: Caller) -> func.HttpResponse:
    request = _within_reach(caller, parse_check_request(read_json(req)))
    key, seconds = _idempotency_key(req, caller), _wait(req)
    if request.callback_url is not None:
        require_callable(request.callback_url, bootstrap.app.delivery.hosts)
    records = bootstrap.app.records
    check_id = await records.check_starter.start(
        request, idempotency_key=key, traceparent=traceparent(req), app=own_root(req)
    )
    ended = await wait_for_end(records.checks, records.clock, check_id, seconds)
    return await _result(ended) if ended else accepted(req, check_id, CheckStatus.QUEUED)


@bp.answers
async def get_check(req: func.HttpRequest) -> func.HttpResponse:
    records = bootstrap.app.records
    record = await records.checks.get(_check_id(req))
    if record is None:
        raise _unknown()
    if record.is_expired(records.clock.now()):
        raise _gone()
    if not record.status.has_ended:
        return accepted(req, record.id, record.status, record.note)
    return await _result(record)


async def _result(record: CheckRecord) -> func.HttpResponse:
    result = await bootstrap.app.records.checks.result(record)
    if result is None:
        raise _gone()
    return json_response(200, result)


def accepted(
    req: func.HttpRequest, check_id: str, status: CheckStatus, note: str = ""
) -> func.HttpResponse:
    """202 with what a poller needs; the same at every asking, until the check has ended."""
    location = own_url(req, f"checks/{check_id}")
    body = CheckAccepted(id=check_id, status=status, self_=location, note=note or None)
    return json_response(202, body, {"Location": location, "Retry-After": str(POLL_SECONDS)})


def _within_reach(caller: Caller, request: CheckRequest) -> CheckRequest:
    reach = cap_enforcement(request.enforcement, caller)
    return msgspec.structs.replace(request, enforcement=reach)


def _check_id(req: func.HttpRequest) -> str:
    try:
        return str(UUID(req.route_params["id"]))
    except ValueError:
        raise _unknown() from None


def _idempotency_key(req: func.HttpRequest, caller: Caller) -> IdempotencyKey | None:
    keys = {name: req.headers.get(name) or "" for name in KEY_HEADERS}
    errors = [
        FieldError(
            pointer="",
            detail=f"the {name} has {len(key)} characters, at most {MAX_KEY_LENGTH} are taken",
        )
        for name, key in keys.items()
        if len(key) > MAX_KEY_LENGTH
    ]
    if errors:
        raise InvalidRequest(errors)
    text = next((key for key in keys.values() if key), None)
    return (
        IdempotencyKey(entry=RequestSource.CALLER, holder=caller.name, text=text) if text else None
    )


def _wait(req: func.HttpRequest) -> int:
    text = req.params.get("wait", "0")
    if not re.fullmatch("[0-9]{1,3}", text) or int(text) > MAX_WAIT_SECONDS:
        detail = f"wait must be a whole number of seconds from 0 to {MAX_WAIT_SECONDS}"
        raise InvalidRequest([FieldError(pointer="", detail=detail)])
    return int(text)


def _unknown() -> HttpProblem:
    detail = "There is no check with this id. Use the Location that POST /api/checks answered with."
    return HttpProblem(404, "unknown-check", "No such check", detail)


def _gone() -> HttpProblem:
    detail = "Results are kept for 30 days. Ask again with POST /api/checks."
    return HttpProblem(410, "expired-check", "The check's result is no longer kept", detail)
