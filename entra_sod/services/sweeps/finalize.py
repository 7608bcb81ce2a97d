"""Closes a sweep whose parts are all done: joins, plans, writes, and announces.

One worker at a time closes a sweep. It holds a lease that expires after a crash. If two workers
close all the same, they build the same plan, do not repeat a write that Graph lists, and the
sweep's row accepts only one result.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from entra_sod.core.clock import Clock
from entra_sod.core.errors import (
    ConfigurationError,
    RulesError,
    Unavailable,
)
from entra_sod.core.request_meter import metered
from entra_sod.domain.entra import Pair
from entra_sod.domain.notifications.kept_event import RunReferences
from entra_sod.domain.results.status import SweepStatus
from entra_sod.domain.results.sweep import SweepResult
from entra_sod.domain.rules.language import Mode
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.domain.rules.toxic import by_package
from entra_sod.domain.sweeps.parts import (
    SweepPlan,
    confirming_parts,
    holder_parts,
    indexed_packages,
)
from entra_sod.services.findings.external_sort import ExternalSorter
from entra_sod.services.notifications.announce import Announcer
from entra_sod.services.rules.alike import AlikeReading, CachedGrants, read_alike
from entra_sod.services.rules.provider import RulesProvider
from entra_sod.services.sweeps.conflicts import ConflictCollector
from entra_sod.services.sweeps.enforce import SweepEnforcer
from entra_sod.services.sweeps.evaluate import ClosingSweep, evaluate
from entra_sod.services.sweeps.merge_index import conflicts_of, merge_index
from entra_sod.services.sweeps.merge_parts import MergedParts, merge_parts
from entra_sod.services.sweeps.part_counts import request_counts
from entra_sod.services.sweeps.planner import SweepPlanner
from entra_sod.services.sweeps.progress import sum_counts
from entra_sod.services.sweeps.record import SweepRecorder
from entra_sod.services.sweeps.result import failed_result, record_metrics, result_of
from entra_sod.services.sweeps.summary import last_summary, summarize
from entra_sod.stores.leases import Lease
from entra_sod.stores.sweeps import PartRecord, SweepRecord, SweepStore

log = logging.getLogger("entra_sod")


# Beside those that enforcing needs: a request for each, while the sweep is closed.
MAX_MORE_GRANTS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class _MergedSweep:
    """A sweep whose parts were read, before its index is joined."""

    record: SweepRecord
    plan: SweepPlan
    parts: Sequence[PartRecord]
    whole: MergedParts
    collector: ConflictCollector
    alike: AlikeReading


def _to_look_at(read: _MergedSweep) -> list[str]:
    """Packages that meet a rule by themselves, and whose holders no part was to read.

    A sweep is extended once for them: what comes to be such a package after that is a gap.
    """
    if any(part.reads_holders for part in read.plan.parts):
        return []
    planned = indexed_packages(read.plan)
    return sorted({each.package for each in read.alike.toxic} - planned)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepFinalizer:
    rules: RulesProvider
    enforcing: SweepEnforcer
    store: SweepStore
    planner: SweepPlanner
    recorder: SweepRecorder
    announcer: Announcer
    clock: Clock
    confirm: bool

    async def close_if_done(self, record: SweepRecord, *, traceparent: str) -> None:
        """Plan, write and close a sweep, if all parts are done and it is not closed yet.

        Args:
            record: of the sweep, as it was read some time ago.
            traceparent: of the message that is worked.

        Raises:
            NotYetConsistent: another worker is closing; try again later, as that one may crash.
            Throttled, Unavailable: try again later; the next try continues from the ledger.
        """
        parts = await self.parts_of(record)
        if not parts:
            return
        async with self.store.closing.hold(record.id) as lease:
            now = await self.store.get(record.id)
            if now is not None and not now.status.has_ended and now.parts == len(parts):
                await self._close(now, parts, await self._rules(), lease, traceparent)

    async def fail(self, sweep_id: str, reason: str, *, traceparent: str) -> None:
        """End a sweep without a result, with the reason why there is none, and what it has written.

        Raises:
            NotYetConsistent: another worker is closing it, and may still succeed.
        """
        async with self.store.closing.hold(sweep_id):
            record = await self.store.get(sweep_id)
            if record is not None and not record.status.has_ended:
                written = await self.enforcing.ledger.written_by(sweep_id)
                result = failed_result(record, reason, self.clock.now(), written)
                await self.recorder.record_failure(record, result)
                writes = RunReferences.of(sweep_id, result.references)
                await self.announcer.announce_writes(writes, (), traceparent=traceparent)
                await self.announcer.announce_sweep(sweep_id, traceparent=traceparent)
                await self._end(record, result)

    async def parts_of(self, record: SweepRecord) -> Sequence[PartRecord]:
        """All parts of a sweep that is to be closed; none where it is not, or not yet."""
        if record.status.has_ended or record.parts is None:
            return ()
        # Asked first, for it is one row: the last part is seldom done before the others.
        if not await self.store.part_is_done(record.id, record.parts - 1):
            return ()
        parts = await self.store.parts_done(record.id)
        return parts if len(parts) >= record.parts else ()

    async def _rules(self) -> RuleSet:
        """The rules in force; a night's work is not thrown away for a mistake in their files.

        Raises:
            Unavailable: they cannot be read just now.
        """
        try:
            return await self.rules.current()
        except (RulesError, ConfigurationError) as error:
            raise Unavailable(f"no rules to close the sweep by: {error}") from error

    async def _close(
        self,
        record: SweepRecord,
        parts: Sequence[PartRecord],
        rules: RuleSet,
        lease: Lease,
        traceparent: str,
    ) -> None:
        read = await self._merge(record, parts, rules)
        if alone := _to_look_at(read):
            more = holder_parts(alone, read.whole.pages)
            await self.planner.extend(record, read.plan, more, traceparent)
            return
        closing = await self._join(read, rules)
        if to_confirm := self._to_confirm(closing):
            more = confirming_parts(to_confirm)
            await self.planner.extend(record, closing.plan, more, traceparent)
            return
        # In a thread: there may be millions of pairs, and others wait for the loop.
        verdict = await asyncio.to_thread(evaluate, closing)
        with metered() as meter:
            written = await self.enforcing.enforce(closing, verdict, lease)
        took = sum_counts([*(each.counts for each in parts), request_counts(meter)])
        result = result_of(closing, verdict, written, took, self.clock.now())
        await self.recorder.record(
            closing, verdict.doubtful, result, written, traceparent=traceparent
        )
        await self._store_summary(closing)
        # Before the end is noted: the delivery waits for it, and a crash in between closes anew.
        await self.announcer.announce_sweep(record.id, traceparent=traceparent)
        await self._end(record, result)

    async def _merge(
        self, record: SweepRecord, parts: Sequence[PartRecord], rules: RuleSet
    ) -> _MergedSweep:
        """Read the plan and the parts, each once, and what packages grant."""
        plan = await self.store.plan(record)
        known = await self.recorder.updater.store.known_names()
        collector = ConflictCollector(rules, known, ExternalSorter(self.store, record.id))
        merged = await merge_parts(self.store, parts, plan, collector)
        alike = await read_alike(
            CachedGrants(self.planner.graph, self.rules.grants),
            rules,
            merged.packages,
            unread={each.package for each in merged.unread.values()},
            max_reads=MAX_MORE_GRANTS,
        )
        return _MergedSweep(
            record=record, plan=plan, parts=parts, whole=merged, collector=collector, alike=alike
        )

    async def _join(self, read: _MergedSweep, rules: RuleSet) -> ClosingSweep:
        """Read the index once, and find every conflict in it."""
        merged, collector = read.whole, read.collector
        merged.index = await merge_index(self.store, read.record.id, merged.index)
        toxic = by_package(read.alike.toxic)
        held, pages = collector.conflicts.held, merged.pages.keys()
        async for conflict in conflicts_of(
            self.store, merged.index, rules, held, read=pages, toxic=toxic
        ):
            await collector.add_indexed(conflict)
        return ClosingSweep(
            record=read.record,
            plan=read.plan,
            parts=read.parts,
            whole=merged,
            conflicts=await collector.finish(),
            rules=rules,
            alike=read.alike,
            toxic=toxic,
        )

    def _to_confirm(self, closing: ClosingSweep) -> list[Pair]:
        """Enforced pairs that the index found in conflict, where Graph was not asked for them."""
        if not self.confirm or any(part.confirms for part in closing.plan.parts):
            return []
        constraints, asked = closing.rules.constraints, closing.whole.asked
        unasked = sorted(pair for pair in closing.conflicts.holders if pair not in asked)
        return [pair for pair in unasked if constraints[pair].mode is Mode.ENFORCE]

    async def _store_summary(self, closing: ClosingSweep) -> None:
        """Store what the next sweep may use. A newer sweep may have been closed before this one."""
        last, record = await last_summary(self.store), closing.record
        if last is None or last.as_of <= record.started_at:
            await self.store.store_summary(record.id, summarize(closing, last))

    async def _end(self, record: SweepRecord, result: SweepResult) -> None:
        status, data = SweepStatus(result.status), msgspec.json.encode(result)
        if await self.store.end(record, status, data):
            record_metrics(result)
            extra = {"action": "sweep_ended", "sweep_id": record.id, "status": result.status}
            log.info("sweep %s ended: %s", record.id, result.status, extra=extra)
