"""How an answer leaves, or fails to: broken connections are nothing that ASGI has words for."""

import asyncio
from http import HTTPStatus
from typing import Any

from starlette.types import Scope, Send

from local.graph.exchange import Answer

# scope key under which the application keeps the server's own `send`
RAW_SEND = "entra_sod.send"


async def deliver(answer: Answer, scope: Scope, send: Send) -> None:
    transport = _server_transport(scope)
    if answer.transport == "drop":
        await _drop(transport)
        return
    content = answer.content()
    await send(
        {"type": "http.response.start", "status": answer.status, "headers": _headers(answer)}
    )
    if answer.transport == "cut":
        await send(
            {
                "type": "http.response.body",
                "body": content[: len(content) // 2],
                "more_body": transport is not None,
            }
        )
        _close(transport)
        return
    await send({"type": "http.response.body", "body": content})


def _server_transport(scope: Scope) -> asyncio.Transport | None:
    """The socket below uvicorn's `send`; None when the application is called in-process."""
    # uvicorn gives applications no way to hang up, but the method it hands them knows one.
    cycle = getattr(scope.get(RAW_SEND), "__self__", None)
    transport: Any = getattr(cycle, "transport", None)
    return transport if isinstance(transport, asyncio.Transport) else None


async def _drop(transport: asyncio.Transport | None) -> None:
    if transport is None:
        raise ConnectionResetError("The connection was dropped, as ordered.")
    transport.abort()
    # Lets uvicorn notice, so that it does not answer in our place.
    await asyncio.sleep(0)


def _close(transport: asyncio.Transport | None) -> None:
    if transport is not None:
        transport.close()


def _headers(answer: Answer) -> list[tuple[bytes, bytes]]:
    headers = [(name.encode(), value.encode()) for name, value in answer.headers.items()]
    if answer.status == HTTPStatus.NO_CONTENT:
        return headers
    return [*headers, (b"Content-Length", str(len(answer.content())).encode())]
