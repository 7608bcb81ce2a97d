"""What was asked of Graph, and what it answered."""

from typing import Literal

import msgspec

from local.graph.exchange import GraphRequest

RequestKind = Literal["alone", "batch", "inside"]


class LoggedRequest(msgspec.Struct, kw_only=True):
    number: int
    method: str
    # path and query exactly as received
    target: str
    # without Authorization
    headers: dict[str, str]
    # none, invalid, or the client id that the token was issued for
    token: str
    body: str
    # seconds since the epoch
    time: float
    # None while it runs, 0 where no answer was sent
    status: int | None = None
    duration_seconds: float | None = None
    # the kind of fault that hit it
    fault: str | None = None
    # number of the $batch that carried it
    batch: int | None = None


class RequestLog:
    def __init__(self) -> None:
        self.requests: list[LoggedRequest] = []
        self._next_number = 1

    def start(
        self, request: GraphRequest, *, token: str, time: float, batch: int | None
    ) -> LoggedRequest:
        headers = {
            name: value for name, value in request.headers.items() if name != "authorization"
        }
        entry = LoggedRequest(
            number=self._next_number,
            method=request.method,
            target=request.target,
            headers=headers,
            token=token,
            body=request.body.decode(errors="replace"),
            time=time,
            batch=batch,
        )
        self._next_number += 1
        self.requests.append(entry)
        return entry

    def timeline(self) -> list[tuple[float, int | None, RequestKind]]:
        """When each request came, what became of it, and whether throttling counts it.

        A `batch` is one round trip that throttling does not count; those `inside` it are counted.
        """
        return [(each.time, each.status, _kind(each)) for each in self.requests]

    def clear(self) -> None:
        self.requests.clear()


def _kind(request: LoggedRequest) -> RequestKind:
    if request.batch is not None:
        return "inside"
    return "batch" if request.target.endswith("/$batch") else "alone"
