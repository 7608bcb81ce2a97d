"""Messages that could not be worked on, kept whole with the reason, so that nothing is lost."""

from __future__ import annotations

import base64
import logging

import msgspec

from entra_sod.core.clock import Clock, timestamp
from entra_sod.ports.storage import Blobs

log = logging.getLogger("entra_sod")

CONTAINER = "poison"


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One message as it came; `body` is base64 of its bytes, for it may be anything."""

    queue: str
    message_id: str
    reason: str
    body: str
    at: str


class DeadLetters:
    def __init__(self, blobs: Blobs, clock: Clock) -> None:
        self._blobs, self._clock = blobs, clock

    async def store(self, *, queue: str, message_id: str, body: bytes, reason: str) -> None:
        """Keep a message; keeping it twice keeps it once."""
        dead_letter = DeadLetter(
            queue=queue,
            message_id=message_id,
            reason=reason,
            body=base64.b64encode(body).decode(),
            at=timestamp(self._clock.now()),
        )
        await self._blobs.put(
            CONTAINER, f"{queue}/{message_id}.json", msgspec.json.encode(dead_letter)
        )
        log.error(
            "message %s of %s is kept as poison: %s",
            message_id,
            queue,
            reason,
            extra={"action": "message_poisoned", "queue": queue, "message_id": message_id},
        )
