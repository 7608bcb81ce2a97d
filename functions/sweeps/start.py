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
        """
        running = await self._under_way()
        sweep_id = running.id if running else self._new_id()
        if running is None:
            await self.store.create(sweep_id)
        message = SweepStartMessage(
            version=VERSION,
            id=sweep_id,
            traceparent=traceparent,
            enqueued_at=timestamp(self.clock.now()),
        )
        await self.queues.send(SweepStartMessage.queue, encode(message))
        status = running.status if running else SweepStatus.QUEUED
        return Started(id=sweep_id, status=status, is_joined=running is not None)

    def _new_id(self) -> str:
        return self.clock.now().strftime("sweep-%Y%m%dT%H%M%SZ-") + secrets.token_hex(4)

    async def _under_way(self) -> SweepRecord | None:
        """The latest sweep, if it still runs and is not given up."""
        latest = await self.store.latest()
        if latest is None or latest.status.has_ended:
            return None
        is_fresh = self.clock.now() - latest.started_at < GIVE_UP_AFTER
        return latest if is_fresh else None
