"""Messages that were given up, sent again: which, and what stands against it.

A dead letter is removed last, after its message lies on its queue again. A command that is killed
in between leaves both, and a message that is processed twice does no harm.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

import msgspec

from entra_sod.core.clock import Clock
from entra_sod.core.errors import InvalidMessage
from entra_sod.domain.messages import (
    CheckMessage,
    DeliveryMessage,
    Message,
    SweepMessage,
    SweepStartMessage,
    decode,
    encode,
)
from entra_sod.domain.results.status import CheckStatus
from entra_sod.ports.storage import Storage
from entra_sod.stores.checks import CheckRecord, CheckStore
from entra_sod.stores.dead_letters import CONTAINER, DeadLetter
from entra_sod.stores.sweeps import SweepStore

NOTE = "sent again by an operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which dead letters are meant; without any of it, all of them.

    Attributes:
        queue: that they came from.
        work_id: how the id of the check or sweep begins.
        reason: words that their reason has, without regard to case.
        since: when they were given up at the earliest.
    """

    queue: str = ""
    work_id: str = ""
    reason: str = ""
    since: datetime | None = None

    def takes(self, dead_letter: DeadLetter, message: Message | None) -> bool:
        """Whether a dead letter is meant."""
        return (
            self.queue in ("", dead_letter.queue)
            and self.reason.casefold() in dead_letter.reason.casefold()
            and (self.since is None or datetime.fromisoformat(dead_letter.at) >= self.since)
            and (not self.work_id or (message is not None and message.id.startswith(self.work_id)))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RedriveCase:
    """A dead letter, and what is to become of it.

    Attributes:
        message: as it is sent again; None where nothing can be made of it.
        against: why it is not sent again; empty where nothing stands against it.
    """

    name: str
    dead_letter: DeadLetter
    message: Message | None
    against: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Redriver:
    """Sends dead letters again."""

    storage: Storage
    clock: Clock

    async def cases(self, wanted: Filter) -> AsyncIterator[RedriveCase]:
        """Look at the dead letters that are meant, and change nothing."""
        async for name, dead_letter in self._letters(wanted.queue):
            message, unreadable = read(dead_letter)
            if wanted.takes(dead_letter, message):
                against = unreadable or (await self._against(message) if message else "")
                yield RedriveCase(
                    name=name, dead_letter=dead_letter, message=message, against=against
                )

    async def send(self, case: RedriveCase) -> bool:
        """Send a dead letter's message again and delete it; False if its work has moved on.

        Raises:
            StorageUnavailable: the dead letter is kept, and the same may be done again.
        """
        message = case.message
        if message is None or case.against or await self._against(message):
            return False
        if isinstance(message, CheckMessage):
            await self._checks.reopen(message.id, NOTE)
        await self.storage.queues.send(message.queue, encode(message))
        await self.discard(case)
        return True

    async def discard(self, case: RedriveCase) -> None:
        """Forget a dead letter; where its message was not sent, its work stays as it ended."""
        await self.storage.blobs.delete(CONTAINER, case.name)

    async def _letters(self, queue: str) -> AsyncIterator[tuple[str, DeadLetter]]:
        """Yield every dead letter with its name, or those of one queue.

        A blob that is no dead letter is left out: the app did not put it there.
        """
        prefix = f"{queue}/" if queue else ""
        async for name in self.storage.blobs.names(CONTAINER, prefix):
            data = await self.storage.blobs.get(CONTAINER, name)
            if data is None:
                continue  # another redrive has just dealt with it
            with suppress(msgspec.DecodeError):
                yield name, msgspec.json.decode(data, type=DeadLetter)

    @property
    def _checks(self) -> CheckStore:
        return CheckStore(self.storage, self.clock)

    async def _against(self, message: Message) -> str:
        match message:
            case CheckMessage():
                return against_check(await self._checks.get(message.id), self.clock.now())
            case SweepMessage():
                return await self._against_part(message)
            case SweepStartMessage():
                return await self._against_sweep(message.id)
            case DeliveryMessage():
                return ""
            case _:
                assert_never(message)

    async def _against_part(self, message: SweepMessage) -> str:
        store = SweepStore(self.storage, self.clock)
        if await store.part_is_done(message.id, message.part):
            return "the sweep went on without this part: sweep again"
        return await self._against_sweep(message.id)

    async def _against_sweep(self, sweep_id: str) -> str:
        record = await SweepStore(self.storage, self.clock).get(sweep_id)
        is_open = record is not None and not record.status.has_ended
        return "" if is_open else "the sweep has ended, or is gone: sweep again"


def read(dead_letter: DeadLetter) -> tuple[Message | None, str]:
    """Make the message that is sent again, or say why none can be made. Pure.

    What it has counted so far is counted anew: why it was given up is mended.
    """
    try:
        message = decode(base64.b64decode(dead_letter.body))
    except (InvalidMessage, ValueError) as error:
        return None, f"it cannot be read: {error}"
    if message.queue != dead_letter.queue:
        return None, f"a message for {message.queue} does not belong on {dead_letter.queue}"
    fresh = msgspec.structs.replace(message, attempt=0, throttled=0, interrupted=0, reason=None)
    if isinstance(fresh, DeliveryMessage):
        fresh = msgspec.structs.replace(fresh, tries=0, refusals=0)
    return fresh, ""


def against_check(record: CheckRecord | None, now: datetime) -> str:
    """Why a check is not asked again; one whose row was lost is made again from its message."""
    if record is None:
        return ""
    if record.is_expired(now):
        return "the check is older than results are kept: ask for a new one"
    if record.status is CheckStatus.COMPLETED:
        return "the check has completed meanwhile"
    return ""
