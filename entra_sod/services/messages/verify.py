"""Verifies that a message agrees with the app's own rows, because others may write to a queue, too.

A message that the app did not send becomes a dead letter. It starts no work and ends none.
"""

from __future__ import annotations

from dataclasses import dataclass

from entra_sod.core.clock import Clock
from entra_sod.core.errors import InvalidMessage, NotYetConsistent
from entra_sod.domain.messages import CheckMessage, Message, SweepMessage, SweepStartMessage
from entra_sod.services.sweeps.start import GIVE_UP_AFTER
from entra_sod.stores.checks import CheckStore
from entra_sod.stores.sweeps import SweepStore


@dataclass(frozen=True, slots=True)
class MessageVerifier:
    checks: CheckStore
    sweeps: SweepStore
    clock: Clock

    async def verify(self, message: Message) -> None:
        """Return where the message may be worked on.

        Raises:
            InvalidMessage: the app did not send it.
            NotYetConsistent: it names a part that its sweep's plan does not have yet.
        """
        match message:
            case CheckMessage():
                record = await self.checks.get(message.id)
                if record is not None and record.asked not in ("", message.asked):
                    raise InvalidMessage(f"check {message.id} was asked for something else")
            case SweepStartMessage():
                await self._verify_start(message)
            case SweepMessage():
                await self._verify_part(message)
            case _:
                return  # a delivery carries no address and no result: both are looked up

    async def _verify_start(self, message: SweepStartMessage) -> None:
        is_announced = await self.sweeps.announced() == message.id
        if not is_announced and await self.sweeps.get(message.id) is None:
            raise InvalidMessage(f"no caller asked for a sweep {message.id}")
        if message.supersedes is not None:
            old = await self.sweeps.get(message.supersedes)
            if old is None or old.id == message.id:
                raise InvalidMessage(f"there is no sweep {message.supersedes} to supersede")
            if self.clock.now() - old.started_at < GIVE_UP_AFTER:
                raise InvalidMessage(f"the sweep {old.id} has time left, and is not superseded")

    async def _verify_part(self, message: SweepMessage) -> None:
        record = await self.sweeps.get(message.id)
        if record is None or record.parts is None:
            raise InvalidMessage(f"there is no sweep {message.id} that has parts")
        if record.status.has_ended:
            return
        if message.part >= record.parts:
            # Parts that confirm are sent just before the plan has them.
            raise NotYetConsistent(f"part {message.part} is in no plan of {message.id}")
        if message.closes:  # without a plan, the sweep is ended by it as failed
            return
        try:
            await self.sweeps.plan(record)
        except LookupError as error:
            raise InvalidMessage(f"the plan of {record.id} is gone: {error}") from error
