"""HTTP triggers: request to invocation, reply to response."""

from http import HTTPStatus
from typing import cast

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from local.host.admin import Admin
from local.host.cookies import set_cookie
from local.host.invocations import Invocation, Invocations
from local.host.keys import Keys
from local.host.protos import Message, TypedData
from local.host.routes import Match, Routes
from local.host.worker import Reply

# The real host's limit of a request body.
MAX_BODY_LENGTH = 100 * 1024 * 1024

_TEXT = "text/plain; charset=utf-8"

# The server writes these itself, from the body that it really sends.
_HOP_BY_HOP = frozenset({"content-length", "transfer-encoding", "connection"})


class TooLongError(Exception):
    """The body of a request is over the limit."""


class HttpTriggers:
    """The web application of the host: functions by their routes, and the admin paths."""

    def __init__(
        self, routes: Routes, invocations: Invocations, admin: Admin, keys: Keys | None
    ) -> None:
        self._routes = routes
        self._invocations = invocations
        self._admin = admin
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        response = await self._answer(request)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        path = raw_path(request)
        try:
            if path.strip("/").split("/")[0] == "admin":
                return await self._administer(request, path)
            match = self._routes.find(request.method, path)
            if match is None:
                return Response(status_code=HTTPStatus.NOT_FOUND)
            return await self._call(request, match)
        except ClientDisconnect:
            return Response(status_code=HTTPStatus.BAD_REQUEST)
        except TooLongError:
            return Response(status_code=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)

    async def _administer(self, request: Request, path: str) -> Response:
        if not self._opens(request, "admin"):
            return Response(status_code=HTTPStatus.UNAUTHORIZED)
        return await self._admin.answer(request.method, path, await read_body(request))

    async def _call(self, request: Request, match: Match) -> Response:
        if not self._opens(request, match.route.trigger.auth_level):
            return Response(status_code=HTTPStatus.UNAUTHORIZED)
        invocation = Invocation(
            reason=f"{request.method} {request.url.path}",
            data=to_rpc(request, match.parameters, await read_body(request)),
            trace_parent=request.headers.get("traceparent", ""),
            trace_state=request.headers.get("tracestate", ""),
        )
        return to_response(await self._invocations.run(match.route.function, invocation))

    def _opens(self, request: Request, level: str) -> bool:
        if self._keys is None:
            return True
        key = request.headers.get("x-functions-key") or request.query_params.get("code", "")
        return self._keys.open(level, key)


def raw_path(request: Request) -> str:
    """The path as it was sent: an escaped slash is no slash yet."""
    return cast("bytes", request.scope.get("raw_path") or request.scope["path"].encode()).decode(
        "latin-1"
    )


async def read_body(request: Request) -> bytes:
    """The whole body; raises TooLongError past the limit."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_LENGTH:
            raise TooLongError
    return bytes(body)


def to_rpc(request: Request, parameters: dict[str, str], body: bytes) -> TypedData:
    """The request as the worker wants it: repeated headers and query values joined by commas."""
    query = f"?{request.url.query}" if request.url.query else ""
    host = request.headers.get("host", "localhost")
    return TypedData(
        http=Message(
            method=request.method,
            url=f"{request.url.scheme}://{host}{raw_path(request)}{query}",
            headers=_joined(request.headers.items()),
            query=_joined(request.query_params.multi_items()),
            params=parameters,
            body=TypedData(bytes=body),
        )
    )


def to_response(reply: Reply) -> Response:
    """What the caller gets; the error of a function stays in the log."""
    if reply.error is not None or reply.returned is None:
        return Response(status_code=HTTPStatus.INTERNAL_SERVER_ERROR)
    if reply.returned.kind != "http":
        return Response(str(reply.returned.value), headers={"content-type": _TEXT})
    http = reply.returned.http
    response = Response(_body(http.body), status_code=int(http.status_code))
    for name, value in http.headers.items():
        if name.lower() not in _HOP_BY_HOP:
            response.headers[name] = value
    for cookie in http.cookies or []:
        response.headers.append("set-cookie", set_cookie(cookie))
    return response


def _body(data: TypedData | None) -> bytes:
    if data is None:
        return b""
    return data.value if isinstance(data.value, bytes) else str(data.value).encode()


def _joined(pairs: list[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined
