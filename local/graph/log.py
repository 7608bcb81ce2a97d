"""What was asked of Graph, and what it answered."""

import msgspec

from local.graph.exchange import GraphRequest


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

    def clear(self) -> None:
        self.requests.clear()
