"""The answer of a sweep that has ended, and the metrics of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from entra_sod.core.clock import timestamp
from entra_sod.core.names import cut
from entra_sod.core.telemetry import record_sweep
from entra_sod.domain.entra import Reference
from entra_sod.domain.results.check import references_view, written_view
from entra_sod.domain.results.coverage import (
    Checked,
    Coverage,
    DetectionMethod,
    Outcome,
    Skipped,
)
from entra_sod.domain.results.rule_references import sweep_enforcement
from entra_sod.domain.results.status import SweepStatus
from entra_sod.domain.results.sweep import (
    OverlapSummary,
    PairCounts,
    ReferenceCounts,
    StrategyView,
    SweepResult,
)
from entra_sod.domain.rules.toxic import MAX_NAME_LENGTH, named_package
from entra_sod.services.sweeps.enforce import ReferenceWrites
from entra_sod.services.sweeps.evaluate import ClosingSweep, SweepVerdict, drift_views
from entra_sod.services.sweeps.progress import SweepCounts, rate
from entra_sod.stores.sweeps import SweepRecord

MAX_REFERENCES_IN_ANSWER = 1000
MAX_PACKAGES_IN_ANSWER = 1000


def result_of(
    closing: ClosingSweep,
    verdict: SweepVerdict,
    written: ReferenceWrites,
    took: SweepCounts,
    at: datetime,
) -> SweepResult:
    """What a sweep says that has looked."""
    plan, merged, enforced = closing.plan, closing.whole, written.enforced
    elapsed = (at - closing.record.started_at).total_seconds()
    has_written_all = written.is_whole and not written.has_damage
    is_whole = has_written_all and not verdict.has_gaps and all(g.hides for g in verdict.gaps)
    return SweepResult(
        id=closing.record.id,
        status=SweepStatus.COMPLETED if is_whole else SweepStatus.COMPLETED_WITH_GAPS,
        pairs=verdict.outcomes.as_counts(),
        findings=closing.conflicts.findings,
        excepted=closing.conflicts.excepted,
        results=verdict.outcomes.summaries(),
        sets=list(verdict.sets),
        toxic_packages=list(verdict.toxic[:MAX_PACKAGES_IN_ANSWER]),
        overlaps=_overlaps(closing),
        references=references_view(enforced, MAX_REFERENCES_IN_ANSWER),
        reference_counts=ReferenceCounts.of(enforced),
        stopped=enforced.stopped,
        drift=drift_views(enforced.drift),
        rule_enforcement=sweep_enforcement(
            written.setting, closing.rules, merged.packages, enforced.tally
        ),
        coverage=merged.coverage([*verdict.gaps, *written.gaps], _looked_at(verdict)),
        strategy=StrategyView(chosen=plan.strategy, why=plan.why, ways=dict(merged.ways)),
        assignments=merged.assignments,
        requests=took.requests,
        round_trips=took.round_trips,
        throttled=took.throttled,
        throttled_seconds=took.throttled_seconds,
        rate=rate(took.requests, elapsed),
        started_at=timestamp(closing.record.started_at),
        ended_at=timestamp(at),
        rules_hash=closing.rules.hash,
    )


def _looked_at(verdict: SweepVerdict) -> Iterator[Checked]:
    """The packages that meet a rule by themselves, whose holders were read."""
    for each in verdict.toxic:
        if each.outcome is not Outcome.UNKNOWN:
            named = named_package(each.access_package_id, each.display_name)
            yield Checked(what=f"who holds {named}: {each.why}", how=DetectionMethod.ASSIGNMENTS)


def _overlaps(closing: ClosingSweep) -> list[OverlapSummary]:
    return [
        OverlapSummary(
            access_package_id=each.package.id,
            display_name=cut(each.package.display_name, MAX_NAME_LENGTH),
            rule=each.rule.id,
            why=each.why,
        )
        for each in closing.alike.found[:MAX_PACKAGES_IN_ANSWER]
    ]


def failed_result(
    record: SweepRecord, reason: str, at: datetime, written: Sequence[Reference] = ()
) -> SweepResult:
    """The answer for a sweep that failed, which tells what it has written before."""
    references = written_view(written)
    return SweepResult(
        id=record.id,
        status=SweepStatus.FAILED,
        pairs=PairCounts(total=0, conflict=0, clear=0, unknown=0),
        findings=0,
        excepted=0,
        results=[],
        sets=[],
        references=references,
        reference_counts=ReferenceCounts.of(references),
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


def record_metrics(result: SweepResult) -> None:
    """Record a sweep's duration, findings and gaps; call it once for each sweep that ends."""
    start, end = map(datetime.fromisoformat, (result.started_at, result.ended_at))
    record_sweep(
        status=result.status,
        seconds=(end - start).total_seconds(),
        conflicts=result.findings,
        gaps=count_gaps(result),
    )


def count_gaps(result: SweepResult) -> int:
    """Pairs, sets and packages that are unknown, and references that Graph refused.

    A failed sweep is one gap.
    """
    if result.status == SweepStatus.FAILED:
        return 1
    alone = (each.outcome for each in result.toxic_packages)
    unknown_sets = [*(each.outcome for each in result.sets), *alone].count(Outcome.UNKNOWN)
    return result.pairs.unknown + unknown_sets + result.reference_counts.failed
