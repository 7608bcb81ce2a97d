"""Faults: answers that a test orders in advance, used up in their order."""

from typing import Literal

import msgspec

from local.graph.errors import ErrorName, GraphError, named_error
from local.graph.exchange import GraphRequest

FaultKind = Literal[
    "status",
    "drop-connection",
    "truncate-json",
    "cut-connection",
    "apply-then-status",
    "apply-then-drop",
    "delay",
    "garbage",
]


class Match(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    method: str | None = None
    # a part of the path and query as they came over the wire
    path_contains: str | None = None

    def accepts(self, request: GraphRequest) -> bool:
        method_fits = self.method is None or self.method.upper() == request.method
        return method_fits and (self.path_contains is None or self.path_contains in request.target)


class Fault(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    kind: FaultKind
    match: Match = Match()
    # matching requests that pass unharmed first, and then how many are hit
    skip: int = 0
    times: int = 1
    status: int = 503
    # in place of the status: Graph's own answer to this case
    error: ErrorName | None = None
    # the Retry-After header, as it is
    retry_after: str | int | None = None
    # for delay
    seconds: float = 0.0

    @property
    def headers(self) -> dict[str, str]:
        return {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}

    def refusal(self) -> GraphError:
        if self.error is None:
            return GraphError(self.status, "ServiceError", "As ordered.", headers=self.headers)
        refusal = named_error(self.error)
        refusal.headers |= self.headers
        return refusal


class Faults:
    def __init__(self) -> None:
        self.ordered: list[Fault] = []

    def take(self, request: GraphRequest) -> Fault | None:
        """The first fault that is due for this request, used up by one."""
        for fault in self.ordered:
            if fault.times <= 0 or not fault.match.accepts(request):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            fault.times -= 1
            return fault
        return None
