"""A request to Graph and its answer, as values."""

from typing import Literal
from urllib.parse import unquote

import msgspec

JSON_TYPE = (
    "application/json;odata.metadata=minimal;odata.streaming=true;"
    "IEEE754Compatible=false;charset=utf-8"
)


class GraphRequest(msgspec.Struct, frozen=True, kw_only=True):
    method: str
    # path and query exactly as they came over the wire
    target: str
    # names in lower case
    headers: dict[str, str]
    body: bytes = b""

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    @property
    def segments(self) -> tuple[str, ...]:
        """The path below the version, each segment decoded exactly once."""
        below = self.path.removeprefix("/v1.0/")
        # msgraph-sdk's request adapter sends /v1.0//identityGovernance, and Graph takes it.
        return tuple(unquote(segment) for segment in below.removeprefix("/").split("/"))


class Answer(msgspec.Struct, kw_only=True):
    status: int = 200
    # something that becomes JSON, raw bytes, or nothing
    body: object = None
    headers: dict[str, str] = {}
    # how it leaves: as it is, not at all, or with the connection cut in the middle of the body
    transport: Literal["whole", "drop", "cut"] = "whole"

    def content(self) -> bytes:
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else msgspec.json.encode(self.body)
