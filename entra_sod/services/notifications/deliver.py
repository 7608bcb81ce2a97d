"""One delivery: is it still wanted, may the address be called, send, and what comes next."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

import msgspec

from entra_sod.core.clock import Clock
from entra_sod.core.errors import AddressRefused, InvalidMessage, NotYetConsistent
from entra_sod.core.retry import Poison
from entra_sod.domain.findings.digest import ticket_body
from entra_sod.domain.messages import DeliveryMessage
from entra_sod.domain.notifications.address import HostPattern, check_address
from entra_sod.domain.notifications.console_links import with_owner_link
from entra_sod.domain.notifications.event import KEPT_SUBJECTS, Event, event_id
from entra_sod.domain.notifications.outcome import (
    Delivered,
    DeliveryDecision,
    NotSent,
    ReceiverGone,
    RetryDelivery,
    SendOutcome,
    decide_delivery,
)
from entra_sod.domain.notifications.signature import ID, SIGNATURE, TIMESTAMP, SigningKey, sign
from entra_sod.ports.sender import Sender
from entra_sod.services.notifications.announce import Announcer
from entra_sod.stores.checks import CheckRecord, CheckStore
from entra_sod.stores.findings import FindingStore
from entra_sod.stores.outbox import Outbox
from entra_sod.stores.subscriptions import Subscription, Subscriptions
from entra_sod.stores.sweeps import SweepStore

log = logging.getLogger("entra_sod")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliverer:
    """Everything one delivery needs.

    Attributes:
        keys: to sign with, newest first; without any, deliveries are not signed.
        chance: gives a number from 0 to 1, for the jitter of the waits.
    """

    subscriptions: Subscriptions
    checks: CheckStore
    sweeps: SweepStore
    findings: FindingStore
    sender: Sender
    outbox: Outbox
    announcer: Announcer
    clock: Clock
    hosts: Sequence[HostPattern]
    keys: Sequence[SigningKey]
    chance: Callable[[], float]

    async def deliver(self, message: DeliveryMessage) -> None:
        """Try once, and schedule the next try. Drops a message whose receiver has unsubscribed.

        Raises:
            NotYetConsistent: the work has not ended yet; deliver the same message again later.
            InvalidMessage: there is no such work, or its result is gone.
        """
        if message.subscription is None and message.subject in KEPT_SUBJECTS:
            await self.announcer.fan_out(message)
            return
        subscription = await self._subscription(message)
        if subscription is None:
            return
        event = await self._event(message, subscription)
        if event is not None and event.name in subscription.events:
            outcome = await self._send(subscription, event)
            await self._apply_decision(message, self._next(message, outcome))

    async def _subscription(self, message: DeliveryMessage) -> Subscription | None:
        """The receiver; None if it has its notification already, or has unsubscribed."""
        if message.subscription is None:
            return await self.subscriptions.callback(message.id)
        return await self.subscriptions.subscription(message.subscription)

    async def _event(self, message: DeliveryMessage, subscription: Subscription) -> Event | None:
        """The event to send; None if it is about a finding that is no longer stored."""
        result: bytes | None
        status: str = message.status
        if message.subject in KEPT_SUBJECTS:
            result = await self._kept(message)
        elif message.subject == "finding":
            result = await self._ticket(message, subscription.app)
        else:
            status, result = await self._end_of(message)
            if message.subject == "digest":
                result = with_owner_link(result, subscription.app)
        if result is None:
            _log(logging.INFO, "event_void", message, "is void: its finding is not kept any more")
            return None
        return Event(
            subject=message.subject,
            subject_id=message.id,
            status=status,
            at=message.enqueued_at,
            app=subscription.app,
            result=result,
            occasion=message.occasion,
        )

    async def _kept(self, message: DeliveryMessage) -> bytes:
        name = event_id(message.subject, message.id, message.status)
        body = await self.announcer.kept.body(name)
        if body is None:
            raise InvalidMessage(f"there is no event {name}, or its body is no longer kept")
        return body

    async def _ticket(self, message: DeliveryMessage, app: str) -> bytes | None:
        kept = await self.findings.get(message.id)
        if kept is None or not message.status:
            return None
        return ticket_body(kept.finding, message.status, app)

    async def _end_of(self, message: DeliveryMessage) -> tuple[str, bytes]:
        """The status of what has ended, and its result or its digest."""
        is_check, what = message.subject == "check", f"{message.subject} {message.id}"
        record = await (self.checks.get(message.id) if is_check else self.sweeps.get(message.id))
        if record is None or not record.status.has_ended:
            raise NotYetConsistent(f"{what} is announced and has not ended yet")
        status: str = record.status
        if isinstance(record, CheckRecord):
            result = await self.checks.result(record)
        elif message.subject == "sweep":
            result = await self.sweeps.result(record)
        else:
            status, result = "ready", await self.sweeps.digest(message.id, message.occasion)
        if result is None:
            raise InvalidMessage(f"the result of {what} is no longer kept")
        return status, result

    async def _send(self, subscription: Subscription, event: Event) -> SendOutcome:
        try:
            # Again at each try: CALLBACK_HOSTS may have been narrowed since it was accepted.
            address = check_address(subscription.url, self.hosts)
        except AddressRefused as error:
            return NotSent(f"the callback address {error}")
        body = event.body
        return await self.sender.post(address, self._headers(event, body), body)

    def _headers(self, event: Event, body: bytes) -> dict[str, str]:
        seconds = int(self.clock.now().timestamp())
        headers = {
            "content-type": "application/json",
            "user-agent": "entra-sod",
            **event.attributes,
            ID: event.id,
            TIMESTAMP: str(seconds),
        }
        if self.keys:
            signature = sign(self.keys, message_id=event.id, seconds=seconds, body=body)
            headers[SIGNATURE] = signature
        return headers

    def _next(self, message: DeliveryMessage, outcome: SendOutcome) -> DeliveryDecision:
        age = self.clock.now() - datetime.fromisoformat(message.enqueued_at)
        return decide_delivery(
            outcome,
            tries=message.tries,
            refusals=message.refusals,
            age_seconds=age.total_seconds(),
            chance=self.chance(),
        )

    async def _apply_decision(self, message: DeliveryMessage, what: DeliveryDecision) -> None:
        match what:
            case Delivered():
                await self._delete_callback(message)
                _log(logging.INFO, "callback_delivered", message, "was delivered")
            case ReceiverGone():
                await self._delete_callback(message)
                if message.subscription is not None:
                    await self.subscriptions.unsubscribe(message.subscription)
                _log(logging.INFO, "callback_gone", message, "is wanted no more (410)")
            case RetryDelivery(after_seconds=seconds, why=why, refusals=refusals):
                again = msgspec.structs.replace(message, tries=message.tries + 1, refusals=refusals)
                await self.outbox.send(again, delay_seconds=seconds)
                _log(logging.WARNING, "callback_deferred", message, f"waits {seconds:.0f} s: {why}")
            case Poison(reason=reason):
                await self.outbox.give_up(message, reason)
                _log(logging.ERROR, "callback_given_up", message, f"is {reason}")
            case _:
                assert_never(what)

    async def _delete_callback(self, message: DeliveryMessage) -> None:
        if message.subscription is None:
            await self.subscriptions.delete_callback(message.id)


def _log(level: int, action: str, message: DeliveryMessage, words: str) -> None:
    log.log(
        level,
        "the end of %s %s for %s %s",
        message.subject,
        message.id,
        message.subscription or "its own callback",
        words,
        extra={
            "action": action,
            "work_id": message.id,
            "subscription_id": message.subscription or "",
            "tries": message.tries + 1,
        },
    )
