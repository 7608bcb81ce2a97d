"""The work behind a sweep's messages: plan it, work one part of it, close it after the last."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field

import msgspec

from entra_sod.core.errors import PERMANENT, GraphError, NotYetConsistent
from entra_sod.core.request_meter import Meter, metered
from entra_sod.core.telemetry import count_read
from entra_sod.domain.detection.index import names_start
from entra_sod.domain.messages import SweepMessage, SweepStartMessage
from entra_sod.domain.sweeps.part_results import PairFinding, PartFindings, Unread
from entra_sod.domain.sweeps.parts import Part
from entra_sod.ports.graph import Graph
from entra_sod.ports.rate_limit import low_priority
from entra_sod.services.rules.provider import RulesProvider
from entra_sod.services.sweeps.finalize import SweepFinalizer
from entra_sod.services.sweeps.part_counts import part_counts, request_counts
from entra_sod.services.sweeps.planner import SweepPlanner
from entra_sod.services.sweeps.progress import add
from entra_sod.services.sweeps.read_part import read_part
from entra_sod.stores.sweeps import SweepRecord, SweepStore

# The rate is the same for one as for many, and the first is done the sooner: one reads while the
# other packs what it has read.
MAX_CONCURRENT_PARTS = 2
# A package that keeps failing becomes a gap, so that its part is not read a dozen times.
MAX_PATIENT_ATTEMPTS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRunner:
    graph: Graph
    rules: RulesProvider
    store: SweepStore
    planner: SweepPlanner
    finalizer: SweepFinalizer
    _turns: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(MAX_CONCURRENT_PARTS)
    )

    async def start(self, message: SweepStartMessage) -> None:
        """Plan a sweep and send its parts; of one that is planned, those that are not done.

        Raises:
            Throttled, Unavailable, NotYetConsistent: deliver the same message again later.
        """
        with low_priority():
            await self._supersede(message)
            record = await self._planned(message.id)
            if record.status.has_ended:
                return
            await self.planner.send_open_parts(record, traceparent=message.traceparent)
            # All parts may be done already, and the worker that was to close may have crashed.
            await self.finalizer.close_if_done(record, traceparent=message.traceparent)

    async def run(self, message: SweepMessage) -> None:
        """Work one part, then close the sweep if it was the last.

        Raises:
            Throttled, Unavailable, NotYetConsistent: deliver the same message again later.
        """
        record = await self.store.get(message.id)
        if record is None or record.status.has_ended:
            return
        await self.store.mark_running(message.id)
        with low_priority():
            if not (message.closes or await self.store.part_is_done(message.id, message.part)):
                part = (await self.store.plan(record)).parts[message.part]
                async with self._turns:
                    await self._work(message, part)
            await self.finalizer.close_if_done(record, traceparent=message.traceparent)

    async def end_poisoned(self, message: SweepMessage | SweepStartMessage, reason: str) -> None:
        """End the work of a message: a part becomes a gap, a sweep without a result has failed.

        Only a message that is there for nothing but closing fails a sweep that is planned: a part's
        may be given up twice, and the second time its sweep is perhaps about to be closed.
        """
        match message:
            case SweepStartMessage():
                await self._end_start(message, reason)
            case SweepMessage(closes=True):
                await self._end_closing(message, reason)
            case SweepMessage():
                await self._end_part(message, reason)

    async def _end_start(self, message: SweepStartMessage, reason: str) -> None:
        record = await self.store.get(message.id) or await self.store.create(message.id)
        if record.parts is None:
            await self.finalizer.fail(message.id, reason, traceparent=message.traceparent)
        elif await self.finalizer.parts_of(record):
            await self.planner.send_to_close(message, record.parts - 1)

    async def _end_part(self, message: SweepMessage, reason: str) -> None:
        record = await self.store.get(message.id)
        if record is None or record.status.has_ended:
            return
        if not await self.store.part_is_done(message.id, message.part):
            tried = await self.store.attempt_costs(message.id, message.part)
            part = (await self.store.plan(record)).parts[message.part]
            findings = _failed(part, reason)
            await self.store.end_part(message.id, message.part, findings, tried)
        # The message that closes the sweep has its own tries; those of the part do not count.
        await self.store.clear_note(message.id, message.part)
        await self.planner.send_to_close(message, message.part)

    async def _end_closing(self, message: SweepMessage, reason: str) -> None:
        record = await self.store.get(message.id)
        if record is None or not await self.finalizer.parts_of(record):
            return
        try:
            why = f"it could not be closed: {reason}"
            await self.finalizer.fail(message.id, why, traceparent=message.traceparent)
        except NotYetConsistent:  # the worker that is closing it may succeed, or crash
            await self.planner.send_to_close(message, message.part)

    async def _supersede(self, message: SweepStartMessage) -> None:
        """End the sweep that this one was started in place of."""
        if message.supersedes is not None:
            why = f"it was not done in time; {message.id} was started in its place"
            await self.finalizer.fail(message.supersedes, why, traceparent=message.traceparent)

    async def _planned(self, sweep_id: str) -> SweepRecord:
        """The row of a sweep, made where there is none, with a plan unless it has ended."""
        record = await self.store.get(sweep_id) or await self.store.create(sweep_id)
        if record.status.has_ended or record.parts is not None:
            return record
        rules = await self.rules.current()
        listed: Collection[str] = ()
        # Where it is refused, each package of the rules is looked up, and says why it is a gap.
        with suppress(*PERMANENT):
            listed = await self.rules.listed()
        return await self.planner.plan(record, rules, listed)

    async def _work(self, message: SweepMessage, part: Part) -> None:
        await self.store.clear_note(message.id, message.part)
        tried = await self.store.attempt_costs(message.id, message.part)
        with metered() as meter, low_priority(is_new=True):
            try:
                is_patient = message.attempt < MAX_PATIENT_ATTEMPTS
                looked = await read_part(self.graph, part, is_patient=is_patient)
            except GraphError:
                if meter != Meter():  # else nothing was begun
                    await self.store.store_attempt_costs(
                        message.id, message.part, add(tried, request_counts(meter))
                    )
                raise
        findings = looked.findings
        if looked.index:
            blob = await self.store.store_blob(message.id, f"index-{message.part:06}", looked.index)
            findings = msgspec.structs.replace(
                findings, index=blob, names_start=names_start(looked.index)
            )
        data = msgspec.json.encode(findings)
        counts = add(tried, request_counts(meter), part_counts(findings))
        await self.store.end_part(message.id, message.part, data, counts)
        count_read(pages=counts["pages"], assignments=counts["assignments"])


def _failed(part: Part, reason: str) -> bytes:
    """The findings of a part that failed: its pairs and packages count as not read.

    For pairs that the part was to confirm, the index stays in force.
    """
    unread = [
        Unread(package=each, what=f"access package {each}", why=reason)
        for each in sorted({*part.packages, *part.enforced})
    ]
    findings = PartFindings(
        pairs=[PairFinding.unknown(pair) for pair in part.pairs],
        unread=unread,
        failed=reason,
        unconfirmed=reason if part.confirms else "",
    )
    return msgspec.json.encode(findings)
