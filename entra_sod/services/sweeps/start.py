"""Starting a sweep: a row that says so, and a message that asks for its plan."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta

from entra_sod.core.clock import Clock
from entra_sod.domain.messages import SweepStartMessage
from entra_sod.domain.results.status import SweepStatus
from entra_sod.stores.outbox import Outbox
from entra_sod.stores.sweeps import SweepStore

GIVE_UP_AFTER = timedelta(hours=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedSweep:
    """A sweep that was asked for, its status then, and whether it was under way already."""

    id: str
    status: SweepStatus
    is_joined: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepStarter:
    store: SweepStore
    outbox: Outbox
    clock: Clock

    async def start(self, *, traceparent: str) -> StartedSweep:
        """Ask for a sweep; one that is under way is joined instead.

        Joining has the parts that are not done sent once more: should their messages have been
        lost, this mends it, and otherwise a part that is done is left alone.

        A sweep's name is stored first, then the message is sent, and then the row is written. The
        worker writes the row if there is none. So a crash in between never leaves a row without a
        message, and the next start continues the same sweep.
        """
        last = await self.store.announced()
        record = await self.store.get(last) if last else None
        if record is None:
            return await self._begin(last or await self._new_id(), traceparent)
        if record.status.has_ended:
            return await self._begin(await self._new_id(), traceparent)
        if self.clock.now() - record.started_at >= GIVE_UP_AFTER:
            return await self._begin(await self._new_id(), traceparent, supersedes=record.id)
        await self.outbox.send(SweepStartMessage(id=record.id, traceparent=traceparent))
        return StartedSweep(id=record.id, status=record.status, is_joined=True)

    async def _new_id(self) -> str:
        sweep_id = self.clock.now().strftime("sweep-%Y%m%dT%H%M%SZ-") + secrets.token_hex(4)
        await self.store.announce(sweep_id)
        return sweep_id

    async def _begin(
        self, sweep_id: str, traceparent: str, *, supersedes: str | None = None
    ) -> StartedSweep:
        message = SweepStartMessage(id=sweep_id, traceparent=traceparent, supersedes=supersedes)
        await self.outbox.send(message)
        await self.store.create(sweep_id)
        return StartedSweep(id=sweep_id, status=SweepStatus.QUEUED, is_joined=False)
