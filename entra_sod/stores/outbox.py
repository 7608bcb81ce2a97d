"""Messages on their way: dated when they are first sent, and put on the queue of their kind."""

from __future__ import annotations

import msgspec

from entra_sod.core.clock import Clock, timestamp
from entra_sod.domain.messages import POISON_SUFFIX, Message, encode
from entra_sod.ports.storage import Queues


class Outbox:
    def __init__(self, queues: Queues, clock: Clock) -> None:
        self._queues, self._clock = queues, clock

    async def send(self, message: Message, *, delay_seconds: float = 0) -> None:
        """Send a message; one that is sent again keeps the moment of its first time."""
        if not message.enqueued_at:
            now = timestamp(self._clock.now())
            message = msgspec.structs.replace(message, enqueued_at=now)
        await self._queues.send(message.queue, encode(message), delay_seconds=delay_seconds)

    async def give_up(self, message: Message, reason: str) -> None:
        """Put a message on its poison queue, with the reason."""
        dead = msgspec.structs.replace(message, reason=reason)
        await self._queues.send(message.queue + POISON_SUFFIX, encode(dead))
