"""What stands between a caller and the app: it forwards, and has bad moments when told to.

As Azure's front end does, it keeps the Host that was asked for; while the app is away, it says 502.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal, cast

import httpx

_OWN = {"host", "connection", "content-length", "transfer-encoding", "accept-encoding"}


@dataclass(frozen=True)
class BadMoment:
    """The next request gets this status: `instead` of the app's work, or `after` it."""

    status: int
    when: Literal["instead", "after"] = "instead"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Seen:
    """One request, and the status that its sender got."""

    method: str
    target: str
    headers: Mapping[str, str]
    status: int


class FrontEnd(ThreadingHTTPServer):
    """Forwards to `app`, which may be another one from one request to the next."""

    daemon_threads = True

    def __init__(self, app: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.app, self.seen = app, list[Seen]()
        self.bad_moments: list[BadMoment] = []

    def forward(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> httpx.Response:
        moment = self.bad_moments.pop(0) if self.bad_moments else None
        bad = moment and httpx.Response(moment.status, headers=moment.headers)
        if bad and moment and moment.when == "instead":
            return bad
        passed = {name: value for name, value in headers.items() if name not in _OWN}
        passed |= {"host": self.url.removeprefix("http://")}
        try:
            answer = httpx.request(
                method, self.app + target, headers=passed, content=body, timeout=30, trust_env=False
            )
        except httpx.TransportError:
            return httpx.Response(httpx.codes.BAD_GATEWAY)
        return bad or answer


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._forward()

    def do_POST(self) -> None:
        self._forward()

    def _forward(self) -> None:
        front = cast("FrontEnd", self.server)
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = front.forward(self.command, self.path, headers, body)
        front.seen.append(Seen(self.command, self.path, headers, answer.status_code))
        self.send_response(answer.status_code)
        for name, value in answer.headers.items():
            if name not in _OWN | {"date", "server", "content-encoding"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002, ARG002 - the base class's names
        return


@contextmanager
def front_end(app: str) -> Iterator[FrontEnd]:
    with FrontEnd(app) as front:
        threading.Thread(target=front.serve_forever, daemon=True).start()
        yield front
        front.shutdown()
