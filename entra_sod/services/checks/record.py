"""What a check leaves behind: its own pair's findings brought up to date, and evidence."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from entra_sod.domain.detection.join import DetectedConflict
from entra_sod.domain.entra import Pair
from entra_sod.domain.evidence.rows import CoverageFile
from entra_sod.domain.findings.lifecycle import RunContext
from entra_sod.domain.findings.model import ChangeSource, Finding, FindingNames
from entra_sod.domain.findings.observe import FindingObserver, observed_conflicts
from entra_sod.domain.results.check import CheckResult
from entra_sod.domain.rules.ruleset import PairConstraint, RuleSet
from entra_sod.services.checks.found_only import FoundOnlyReading
from entra_sod.services.evidence.writer import EvidenceInput, EvidenceWriter
from entra_sod.services.findings.update import FindingsRun, FindingsUpdater, in_batches
from entra_sod.stores.evidence_chain import EvidenceChain
from entra_sod.stores.findings import StoredFinding


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckLook:
    """What a check can say of findings.

    Attributes:
        is_whole: whether all holders of the pair were read, so that no other subject holds both.
        gone: packages that do not exist, according to Graph.
        found_only: what was read for the rules that the app detects but cannot enforce.
    """

    is_whole: bool
    gone: Collection[str]
    found_only: FoundOnlyReading


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRecorder:
    updater: FindingsUpdater
    chain: EvidenceChain

    async def record(
        self,
        result: CheckResult,
        pair: Pair,
        rules: RuleSet,
        look: CheckLook,
        *,
        run: str,
        started_at: datetime,
    ) -> Sequence[Finding]:
        """Bring the findings of a check up to date, and leave evidence; twice does it once.

        Args:
            result: of the check, with all holders.
            pair: that was checked.
            rules: in force.
            look: what the check can say of findings.
            run: what the check is called in findings and evidence.
            started_at: when the check was asked for.
        """
        context = RunContext(
            by=ChangeSource.CHECK,
            run=run,
            at=result.as_of,
            rules_hash=result.rules_hash,
            rules_day=rules.day,
        )
        pack = await EvidenceWriter.open(self.chain, _evidence(result, run, started_at, rules))
        findings = [
            *await self._update_pair(result, pair, rules, look, context),
            *await self._update_found_only(rules, look, context),
        ]
        for finding in findings:
            await pack.add(finding)
        await pack.seal()
        return findings

    async def _update_pair(
        self,
        result: CheckResult,
        pair: Pair,
        rules: RuleSet,
        look: CheckLook,
        context: RunContext,
    ) -> Sequence[Finding]:
        asked = [pair] if look.is_whole else []
        observer = FindingObserver(rules=rules, asked=asked, gone=look.gone)
        stored = await self.updater.store.of_pair(pair)
        conflicts = _pair_conflicts(result, pair, rules.constraints.get(pair))
        return await self._update(stored, conflicts, FindingsRun(context, observer))

    async def _update_found_only(
        self, rules: RuleSet, look: CheckLook, context: RunContext
    ) -> Sequence[Finding]:
        found_only = look.found_only
        observer = FindingObserver(rules=rules, indexed=found_only.read)
        findings: list[Finding] = []
        for rule in found_only.rules:
            stored = await self.updater.store.of_found_only_rule(rule.id)
            conflicts = [each for each in found_only.conflicts if each.rules[0].id == rule.id]
            findings += await self._update(stored, conflicts, FindingsRun(context, observer))
        return findings

    async def _update(
        self,
        stored: Sequence[StoredFinding],
        conflicts: Iterable[DetectedConflict],
        run: FindingsRun,
    ) -> Sequence[Finding]:
        known = FindingNames.of(each.finding for each in stored)
        observed = [each for conflict in conflicts for each in observed_conflicts(conflict, known)]
        observed.sort(key=lambda each: each.id)
        findings: list[Finding] = []
        async for batch in in_batches(_each(stored), _each(observed)):
            findings += await self.updater.update(batch, run)
        return findings


def _pair_conflicts(
    result: CheckResult, pair: Pair, constraint: PairConstraint | None
) -> Iterator[DetectedConflict]:
    for holder in result.holders:
        rules = constraint.rules if constraint else ()
        yield DetectedConflict(rules=rules, packages=(*pair,), subject=holder.subject)


async def record_failure(
    chain: EvidenceChain, result: CheckResult, *, run: str, started_at: datetime
) -> None:
    """Write the evidence of a check that failed: it says why, and changes no finding."""
    pack = await EvidenceWriter.open(chain, _evidence(result, run, started_at, None))
    await pack.seal()


def _evidence(
    result: CheckResult, run: str, started_at: datetime, rules: RuleSet | None
) -> EvidenceInput:
    return EvidenceInput(
        run=run,
        kind="check",
        started_at=started_at,
        at=result.as_of,
        rules=rules,
        references=result.references,
        coverage=CoverageFile(
            outcome=result.outcome, pairs={result.outcome: 1}, coverage=result.coverage
        ),
    )


async def _each[T](values: Iterable[T]) -> AsyncIterator[T]:
    for value in values:
        yield value
