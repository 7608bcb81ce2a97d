"""Starting a sweep: a row that says so, and a message that asks for its plan."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta

from functions.clock import Clock, timestamp
from functions.messages import VERSION, SweepStartMessage, encode
from functions.storage.ports import Queues
from functions.sweeps.store import SweepRecord, SweepStatus, SweepStore

GIVE_UP_AFTER = timedelta(hours=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A sweep that was asked for, its status then, and whether it was under way already."""

    id: str
    status: SweepStatus
    is_joined: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepStarter:
    store: SweepStore
    queues: Queues
    clock: Clock

    async def start(self, *, traceparent: str) -> Started:
        """Ask for a sweep; one that is under way is joined instead.

        Joining has the parts that are not done sent once more: should their messages have been
        lost, this mends it, and otherwise a part that is done is left alone.

        The message comes before the row, which its worker makes where there is none: whoever dies
        in between has started a sweep, and not a row that nobody works for.
        """
        running = await self._under_way()
        if running is not None and self._is_fresh(running):
            await self._send(running.id, traceparent)
            return Started(id=running.id, status=running.status, is_joined=True)
        sweep_id = self._new_id()
        await self._send(sweep_id, traceparent, supersedes=running.id if running else None)
        await self.store.create(sweep_id)
        return Started(id=sweep_id, status=SweepStatus.QUEUED, is_joined=False)

    async def _send(
        self, sweep_id: str, traceparent: str, *, supersedes: str | None = None
    ) -> None:
        message = SweepStartMessage(
            version=VERSION,
            id=sweep_id,
            traceparent=traceparent,
            enqueued_at=timestamp(self.clock.now()),
            supersedes=supersedes,
        )
        await self.queues.send(SweepStartMessage.queue, encode(message))

    def _new_id(self) -> str:
        return self.clock.now().strftime("sweep-%Y%m%dT%H%M%SZ-") + secrets.token_hex(4)

    async def _under_way(self) -> SweepRecord | None:
        latest = await self.store.latest()
        return None if latest is None or latest.status.has_ended else latest

    def _is_fresh(self, sweep: SweepRecord) -> bool:
        return self.clock.now() - sweep.started_at < GIVE_UP_AFTER
