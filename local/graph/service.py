"""One request from its arrival to its answer: log, faults, identity, throttle, handler."""

import asyncio
from datetime import UTC, datetime
from email.utils import formatdate
from http import HTTPStatus
from uuid import uuid4

from local.graph import batch
from local.graph.call import Call
from local.graph.errors import GraphError, error_body, not_found, unlicensed
from local.graph.exchange import JSON_TYPE, Answer, GraphRequest
from local.graph.faults import Fault
from local.graph.paging import with_scheme
from local.graph.routing import resolve
from local.graph.simulator import Simulator
from local.graph.unreadable import refuse_unreadable


async def serve(
    simulator: Simulator, request: GraphRequest, *, within: int | None = None
) -> Answer:
    """The answer to a request; `within` is the number of the batch that carries it."""
    entry = simulator.log.start(
        request, token=simulator.token_of(request), time=simulator.clock(), batch=within
    )
    fault = simulator.faults.take(request)
    entry.fault = fault.kind if fault else None
    await asyncio.sleep(simulator.behaviour.latency_ms / 1000)
    answer = await _faulty(simulator, request, fault, number=entry.number)
    _complete(simulator, request, answer)
    entry.status = 0 if answer.transport == "drop" else answer.status
    entry.duration_seconds = round(simulator.clock() - entry.time, 6)
    return answer


async def _faulty(
    simulator: Simulator, request: GraphRequest, fault: Fault | None, *, number: int
) -> Answer:
    if fault is None:
        return await _answer(simulator, request, number)
    match fault.kind:
        case "status":
            return _failed(simulator, request, fault.refusal())
        case "drop-connection":
            return Answer(transport="drop")
        case "garbage":
            page = b"<html><body>The service is unavailable.</body></html>"
            return Answer(status=fault.status, body=page, headers={"Content-Type": "text/html"})
        case "delay":
            await asyncio.sleep(fault.seconds)
            return await _answer(simulator, request, number)
        case "truncate-json" | "cut-connection" | "apply-then-status" | "apply-then-drop":
            return _spoiled(
                simulator, request, fault, whole=await _answer(simulator, request, number)
            )


def _spoiled(simulator: Simulator, request: GraphRequest, fault: Fault, *, whole: Answer) -> Answer:
    """What is left of an answer whose request has been carried out."""
    content = whole.content()
    match fault.kind:
        case "apply-then-status":
            return _failed(simulator, request, fault.refusal())
        case "apply-then-drop":
            return Answer(transport="drop")
        case "cut-connection":
            whole.transport = "cut"
        case _:
            whole.body = content[: len(content) // 2]
    return whole


async def _answer(simulator: Simulator, request: GraphRequest, number: int) -> Answer:
    try:
        if request.segments == ("$batch",):
            simulator.authenticate(request)
            return await batch.answer_batch(simulator, request, number=number, serve=serve)
        return _handled(simulator, request)
    except GraphError as error:
        return _failed(simulator, request, error)


def _handled(simulator: Simulator, request: GraphRequest) -> Answer:
    if not request.path.startswith("/v1.0/"):
        raise not_found("Invalid version.")
    identity = simulator.authenticate(request)
    behaviour = simulator.behaviour
    if refusal := simulator.throttling.refusal(behaviour.throttle, now=simulator.clock()):
        raise refusal
    if behaviour.redirect_to is not None and _is_redirected(simulator, request):
        location = with_scheme(behaviour.redirect_to) + request.target
        return Answer(status=302, headers={"Location": location})
    if not behaviour.licensed and "entitlementManagement" in request.segments:
        raise unlicensed()
    refuse_unreadable(simulator, request)
    handler, ids = resolve(request.method, request.segments)
    grants = simulator.grants_of(identity)
    call = Call(simulator=simulator, identity=identity, grants=grants, request=request, ids=ids)
    return handler(call)


def _is_redirected(simulator: Simulator, request: GraphRequest) -> bool:
    return request.method == "GET" and request.path.startswith(simulator.behaviour.redirect_path)


def _failed(simulator: Simulator, request: GraphRequest, error: GraphError) -> Answer:
    request_id = str(uuid4())
    client_request_id = request.headers.get("client-request-id", request_id)
    body = error_body(
        error,
        request_id=request_id,
        client_request_id=client_request_id,
        date=datetime.fromtimestamp(simulator.clock(), UTC),
    )
    return Answer(
        status=error.status, body=body, headers={**error.headers, "request-id": request_id}
    )


def _complete(simulator: Simulator, request: GraphRequest, answer: Answer) -> None:
    """The headers that Graph puts on every answer."""
    request_id = answer.headers.get("request-id", str(uuid4()))
    headers = {
        "request-id": request_id,
        "client-request-id": request.headers.get("client-request-id", request_id),
        "Date": formatdate(simulator.clock(), usegmt=True),
        "Cache-Control": "no-cache",
        "x-ms-ags-diagnostic": '{"ServerInfo":{"DataCenter":"Local","Ring":"0"}}',
    }
    if answer.body is not None:
        is_error = answer.status >= HTTPStatus.BAD_REQUEST
        headers["Content-Type"] = "application/json" if is_error else JSON_TYPE
    answer.headers = headers | answer.headers
