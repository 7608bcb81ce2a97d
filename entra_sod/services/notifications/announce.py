"""Announcing an end: one message for each receiver, which carries no address and no result.

Called while the message that did the work is still on its queue. Whoever dies before that message
is gone does it again, so an announcement is made at least once, and never lost.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import msgspec

from entra_sod.domain.findings.digest import Ticket
from entra_sod.domain.messages import DeliveryMessage
from entra_sod.domain.notifications.event import EventName
from entra_sod.stores.outbox import Outbox
from entra_sod.stores.subscriptions import Receiver, Receivers


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcer:
    """Announces; after a StorageUnavailable, announce again: each event keeps its id."""

    receivers: Receivers
    outbox: Outbox

    async def announce_check(self, check_id: str, *, traceparent: str) -> None:
        """Queue what is to be told of a check that has ended."""
        message = DeliveryMessage(id=check_id, traceparent=traceparent, subject="check")
        if await self.receivers.callback(check_id) is not None:
            await self.outbox.send(message)
        await self._tell_subscribers(message)

    async def announce_sweep(self, sweep_id: str, *, traceparent: str) -> None:
        """Queue what is to be told of a sweep, just before its row says that it has ended.

        The delivery waits until the row says so. Whoever dies in between closes the sweep again,
        and announces it again.
        """
        await self._tell_subscribers(
            DeliveryMessage(id=sweep_id, traceparent=traceparent, subject="sweep")
        )

    async def announce_digests(self, sweep_id: str, number: int, *, traceparent: str) -> None:
        """Queue the digests of a sweep, whose bodies are kept under 0, 1, …."""
        async for receiver in self._wanting(EventName.DIGEST_READY):
            for occasion in range(number):
                message = DeliveryMessage(
                    id=sweep_id,
                    traceparent=traceparent,
                    subject="digest",
                    occasion=str(occasion),
                    subscription=receiver.id,
                )
                await self.outbox.send(message)

    async def announce_findings(
        self, run: str, tickets: Sequence[tuple[str, Ticket]], *, traceparent: str
    ) -> None:
        """Queue what is to be told of findings: that a ticket is to be opened, or closed."""
        for event in (EventName.FINDING_OPENED, EventName.FINDING_RESOLVED):
            wanted = [each for each in tickets if event == f"finding.{each[1]}"]
            async for receiver in self._wanting(event):
                for finding_id, status in wanted:
                    message = DeliveryMessage(
                        id=finding_id,
                        traceparent=traceparent,
                        subject="finding",
                        status=status,
                        occasion=run,
                        subscription=receiver.id,
                    )
                    await self.outbox.send(message)

    async def _wanting(self, event: EventName) -> AsyncIterator[Receiver]:
        async for receiver in self.receivers.subscriptions():
            if event in receiver.events:
                yield receiver

    async def _tell_subscribers(self, message: DeliveryMessage) -> None:
        async for receiver in self.receivers.subscriptions():
            if any(event.subject == message.subject for event in receiver.events):
                await self.outbox.send(msgspec.structs.replace(message, subscription=receiver.id))
