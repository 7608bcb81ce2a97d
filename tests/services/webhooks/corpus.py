"""The corpus of forged webhooks, and the genuine ones that they were made from.

Its clock stands at 2026-01-01, where that of the app in memory starts.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import azure.functions as func
import msgspec

from tests.services.webhooks.sender import send


class Sent(msgspec.Struct, frozen=True):
    """One webhook as it came."""

    source: str
    what: str
    headers: dict[str, str]
    body: str

    async def send(self) -> func.HttpResponse:
        is_event = '"specversion"' in self.body
        media_type = "application/cloudevents+json" if is_event else "application/json"
        headers = {"Content-Type": media_type, **self.headers}
        return await send(self.source, self.body.encode(), headers)


class Corpus(msgspec.Struct, frozen=True):
    """Requests, and the sources and secrets that they are held against."""

    settings: dict[str, str]
    webhooks: dict[str, object]
    genuine: list[Sent]
    forged: list[Sent]

    @property
    def environment(self) -> Mapping[str, str]:
        return {**self.settings, "WEBHOOKS": msgspec.json.encode(self.webhooks).decode()}


CORPUS = msgspec.json.decode((Path(__file__).parent / "signatures.json").read_bytes(), type=Corpus)
