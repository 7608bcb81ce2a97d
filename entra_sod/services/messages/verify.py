"""Whether a queue message says what this app's own rows say: others may write to a queue, too.

A message that nobody of ours sent is kept. It works on nothing and ends nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import assert_never

from entra_sod.core.clock import Clock
from entra_sod.core.errors import InvalidMessage, NotYetConsistent
from entra_sod.domain.messages import (
    CheckMessage,
    DeliveryMessage,
    Message,
    SweepMessage,
    SweepStartMessage,
)
from entra_sod.domain.sweeps.parts import SweepPlan, decode_plan, message_of, part_of
from entra_sod.services.sweeps.start import GIVE_UP_AFTER
from entra_sod.stores.checks import CheckStore
from entra_sod.stores.sweeps import SweepRecord, SweepStore


@dataclass(slots=True)
class MessageVerifier:
    """Compares messages with rows, and with the plan of the sweep that it saw last."""

    checks: CheckStore
    sweeps: SweepStore
    clock: Clock
    _plans: dict[str, SweepPlan] = field(default_factory=dict)

    async def verify(self, message: Message) -> None:
        """Return where the message may be worked on.

        Raises:
            InvalidMessage: nobody sent it.
            NotYetConsistent: it names a part that its sweep's plan does not have yet.
        """
        match message:
            case CheckMessage():
                await self._verify_check(message)
            case SweepStartMessage():
                await self._verify_start(message)
            case SweepMessage():
                await self._verify_part(message)
            case DeliveryMessage():
                return  # it carries no address and no result: both are looked up
            case _:
                assert_never(message)

    async def _verify_check(self, message: CheckMessage) -> None:
        record = await self.checks.get(message.id)
        if message.access_package_id == message.incompatible_access_package_id:
            raise InvalidMessage("a package never conflicts with itself")
        if record is not None and record.asked not in ("", message.asked):
            raise InvalidMessage(f"the caller of check {message.id} asked for something else")

    async def _verify_start(self, message: SweepStartMessage) -> None:
        record = await self.sweeps.get(message.id)
        if record is None and await self.sweeps.announced() != message.id:
            raise InvalidMessage(f"nobody asked for a sweep {message.id}")
        if message.supersedes is None:
            return
        old = await self.sweeps.get(message.supersedes)
        if old is None or old.id == message.id:
            raise InvalidMessage(f"there is no other sweep {message.supersedes} to supersede")
        if self.clock.now() - old.started_at < GIVE_UP_AFTER:
            raise InvalidMessage(f"the sweep {old.id} has time left, and is not superseded")

    async def _verify_part(self, message: SweepMessage) -> None:
        record = await self.sweeps.get(message.id)
        if record is None or record.parts is None:
            raise InvalidMessage(f"there is no sweep {message.id} that has parts")
        if record.status.has_ended:
            return  # whatever it says, it is left alone
        if message.part >= record.parts:
            # Parts that confirm are sent just before the plan has them.
            raise NotYetConsistent(f"part {message.part} is in no plan of {message.id}")
        if message.closes:
            return
        planned = (await self._plan(record)).parts[message.part]
        if part_of(message) != part_of(message_of(message.id, message.part, planned, "")):
            raise InvalidMessage(f"part {message.part} of {message.id} is planned otherwise")

    async def _plan(self, record: SweepRecord) -> SweepPlan:
        name = str(record.row.values["planBlob"])
        if name not in self._plans:
            try:
                self._plans = {name: decode_plan(await self.sweeps.plan(record))}
            except LookupError as error:
                raise InvalidMessage(f"the plan of {record.id} is gone: {error}") from error
        return self._plans[name]
