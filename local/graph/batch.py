"""$batch: up to twenty requests in one, each answered by itself, in no promised order."""

from http import HTTPStatus
from typing import Protocol
from urllib.parse import urlsplit

import msgspec

from local.graph.errors import bad_request, method_not_allowed
from local.graph.exchange import Answer, GraphRequest
from local.graph.simulator import Simulator

MAXIMUM = 20


class InnerRequest(msgspec.Struct, kw_only=True, rename="camel", forbid_unknown_fields=True):
    id: str
    method: str
    url: str
    headers: dict[str, str] = {}
    # empty where there is none
    body: msgspec.Raw = msgspec.Raw()
    depends_on: list[str] = []


class BatchBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    requests: list[InnerRequest]


class Serve(Protocol):
    async def __call__(
        self, simulator: Simulator, request: GraphRequest, *, within: int | None = None
    ) -> Answer: ...


async def answer_batch(
    simulator: Simulator, request: GraphRequest, *, number: int, serve: Serve
) -> Answer:
    if request.method != "POST":
        raise method_not_allowed()
    responses: dict[str, dict[str, object]] = {}
    for inner in _inner_requests(request):
        failed = [
            name for name in inner.depends_on if _status(responses, name) >= HTTPStatus.BAD_REQUEST
        ]
        if failed:
            responses[inner.id] = _dependency_failed(inner)
            continue
        answer = await serve(simulator, _as_request(inner, request), within=number)
        responses[inner.id] = _response(inner, answer)
    # Graph promises no order, so that no caller may count on the order of the requests.
    return Answer(body={"responses": list(reversed(responses.values()))})


def _inner_requests(request: GraphRequest) -> list[InnerRequest]:
    try:
        inner = msgspec.json.decode(request.body, type=BatchBody).requests
    except msgspec.DecodeError as error:
        raise bad_request(f"Invalid batch payload format. {error}") from error
    if not 1 <= len(inner) <= MAXIMUM:
        raise bad_request(f"A batch holds 1 to {MAXIMUM} requests, not {len(inner)}.")
    if len({one.id.lower() for one in inner}) != len(inner):
        raise bad_request("Request ids of a batch must be unique.")
    for position, one in enumerate(inner):
        _refuse_unsuitable(one, before={earlier.id for earlier in inner[:position]})
    return inner


def _refuse_unsuitable(inner: InnerRequest, *, before: set[str]) -> None:
    address = urlsplit(inner.url)
    if address.scheme or address.netloc or not inner.url.startswith("/"):
        raise bad_request(f"The url '{inner.url}' of request '{inner.id}' is not root-relative.")
    if inner.url.startswith(("/v1.0", "/beta")):
        raise bad_request(f"The url of request '{inner.id}' must not name the version.")
    if bytes(inner.body) and "content-type" not in {name.lower() for name in inner.headers}:
        raise bad_request(f"Request '{inner.id}' has a body and no Content-Type.")
    if not before.issuperset(inner.depends_on):
        raise bad_request(f"Request '{inner.id}' depends on one that does not come before it.")


def _as_request(inner: InnerRequest, outer: GraphRequest) -> GraphRequest:
    headers = {name.lower(): value for name, value in inner.headers.items()}
    if "authorization" in outer.headers:
        headers.setdefault("authorization", outer.headers["authorization"])
    return GraphRequest(
        method=inner.method.upper(),
        target=f"/v1.0{inner.url}",
        headers=headers,
        body=bytes(inner.body),
    )


def _response(inner: InnerRequest, answer: Answer) -> dict[str, object]:
    if answer.transport != "whole":
        # A connection that breaks behind the gateway reaches the caller as its 504.
        return {"id": inner.id, "status": HTTPStatus.GATEWAY_TIMEOUT, "headers": {}, "body": None}
    response = {"id": inner.id, "status": answer.status, "headers": answer.headers}
    if answer.body is None:
        return response
    is_text = isinstance(answer.body, bytes)
    return response | {"body": answer.content().decode() if is_text else answer.body}


def _status(responses: dict[str, dict[str, object]], name: str) -> int:
    return int(str(responses[name]["status"]))


def _dependency_failed(inner: InnerRequest) -> dict[str, object]:
    error = {"code": "FailedDependency", "message": "A request that it depends on failed."}
    return {
        "id": inner.id,
        "status": HTTPStatus.FAILED_DEPENDENCY,
        "headers": {"Content-Type": "application/json"},
        "body": {"error": error},
    }
