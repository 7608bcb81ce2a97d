"""A web server on loopback that keeps all it receives, and answers as it was told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Self


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came over the wire; header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    hangs_up: bool = False


class RecordingServer:
    """Gives its answers in their order, the last one again and again; without any, 404.

    Attributes:
        received: every request, in order.
    """

    def __init__(self) -> None:
        self.received: list[Received] = []
        self._answers: list[Answer] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.root = f"http://127.0.0.1:{self.port}"
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._server.close()
        await self._server.wait_closed()

    def will_answer(self, body: object = None, status: int = 200, **headers: str) -> None:
        """Answer once with JSON, or with bytes as they are; `retry_after` means Retry-After."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._answers.append(Answer(status, content if body is not None else b"", named))

    def answers_only(self, body: object) -> None:
        """Forget the answers so far, and give this one to everybody."""
        self._answers.clear()
        self.will_answer(body)

    def will_hang_up(self) -> None:
        self._answers.append(Answer(hangs_up=True))

    def targets(self) -> list[str]:
        return [request.target for request in self.received]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.received.append(await _read(reader))
            answer = self._next_answer()
            if not answer.hangs_up:
                writer.write(_as_bytes(answer))
                await writer.drain()
        except asyncio.IncompleteReadError:
            return
        finally:
            writer.close()

    def _next_answer(self) -> Answer:
        if not self._answers:
            return Answer(404)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


async def _read(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    request_line, *lines = head.rstrip("\r\n").split("\r\n")
    method, target, _ = request_line.split(" ", 2)
    pairs = (line.partition(":") for line in lines)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(method, target, headers, body)


def _as_bytes(answer: Answer) -> bytes:
    headers = {"Content-Type": "application/json", "Connection": "close"} | dict(answer.headers)
    if answer.status != HTTPStatus.NO_CONTENT:
        headers["Content-Length"] = str(len(answer.body))
    lines = [f"{name}: {value}" for name, value in headers.items()]
    phrase = HTTPStatus(answer.status).phrase
    head = "\r\n".join([f"HTTP/1.1 {answer.status} {phrase}", *lines, "", ""])
    return head.encode("latin-1") + answer.body
