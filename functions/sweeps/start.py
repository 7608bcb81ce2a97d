"""Starting a sweep: every pair of the rules in force, cut into parts, one message each."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import batched
from typing import TYPE_CHECKING
from uuid import UUID

from functions.clock import Clock, timestamp
from functions.messages import VERSION, SweepMessage, encode
from functions.storage.ports import Queues
from functions.sweeps.store import SweepRecord, SweepStore

if TYPE_CHECKING:
    from functions.rules.ruleset import RuleSet

PART_SIZE = 20
GIVE_UP_AFTER = timedelta(hours=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepStarter:
    store: SweepStore
    queues: Queues
    clock: Clock

    async def start(self, rules: RuleSet, *, traceparent: str) -> str:
        """Enqueue a sweep and return its id; one that is under way is joined instead.

        Joining sends the messages of the parts that are not done once more: should they have been
        lost, this mends it, and otherwise a part that is done is left alone.
        """
        running = await self._under_way(rules)
        sweep_id = running.id if running else self._new_id()
        parts = list(cut(rules))
        if running is None:
            await self.store.create(
                sweep_id,
                parts=len(parts),
                rules_hash=rules.hash,
                scope_hash=rules.scope_hash,
            )
        done = await self.store.parts_done(sweep_id)
        for number, (pairs, packages) in enumerate(parts):
            if number not in done:
                message = SweepMessage(
                    version=VERSION,
                    id=sweep_id,
                    traceparent=traceparent,
                    enqueued_at=timestamp(self.clock.now()),
                    part=number,
                    pairs=pairs,
                    packages=packages,
                )
                await self.queues.send(SweepMessage.queue, encode(message))
        return sweep_id

    def _new_id(self) -> str:
        return self.clock.now().strftime("sweep-%Y%m%dT%H%M%SZ-") + secrets.token_hex(4)

    async def _under_way(self, rules: RuleSet) -> SweepRecord | None:
        """The latest sweep, if it still runs, is not given up, and was cut into the same parts."""
        latest = await self.store.latest()
        if latest is None or latest.status.has_ended or latest.scope_hash != rules.scope_hash:
            return None
        is_fresh = self.clock.now() - latest.started_at < GIVE_UP_AFTER
        return latest if is_fresh else None


type Part = tuple[list[tuple[UUID, UUID]], list[UUID]]


def cut(rules: RuleSet) -> Iterator[Part]:
    """Cut all pairs, then all guarded packages, into parts; a sweep of nothing has one part."""
    pairs = [(UUID(pair.low), UUID(pair.high)) for pair in rules.duties]
    guarded = [UUID(package) for package in rules.guards]
    if not pairs and not guarded:
        yield [], []
    for some_pairs in batched(pairs, PART_SIZE, strict=False):
        yield list(some_pairs), []
    for some_packages in batched(guarded, PART_SIZE, strict=False):
        yield [], list(some_packages)
