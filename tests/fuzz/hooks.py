"""What schemathesis is told of this app: loaded by its program, in a process of its own."""

from __future__ import annotations

import os
from typing import Any

import schemathesis
from hypothesis import strategies as st

from tests.fuzz.run import RECEIVER

# One that is called, and some of those that must not be.
_ADDRESSES = (
    f"http://{os.environ.get(RECEIVER, 'localhost')}/told",
    "https://169.254.169.254/latest/meta-data",
    "https://user@example.com/",
    "http://[::1]:7071/admin/host/status",
    "file:///etc/passwd",
)
schemathesis.openapi.format("uri", st.sampled_from(_ADDRESSES))


@schemathesis.hook
def before_call(_context: object, case: Any, _kwargs: object) -> None:
    """Nobody waits, no doctor comes, and nobody makes up tokens.

    Behind thousands of queued checks each would hold the line to its end, and what is being fuzzed
    is not well: it says so with 503, as it should. A token is App Service's to judge, which does
    not stand before the local host, so the app passes it over.
    """
    if case.headers:
        case.headers.pop("Authorization", None)
    query = case.query or {}
    if str(query.get("deep", "")) == "1":
        query["deep"] = 0
    if str(query.get("wait", "")).isdigit() and 0 < int(query["wait"]) <= 20:
        query["wait"] = 0
