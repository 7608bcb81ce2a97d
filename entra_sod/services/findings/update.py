"""Brings findings up to date with what a run saw: both in the order of their ids, side by side.

    async for batch in in_batches(stored, observed conflicts):
        for finding in await keeper.keep(batch, run):
            …

Only one batch is in memory at a time. A run that is repeated after a crash goes through all
findings again. What it had decided stays, and is announced again.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from entra_sod.domain.findings.lifecycle import RunContext, decide_next
from entra_sod.domain.findings.model import Finding, FindingState, ObservedConflict
from entra_sod.domain.findings.observe import FindingObserver
from entra_sod.ports.storage import MAX_BATCH_ROWS
from entra_sod.stores.findings import FindingStore, StoredFinding, partition_of

SALT_BYTES = 16

# A finding as it is kept, and what a run saw of it; one of them may be missing.
type FindingMatch = tuple[StoredFinding | None, ObservedConflict | None]


@dataclass(frozen=True, slots=True)
class FindingsRun:
    """A sweep or a check: when it looked, and what it can say."""

    context: RunContext
    observer: FindingObserver


@dataclass(frozen=True, slots=True)
class _Step:
    """A finding before and after a run.

    Attributes:
        after: None where there is nothing to change.
        is_over: it ended so long ago that it is to be removed.
    """

    before: StoredFinding | None
    conflict: ObservedConflict | None
    after: Finding | None
    is_over: bool = False

    @property
    def id(self) -> str:
        known = self.before.finding if self.before else self.conflict
        return known.id if known else ""

    @property
    def outcome(self) -> Finding | None:
        if self.is_over:
            return None
        return self.after or (self.before.finding if self.before else None)

    @property
    def put(self) -> list[StoredFinding]:
        etag = self.before.etag if self.before else ""
        return [StoredFinding(self.after, etag)] if self.after else []

    @property
    def removal(self) -> list[StoredFinding]:
        return [self.before] if self.before and self.is_over else []


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingsUpdater:
    """Keeps findings up to date, for so long after their end as `retention` says."""

    store: FindingStore
    retention: timedelta

    async def update(self, batch: Sequence[FindingMatch], run: FindingsRun) -> Sequence[Finding]:
        """Decide on a batch and write it; give the findings as they then stand, in their order."""
        steps = [self._step(before, conflict, run) for before, conflict in batch]
        puts = [kept for step in steps for kept in step.put]
        removals = [kept for step in steps for kept in step.removal]
        late = set(await self.store.write(puts, removals))
        done = [await self._again(step, run) if step.id in late else step for step in steps]
        return [step.outcome for step in done if step.outcome]

    def _step(
        self, before: StoredFinding | None, conflict: ObservedConflict | None, run: FindingsRun
    ) -> _Step:
        known = before.finding if before else None
        look = run.observer.observe(known, conflict)
        after = decide_next(known, look, run.context, salt=secrets.token_hex(SALT_BYTES))
        is_over = known is not None and after is None and self._is_over(known, run)
        return _Step(before, conflict, after, is_over)

    async def _again(self, step: _Step, run: FindingsRun) -> _Step:
        """Decide again on a finding that another worker has changed in the meantime."""
        while True:
            before = await self.store.get(step.id)
            if before is None and step.conflict is None:
                return _Step(None, None, None)
            anew = self._step(before, step.conflict, run)
            if not await self.store.write(anew.put, anew.removal):
                return anew

    def _is_over(self, finding: Finding, run: FindingsRun) -> bool:
        if finding.state not in (FindingState.RESOLVED, FindingState.ON_HOLD):
            return False
        since, now = map(datetime.fromisoformat, (finding.since, run.context.at))
        return now - since > self.retention


async def in_batches(
    stored: AsyncIterator[StoredFinding], conflicts: AsyncIterator[ObservedConflict]
) -> AsyncIterator[Sequence[FindingMatch]]:
    """Put findings and observed conflicts of the same id together, as many as are written at once.

    Args:
        stored: every finding that a run can say something of, in the order of their ids.
        conflicts: of the run, in the same order, each once.
    """
    batch: list[FindingMatch] = []
    async for met in _merge_by_id(stored, conflicts):
        if batch and (len(batch) == MAX_BATCH_ROWS or _partition(met) != _partition(batch[0])):
            yield batch
            batch = []
        batch.append(met)
    if batch:
        yield batch


def _partition(met: FindingMatch) -> str:
    before, conflict = met
    return partition_of(before.finding.id if before else conflict.id if conflict else "")


async def _merge_by_id(
    stored: AsyncIterator[StoredFinding], conflicts: AsyncIterator[ObservedConflict]
) -> AsyncIterator[FindingMatch]:
    """Pair findings with observed conflicts of the same id; either may be alone."""
    kept, seen = await anext(stored, None), await anext(conflicts, None)
    while kept or seen:
        has_kept = kept is not None and (seen is None or kept.finding.id <= seen.id)
        has_seen = seen is not None and (kept is None or seen.id <= kept.finding.id)
        yield kept if has_kept else None, seen if has_seen else None
        if has_kept:
            kept = await anext(stored, None)
        if has_seen:
            seen = await anext(conflicts, None)
