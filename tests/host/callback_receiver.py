"""A receiver of callbacks in a thread of its own, as a caller's own service would be one."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast


@dataclass(frozen=True)
class Received:
    """One POST: its target, its headers by their lower-case names, its bytes."""

    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def content(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.body)
        return content


class CallbackReceiver(ThreadingHTTPServer):
    """Answers with one status after the other, and 200 after them."""

    daemon_threads = True

    def __init__(self, *statuses: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.host = f"127.0.0.1:{self.server_port}"
        self.received: list[Received] = []
        self._statuses, self._lock = list(statuses), threading.Lock()

    def take(self, post: Received) -> int:
        with self._lock:
            self.received.append(post)
            return self._statuses.pop(0) if self._statuses else 200

    def wait_for(self, count: int, seconds: float = 60) -> list[Received]:
        """Wait until so many POSTs have come."""
        deadline = time.monotonic() + seconds
        while len(self.received) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(self.received)} of {count} callbacks came")
            time.sleep(0.05)
        return list(self.received)


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        subscription = cast("CallbackReceiver", self.server)
        status = subscription.take(Received(self.path, headers, body))
        self.send_response(status)
        if status == 503:
            self.send_header("Retry-After", "1")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002, ARG002 - the base class's names
        return


@contextmanager
def receiving_callbacks(*statuses: int) -> Iterator[CallbackReceiver]:
    with CallbackReceiver(*statuses) as subscription:
        threading.Thread(target=subscription.serve_forever, daemon=True).start()
        yield subscription
        subscription.shutdown()
