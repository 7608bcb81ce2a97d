"""Closes a sweep whose parts are all done: joins, plans, writes, and tells.

One at a time: whoever closes holds a lease that a crash lets go. Should two close after all, the
plan is the same, a write that is there is not repeated, and the sweep's row takes one result.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

import msgspec

from entra_sod.core.clock import Clock, timestamp
from entra_sod.core.errors import (
    PERMANENT,
    ConfigurationError,
    RulesError,
    StorageUnavailable,
    Unavailable,
    Unsettled,
)
from entra_sod.core.request_meter import metered
from entra_sod.domain.enforcement.compile import compile_references
from entra_sod.domain.enforcement.outcome import Enforced, Enforcement
from entra_sod.domain.enforcement.uncertainty import may_be_asked_for
from entra_sod.domain.entra import Pair, Reference
from entra_sod.domain.results.check import ReferencesView, references_view
from entra_sod.domain.results.coverage import Coverage, Skipped
from entra_sod.domain.results.status import SweepStatus
from entra_sod.domain.results.sweep import PairCounts, StrategyView, SweepResult
from entra_sod.domain.rules.language import Mode
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.domain.sweeps.parts import SweepPlan, confirming_parts
from entra_sod.ports.graph import Graph
from entra_sod.services.enforcement.enforce import Enforcer
from entra_sod.services.enforcement.orphans import find_gone_groups
from entra_sod.services.notifications.announce import Announcer
from entra_sod.services.rules.book import RuleBook
from entra_sod.services.sweeps.conflicts import Conflicts, collect_conflicts, count_conflicts
from entra_sod.services.sweeps.counts import spent
from entra_sod.services.sweeps.fan_out import FanOut
from entra_sod.services.sweeps.judge import Judged, drift_views, judge, note_gaps
from entra_sod.services.sweeps.merge_parts import Whole, gather
from entra_sod.services.sweeps.metrics import measure
from entra_sod.services.sweeps.progress import Tally, rate, tally
from entra_sod.services.sweeps.record import SweepRecorder
from entra_sod.services.sweeps.summary import last_summary, summarize
from entra_sod.stores.ledger import Ledger
from entra_sod.stores.sweeps import CLOSING_LEASE, PartRecord, SweepRecord, SweepStore

log = logging.getLogger("entra_sod")


@dataclass(frozen=True, slots=True, kw_only=True)
class Closer:
    graph: Graph
    rules: RuleBook
    enforcer: Enforcer
    ledger: Ledger
    store: SweepStore
    fan_out: FanOut
    recorder: SweepRecorder
    announcer: Announcer
    clock: Clock
    enforcement: Enforcement
    prune: bool
    confirm: bool

    async def close_if_done(self, sweep_id: str, *, traceparent: str) -> None:
        """Plan, write and close, where all parts are done and nobody has closed yet.

        Raises:
            Unsettled: somebody else is closing; come again, for that one may die.
            Throttled, Unavailable: come again; the next one goes on from the ledger.
        """
        if await self._ready(sweep_id) is None:
            return
        async with self._alone(sweep_id):
            record = await self._ready(sweep_id)
            if record is not None:
                await self._close(record, await self._rules(), traceparent)

    async def fail(self, sweep_id: str, reason: str, *, traceparent: str) -> None:
        """End a sweep of which nothing can be said but why.

        Raises:
            Unsettled: somebody is closing it, and may yet succeed.
        """
        async with self._alone(sweep_id):
            record = await self.store.get(sweep_id)
            if record is not None and not record.status.has_ended:
                result = failed_result(record, reason, self.clock.now())
                await self.recorder.record_failure(record, result)
                await self.announcer.announce_sweep(sweep_id, traceparent=traceparent)
                await self._end(result)

    async def is_ready(self, sweep_id: str) -> bool:
        """Whether all parts are done, and the sweep is not closed yet."""
        return await self._ready(sweep_id) is not None

    async def _ready(self, sweep_id: str) -> SweepRecord | None:
        record = await self.store.get(sweep_id)
        if record is None or record.status.has_ended or record.parts is None:
            return None
        # Asked first, for it is one row: the last part is seldom done before the others.
        if not await self.store.part_is_done(sweep_id, record.parts - 1):
            return None
        return record if len(await self.store.parts_done(sweep_id)) >= record.parts else None

    async def _rules(self) -> RuleSet:
        """The rules in force; a night's work is not thrown away for a mistake in their files.

        Raises:
            Unavailable: they cannot be read just now.
        """
        try:
            return await self.rules.current()
        except (RulesError, ConfigurationError) as error:
            raise Unavailable(f"no rules to close the sweep by: {error}") from error

    @asynccontextmanager
    async def _alone(self, sweep_id: str) -> AsyncIterator[None]:
        owner = uuid4().hex
        if not await self.store.claim_closing(sweep_id, owner):
            raise Unsettled(f"sweep {sweep_id} is being closed by another worker")
        renewing = asyncio.create_task(self._renew(sweep_id, owner))
        try:
            yield
        finally:
            renewing.cancel()
            await self.store.release_closing(sweep_id, owner)

    async def _renew(self, sweep_id: str, owner: str) -> None:
        while True:
            # In true time, not the clock's: it must not run ahead of the work beside it.
            await asyncio.sleep(CLOSING_LEASE.total_seconds() / 4)
            # A try that fails is followed by another; without any the lease runs out by itself.
            with suppress(StorageUnavailable):
                await self.store.claim_closing(sweep_id, owner)

    async def _close(self, record: SweepRecord, rules: RuleSet, traceparent: str) -> None:
        case = await self._read(record, rules)
        if to_confirm := await self._to_confirm(case):
            more = confirming_parts(to_confirm)
            await self.fan_out.extend(record, case.plan, more, traceparent)
            return
        conflicts = await collect_conflicts(self.store, record.id, case.parts, case.whole, rules)
        judged = judge(case.whole, conflicts, rules)
        note_gaps(case.whole, conflicts, judged, case.plan, rules)
        with metered() as meter:
            enforced = await self._enforce(case, judged)
        took = tally([*(each.counts for each in case.parts), spent(meter)])
        result = self._result(case, judged, enforced, took)
        await self.recorder.record(
            record, case.whole, conflicts, rules, result, traceparent=traceparent
        )
        await self._keep_summary(case, conflicts)
        # Before the end is noted: the delivery waits for it, and a crash in between closes anew.
        await self.announcer.announce_sweep(record.id, traceparent=traceparent)
        await self._end(result)

    async def _keep_summary(self, case: _Case, conflicts: Conflicts) -> None:
        """Keep what the next sweep may learn; a newer sweep may have been closed before this."""
        last, started_at = await last_summary(self.store), case.record.started_at
        if last is None or last.as_of is None or last.as_of <= started_at:
            summary = summarize(case.record, case.whole, conflicts, case.rules.packages, last)
            await self.store.keep_summary(case.record.id, summary)

    async def _end(self, result: SweepResult) -> None:
        status, data = SweepStatus(result.status), msgspec.json.encode(result)
        if await self.store.end(result.id, status, data):
            _tell_end(result)

    async def _read(self, record: SweepRecord, rules: RuleSet) -> _Case:
        parts = await self.store.parts_done(record.id)
        return _Case(
            record=record,
            plan=await self.fan_out.plan_of(record),
            parts=parts,
            whole=await gather(self.store, parts),
            rules=rules,
        )

    async def _to_confirm(self, case: _Case) -> list[Pair]:
        """Enforced pairs that the index found in conflict, where Graph was not asked for them."""
        rules, asked = case.rules, case.whole.asked
        if any(part.confirms for part in case.plan.parts):
            return []
        if not (self.confirm and case.whole.index and rules.enforced_packages):
            return []
        found = sorted(await count_conflicts(self.store, case.whole, rules))
        unasked = [pair for pair in found if pair not in asked]
        return [pair for pair in unasked if rules.duties[pair].mode is Mode.ENFORCE]

    async def _enforce(self, case: _Case, judged: Judged) -> Enforced:
        if self.enforcement is Enforcement.OFF:
            return Enforced()
        entries = {entry.reference: entry async for entry in self.ledger.entries()}
        try:
            await self._look_for_gone_groups(case, entries)
            enforced = await self.enforcer.enforce_all(
                list(compile_references(case.rules, case.whole.packages)),
                self.enforcement,
                run_id=case.record.id,
                rules_hash=case.rules.hash,
                seen=case.whole.seen,
                entries=entries,
                may_prune=self._may_prune(case, judged),
            )
        except PERMANENT as error:
            case.whole.skip("the incompatible references of the sweep's packages", error)
            judged.has_gaps = True
            return Enforced()
        if enforced.stopped:
            case.whole.skip("writing the planned references", enforced.stopped)
        return enforced

    async def _look_for_gone_groups(self, case: _Case, ours: Iterable[Reference]) -> None:
        groups = await find_gone_groups(self.graph, ours)
        case.whole.seen.gone |= groups.gone
        if groups.unseen:
            case.whole.skip("whether groups that we refer to still exist", groups.unseen)

    def _may_prune(self, case: _Case, judged: Judged) -> Callable[[Reference], bool]:
        """Not where a gap hides what the rules may still ask for."""
        what = "removing references that no rule asks for"
        unread = case.whole.in_doubt
        if not self.prune:
            return _nothing
        if judged.has_gaps or case.plan.rules_hash != case.rules.hash:
            why = "a part of the sweep has gaps or saw other rules: what is stale is not known"
            case.whole.skip(what, why)
            return _nothing
        if unread:
            case.whole.skip(f"{what}, to groups or by packages that were not read", _why(unread))
        return lambda each: not may_be_asked_for(each, unread)

    def _result(self, case: _Case, judged: Judged, enforced: Enforced, took: Tally) -> SweepResult:
        plan, whole = case.plan, case.whole
        elapsed = (self.clock.now() - case.record.started_at).total_seconds()
        has_gaps = judged.has_gaps or bool(enforced.failed)
        return SweepResult(
            id=case.record.id,
            status=SweepStatus.COMPLETED_WITH_GAPS if has_gaps else SweepStatus.COMPLETED,
            pairs=judged.outcomes.as_counts(),
            findings=judged.findings,
            excepted=judged.excepted,
            results=judged.outcomes.summaries(),
            sets=judged.sets,
            references=references_view(enforced),
            drift=drift_views(enforced.drift, judged.outcomes, whole),
            coverage=whole.coverage(),
            strategy=StrategyView(chosen=plan.strategy, why=plan.why, ways=dict(whole.ways)),
            assignments=whole.assignments,
            requests=took.requests,
            round_trips=took.round_trips,
            throttled=took.throttled,
            throttled_seconds=took.throttled_seconds,
            rate=rate(took.requests, elapsed),
            started_at=timestamp(case.record.started_at),
            ended_at=timestamp(self.clock.now()),
            rules_hash=case.rules.hash,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """What a sweep is closed by."""

    record: SweepRecord
    plan: SweepPlan
    parts: Sequence[PartRecord]
    whole: Whole
    rules: RuleSet


def _nothing(_: Reference) -> bool:
    return False


def _why(unread: Collection[str]) -> str:
    return f"patterns may mean what was not read, and what it grants is not known: {sorted(unread)}"


def _tell_end(result: SweepResult) -> None:
    measure(result)
    log.info(
        "sweep %s ended: %s",
        result.id,
        result.status,
        extra={"action": "sweep_ended", "sweep_id": result.id, "status": result.status},
    )


def failed_result(record: SweepRecord, reason: str, at: datetime) -> SweepResult:
    """The answer for a sweep that came to nothing."""
    return SweepResult(
        id=record.id,
        status=SweepStatus.FAILED,
        pairs=PairCounts(total=0, conflict=0, clear=0, unknown=0),
        findings=0,
        excepted=0,
        results=[],
        sets=[],
        references=ReferencesView(),
        drift=[],
        coverage=Coverage(skipped=[Skipped(what="the whole sweep", why=reason)]),
        strategy=StrategyView(chosen="", why="", ways={}),
        assignments=0,
        requests=0,
        round_trips=0,
        throttled=0,
        throttled_seconds=0.0,
        rate=0.0,
        started_at=timestamp(record.started_at),
        ended_at=timestamp(at),
        rules_hash="",
    )
