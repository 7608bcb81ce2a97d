"""The evidence of `entra-sod apply`: what it wrote and removed, sealed like that of a sweep."""

from __future__ import annotations

from datetime import datetime

from entra_sod.cli.operations.plan_document import PlanDocument
from entra_sod.core.clock import timestamp
from entra_sod.domain.enforcement.result import EnforcementResult
from entra_sod.domain.evidence.rows import CoverageFile
from entra_sod.domain.results.check import references_view
from entra_sod.domain.results.coverage import Coverage
from entra_sod.services.enforcement.reference_writer import AppliedPlan
from entra_sod.services.evidence.writer import EvidenceInput, EvidenceWriter
from entra_sod.stores.evidence_chain import EvidenceChain


async def seal_apply(
    chain: EvidenceChain,
    plan: PlanDocument,
    applied: AppliedPlan,
    run_id: str,
    started_at: datetime,
) -> None:
    """Seal what a try of a plan has done, also where an error ended it."""
    enforced = EnforcementResult(
        present=(*plan.unchanged, *applied.found_present),
        planned=tuple(each.reference for each in plan.additions),
        written=tuple(applied.written),
        removed=tuple(applied.removed),
        failed=tuple(applied.failed),
        held=plan.held,
    )
    evidence = EvidenceInput(
        run=run_id,
        kind="apply",
        started_at=started_at,
        at=timestamp(started_at),
        rules=None,
        references=references_view(enforced),
        coverage=CoverageFile(outcome="applied", pairs={}, coverage=Coverage()),
    )
    await (await EvidenceWriter.open(chain, evidence)).seal()
