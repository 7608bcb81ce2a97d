"""What a check leaves behind: its own pair's findings brought up to date, and evidence."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from entra_sod.domain.detection.join import DetectedConflict
from entra_sod.domain.entra import Pair
from entra_sod.domain.evidence.rows import CoverageFile
from entra_sod.domain.findings.lifecycle import RunContext
from entra_sod.domain.findings.model import ChangeSource, Finding, ObservedConflict, ids_as_found
from entra_sod.domain.findings.observe import FindingObserver, observed_conflicts
from entra_sod.domain.results.check import CheckResult
from entra_sod.domain.rules.ruleset import PairConstraint, RuleSet
from entra_sod.services.evidence.writer import EvidenceInput, EvidenceWriter
from entra_sod.services.findings.update import FindingsRun, FindingsUpdater, in_batches
from entra_sod.stores.evidence_chain import EvidenceChain


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRecorder:
    updater: FindingsUpdater
    chain: EvidenceChain

    async def record(
        self,
        result: CheckResult,
        pair: Pair,
        rules: RuleSet,
        gone: Collection[str],
        *,
        is_whole: bool,
        run: str,
        started_at: datetime,
    ) -> Sequence[Finding]:
        """Bring the pair's findings up to date, and leave evidence; twice does it once.

        Args:
            result: of the check, with all holders.
            pair: that was checked.
            rules: in force.
            gone: packages that Graph says do not exist.
            is_whole: whether all holders are known: then nobody else holds both.
            run: what the check is called in findings and evidence.
            started_at: when the check was asked for.
        """
        asked = [pair] if is_whole else []
        context = RunContext(
            by=ChangeSource.CHECK,
            run=run,
            at=result.as_of,
            rules_hash=result.rules_hash,
            rules_day=rules.day,
        )
        look = FindingsRun(context, FindingObserver(rules=rules, asked=asked, gone=gone))
        stored = await self.updater.store.of_pair(pair)
        known = ids_as_found(each.finding for each in stored)
        sightings = _sightings(result, pair, rules.constraints.get(pair), known)
        seen = sorted(sightings, key=lambda each: each.id)
        pack = await EvidenceWriter.open(self.chain, _evidence(result, run, started_at, rules))
        findings: list[Finding] = []
        async for batch in in_batches(_each(stored), _each(seen)):
            findings += await self.updater.update(batch, look)
        for finding in findings:
            await pack.add(finding)
        await pack.seal()
        return findings


def _sightings(
    result: CheckResult, pair: Pair, constraint: PairConstraint | None, known: Mapping[str, str]
) -> Iterable[ObservedConflict]:
    rules = constraint.rules if constraint else ()
    for holder in result.holders:
        found = DetectedConflict(rules=rules, packages=(*pair,), subject=holder.subject)
        yield from observed_conflicts(found, known)


async def record_failure(
    chain: EvidenceChain, result: CheckResult, *, run: str, started_at: datetime
) -> None:
    """Leave the evidence of a check that came to nothing: it says why, and changes no finding."""
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
