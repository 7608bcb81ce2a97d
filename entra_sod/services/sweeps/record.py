"""What a sweep leaves behind: findings brought up to date, and evidence."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass

import msgspec

from entra_sod.core.clock import timestamp
from entra_sod.domain.entra import Pair
from entra_sod.domain.evidence.rows import CoverageFile
from entra_sod.domain.findings.digest import RunNotifications
from entra_sod.domain.findings.lifecycle import RunContext
from entra_sod.domain.findings.model import ChangeSource
from entra_sod.domain.findings.observe import FindingObserver
from entra_sod.domain.notifications.kept_event import RunReferences
from entra_sod.domain.results.check import ReferencesView, remade_view
from entra_sod.domain.results.sweep import SweepResult
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.services.evidence.writer import EvidenceInput, EvidenceWriter
from entra_sod.services.findings.external_sort import read_sorted
from entra_sod.services.findings.update import FindingsRun, FindingsUpdater, in_batches
from entra_sod.services.notifications.announce import Announcer
from entra_sod.services.sweeps.enforce import ReferenceWrites
from entra_sod.services.sweeps.evaluate import ClosingSweep
from entra_sod.stores.evidence_chain import EvidenceChain
from entra_sod.stores.sweeps import SweepRecord, SweepStore

log = logging.getLogger("entra_sod")


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRecorder:
    store: SweepStore
    updater: FindingsUpdater
    chain: EvidenceChain
    announcer: Announcer

    async def record(
        self,
        closing: ClosingSweep,
        doubtful: Collection[Pair],
        result: SweepResult,
        written: ReferenceWrites,
        *,
        traceparent: str,
    ) -> None:
        """Update all findings, write the evidence, and announce the changes.

        It may be repeated: an announcement that is repeated has the same event id.
        """
        sweep_id, rules = closing.record.id, closing.rules
        notifications, run = RunNotifications(sweep_id, rules), _run(closing, doubtful)
        evidence = _evidence(closing.record, rules, result, remade_view(written.enforced))
        pack = await EvidenceWriter.open(self.chain, evidence)
        observed = read_sorted(self.store, closing.conflicts.seen)
        async for batch in in_batches(self.updater.store.all(), observed):
            for finding in await self.updater.update(batch, run):
                await pack.add(finding)
                notifications.add(finding)
        await pack.seal()
        writes = RunReferences(
            run=sweep_id,
            references=result.references,
            counts=result.reference_counts,
            stopped=result.stopped,
            is_all=written.is_whole,
        )
        if written.changes is not None:
            await self.announcer.announce_changes(
                sweep_id, written.changes, traceparent=traceparent
            )
        await self._announce(writes, notifications, traceparent)

    async def _announce(
        self, writes: RunReferences, notifications: RunNotifications, traceparent: str
    ) -> None:
        sweep_id, references = writes.run, writes.references
        newly_held = await self.announcer.kept.newly_held(references.held)
        notifications.add_references("written", references.written)
        notifications.add_references("removed", references.removed)
        notifications.add_references("held", newly_held)
        notifications.add_references("left", writes.left)
        digests = [msgspec.json.encode(each) for each in notifications.digests(writes.stopped)]
        for number, digest in enumerate(digests):
            await self.store.store_digest(sweep_id, number, digest)
        await self.announcer.announce_digests(sweep_id, len(digests), traceparent=traceparent)
        await self.announcer.announce_findings(
            sweep_id, notifications.tickets, traceparent=traceparent
        )
        await self.announcer.announce_writes(writes, newly_held, traceparent=traceparent)
        if notifications.omitted_tickets:
            log.warning(
                "%s findings of %s are over the limit of tickets, so only digests contain them",
                notifications.omitted_tickets,
                sweep_id,
                extra={"action": "tickets_over_limit", "sweep_id": sweep_id},
            )

    async def record_failure(self, record: SweepRecord, result: SweepResult) -> None:
        """Write the evidence of a sweep that failed. It changes no finding."""
        evidence = _evidence(record, None, result, result.references)
        await (await EvidenceWriter.open(self.chain, evidence)).seal()


def _run(closing: ClosingSweep, doubtful: Collection[Pair]) -> FindingsRun:
    """When the sweep looked, and what it can say."""
    record, parts, rules = closing.record, closing.whole, closing.rules
    context = RunContext(
        by=ChangeSource.SWEEP,
        run=record.id,
        at=timestamp(record.started_at),
        rules_hash=rules.hash,
        rules_day=rules.day,
    )
    view = FindingObserver(
        rules=rules,
        asked=parts.asked.keys(),
        indexed=parts.pages.keys(),
        doubtful=doubtful,
        gone=parts.references.gone,
        toxic=closing.toxic,
        knows_grants=closing.alike.knows,
    )
    return FindingsRun(context, view)


def _evidence(
    record: SweepRecord, rules: RuleSet | None, result: SweepResult, references: ReferencesView
) -> EvidenceInput:
    pairs = {"conflict": result.pairs.conflict, "clear": result.pairs.clear}
    return EvidenceInput(
        run=record.id,
        kind="sweep",
        started_at=record.started_at,
        at=timestamp(record.started_at),
        rules=rules,
        references=references,
        coverage=CoverageFile(
            outcome=result.status,
            pairs={**pairs, "unknown": result.pairs.unknown},
            coverage=result.coverage,
        ),
    )
