"""Announces an end: one message for each receiver, which carries no address and no result.

The worker announces while the message of its work is still on the queue. If the worker crashes
before it deletes that message, the work is repeated. So each announcement is made at least once.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from entra_sod.domain.enforcement.selection_guard import HeldChange
from entra_sod.domain.findings.digest import TicketAction
from entra_sod.domain.messages import DeliveryMessage
from entra_sod.domain.notifications.event import EventName, name_of
from entra_sod.domain.notifications.kept_event import (
    KeptEvent,
    RunReferences,
    run_events,
    selection_event,
)
from entra_sod.domain.results.check import ReferenceView
from entra_sod.stores.kept_events import KeptEvents
from entra_sod.stores.outbox import Outbox
from entra_sod.stores.subscriptions import Subscriptions

log = logging.getLogger("entra_sod")


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcer:
    """Announces; after a StorageUnavailable, announce again: each event keeps its id."""

    subscriptions: Subscriptions
    outbox: Outbox
    kept: KeptEvents

    async def announce_check(self, check_id: str, *, traceparent: str) -> None:
        """Queue the notifications of a check that has ended."""
        message = DeliveryMessage(id=check_id, traceparent=traceparent, subject="check")
        if await self.subscriptions.callback(check_id) is not None:
            await self.outbox.send(message)
        await self._tell(_ends_of("check"), [message])

    async def announce_sweep(self, sweep_id: str, *, traceparent: str) -> None:
        """Queue the notifications of a sweep, just before its row says that it has ended.

        The delivery waits until the row says so. After a crash in between, the next worker closes
        the sweep again and announces it again.
        """
        message = DeliveryMessage(id=sweep_id, traceparent=traceparent, subject="sweep")
        await self._tell(_ends_of("sweep"), [message])

    async def announce_digests(self, sweep_id: str, number: int, *, traceparent: str) -> None:
        """Queue the digests of a sweep, whose bodies are kept under 0, 1, ….

        Raises:
            StorageUnavailable: announce them again.
        """
        message = DeliveryMessage(id=sweep_id, traceparent=traceparent, subject="digest")
        digests = [replace(message, occasion=str(each)) for each in range(number)]
        await self._tell([EventName.DIGEST_READY], digests)

    async def announce_findings(
        self, run: str, tickets: Sequence[tuple[str, TicketAction]], *, traceparent: str
    ) -> None:
        """Queue the notifications of findings: a ticket is to be opened, or closed."""
        for event in (EventName.FINDING_OPENED, EventName.FINDING_RESOLVED):
            messages = [
                DeliveryMessage(
                    id=finding_id,
                    traceparent=traceparent,
                    subject="finding",
                    status=status,
                    occasion=run,
                )
                for finding_id, status in tickets
                if event == f"finding.{status}"
            ]
            await self._tell([event], messages)

    async def announce_writes(
        self, writes: RunReferences, newly_held: Sequence[ReferenceView], *, traceparent: str
    ) -> None:
        """Queue the notifications of a run's references, and note the held ones among them."""
        for event in run_events(writes, newly_held):
            await self.announce_kept(event, traceparent=traceparent)
        if newly_held or writes.is_all:
            await self.kept.remember_held(writes.references.held, is_all=writes.is_all)

    async def announce_changes(
        self, run: str, changes: Sequence[HeldChange], *, traceparent: str
    ) -> None:
        """Queue the changes of the rules' selections, and note that they are announced.

        Args:
            run: id of the sweep that compared every enforcing rule.
            changes: all that wait for approval, told before or not.
            traceparent: of the message that is worked.
        """
        if new := await self.kept.newly_changed(changes):
            await self.announce_kept(selection_event(run, new), traceparent=traceparent)
        await self.kept.remember_changes(changes)

    async def announce_kept(self, event: KeptEvent, *, traceparent: str) -> None:
        """Keep the body of an event, and queue it once: `fan_out` queues it for each subscriber.

        So a command that may not read the subscribers' addresses announces as well.
        """
        await self.kept.store(event)
        await self.outbox.send(
            DeliveryMessage(
                id=event.about,
                traceparent=traceparent,
                subject=event.subject,
                status=event.status,
            )
        )

    async def fan_out(self, message: DeliveryMessage) -> None:
        """Queue an event that was announced once for each subscriber."""
        name = name_of(message.subject, message.status)
        extra = {"action": name.replace(".", "_"), "work_id": message.id}
        log.info("%s: %s", name, message.id, extra=extra)
        await self._tell([name], [message])

    async def _tell(
        self, events: Collection[EventName], messages: Sequence[DeliveryMessage]
    ) -> None:
        """Queue each message for every subscriber of one of the events."""
        async for subscription in self.subscriptions.subscriptions():
            if not subscription.events.isdisjoint(events):
                for message in messages:
                    await self.outbox.send(replace(message, subscription=subscription.id))


def _ends_of(subject: str) -> list[EventName]:
    return [each for each in EventName if each.subject == subject]
