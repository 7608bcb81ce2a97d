"""The work behind a sweep's messages: plan it, work one part of it, close it after the last."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import msgspec

from functions.checks.result import Outcome
from functions.errors import GraphError, SodError
from functions.graph.meter import metered
from functions.graph.port import Graph
from functions.messages import SweepMessage, SweepStartMessage
from functions.rules.source import RuleBook
from functions.sweeps.close import Closer
from functions.sweeps.counts import found, spent
from functions.sweeps.fan_out import FanOut, part_of
from functions.sweeps.findings import PairFinding, PartFindings, Unread
from functions.sweeps.look import look
from functions.sweeps.progress import add
from functions.sweeps.store import SweepStore
from functions.telemetry import count_read
from functions.throttle.gate import Gate, background

# The rate is the same for one as for many, and the first is done the sooner: one reads while the
# other packs what it has read.
PARTS_AT_ONCE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRunner:
    graph: Graph
    rules: RuleBook
    store: SweepStore
    fan_out: FanOut
    closer: Closer
    gate: Gate
    _turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(PARTS_AT_ONCE))

    async def start(self, message: SweepStartMessage) -> None:
        """Plan a sweep and send its parts; of one that is planned, those that are not done.

        Raises:
            Throttled, Unavailable: the same message should come again later.
        """
        with background():
            rules, listed = await self.rules.current(), await self.rules.listed()
            await self.fan_out.fan_out(message.id, rules, listed, traceparent=message.traceparent)
            # All parts may be done already, and whoever was to close may have died.
            await self._close_if_done(message)

    async def run(self, message: SweepMessage) -> None:
        """Work one part, then close the sweep if it was the last.

        Raises:
            Throttled, Unavailable, Unsettled: the same message should come again later.
        """
        record = await self.store.get(message.id)
        if record is None or record.status.has_ended:
            return
        await self.store.mark_running(message.id)
        with background():
            if not await self.store.part_is_done(message.id, message.part):
                async with self._turns, self.gate.place():
                    await self._work(message)
            await self._close_if_done(message)

    async def give_up(self, message: SweepMessage | SweepStartMessage, reason: str) -> None:
        """End what a message stood for: a part as a gap, a sweep that was never planned as failed.

        Raises:
            SodError: of closing the sweep, while that may still succeed.
        """
        if isinstance(message, SweepStartMessage):
            await self.closer.fail(message.id, reason, traceparent=message.traceparent)
            return
        tried = await self.store.tried(message.id, message.part)
        await self.store.end_part(message.id, message.part, _failed(message, reason), tried)
        try:
            await self._close_if_done(message)
        except SodError as error:
            why = f"it could not be closed: {error}"
            await self.closer.fail(message.id, why, traceparent=message.traceparent)

    async def _work(self, message: SweepMessage) -> None:
        await self.store.clear_note(message.id, message.part)
        tried = await self.store.tried(message.id, message.part)
        with metered() as meter:
            try:
                looked = await look(self.graph, part_of(message))
            except GraphError:
                await self.store.keep_tried(message.id, message.part, add(tried, spent(meter)))
                raise
        findings = looked.findings
        if looked.index:
            blob = await self.store.keep_blob(message.id, f"index-{message.part:06}", looked.index)
            findings = msgspec.structs.replace(findings, index=blob)
        data = msgspec.json.encode(findings)
        counts = add(tried, spent(meter), found(findings))
        await self.store.end_part(message.id, message.part, data, counts)
        count_read(pages=counts["pages"], assignments=counts["assignments"])

    async def _close_if_done(self, message: SweepMessage | SweepStartMessage) -> None:
        await self.closer.close_if_done(
            message.id, await self.rules.current(), traceparent=message.traceparent
        )


def _failed(message: SweepMessage, reason: str) -> bytes:
    """Of a part that could not be worked on: nothing is known of its pairs and packages."""
    part = part_of(message)
    pairs = [
        PairFinding(
            access_package_id=first,
            incompatible_access_package_id=second,
            outcome=Outcome.UNKNOWN,
        )
        for first, second in part.pairs
    ]
    unread = [
        Unread(package=each, what=f"access package {each}", why=reason)
        for each in sorted({*part.packages, *part.enforced})
    ]
    findings = PartFindings(
        pairs=pairs,
        unread=unread,
        failed="" if part.confirms else reason,
        unconfirmed=reason if part.confirms else "",
    )
    return msgspec.json.encode(findings)
