"""Gathers a report from what is stored: the newest sweep that ended, the rules, earlier sweeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from entra_sod.core.clock import Clock
from entra_sod.core.errors import GraphError
from entra_sod.core.parallel import in_parallel
from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.report.changes import ChangeTotals
from entra_sod.domain.results.coverage import Coverage, rule_gaps
from entra_sod.domain.results.status import SweepStatus
from entra_sod.domain.results.sweep import SweepResult
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.ports.graph import Graph
from entra_sod.services.report.build import ReportInput
from entra_sod.services.report.totals import FindingTotals
from entra_sod.services.report.view import ReportView
from entra_sod.services.sweeps.summary import last_summary
from entra_sod.stores.findings import FindingStore
from entra_sod.stores.sweeps import SweepRecord, SweepStore
from entra_sod.stores.write_controls import WriteControls

MAX_SWEEPS = 30
_results = msgspec.json.Decoder(SweepResult)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportMaker:
    graph: Graph
    sweeps: SweepStore
    findings: FindingStore
    controls: WriteControls
    max_writes_per_day: int
    clock: Clock
    graph_root: str = ""

    async def make(self, rules: RuleSet) -> ReportView:
        """Gather everything; what cannot be read is a gap, never a blank.

        Args:
            rules: in force now.

        Raises:
            StorageUnavailable: try again later.
        """
        notes = Coverage(skipped=[*rule_gaps(rules)])
        result, latest = await self._swept(notes, rules), await self.sweeps.latest()
        tally = FindingTotals(
            {each.id: each.rule.severity for each in rules.rules},
            changes=ChangeTotals(result.id if result else ""),
        )
        if result is not None:
            await self._count(tally, result, notes)
        return ReportInput(
            now=self.clock.now(),
            rules=rules,
            result=result,
            earlier=await self._earlier(),
            totals=tally,
            names=await self._names(notes),
            gaps=notes.skipped,
            writing=await self.controls.state(self.max_writes_per_day),
            newest_failed=latest is not None and latest.status is SweepStatus.FAILED,
            tenant=await self._tenant(),
            graph_root=self.graph_root,
        ).view()

    async def _tenant(self) -> str:
        """The tenant's id; without a token it is not known, and the names are a gap anyway."""
        try:
            return await self.graph.tenant_id()
        except GraphError:
            return ""

    async def _count(self, tally: FindingTotals, result: SweepResult, notes: Coverage) -> None:
        async for kept in self.findings.all():
            tally.add(kept.finding)
        # Every conflict of a sweep becomes a finding, which is kept long after it has ended.
        if tally.total < result.findings:
            tally.is_whole = False
            why = f"it found {result.findings:,}, and {tally.total:,} are kept"
            notes.skip("a part of the sweep's findings", why)

    async def _swept(self, notes: Coverage, rules: RuleSet) -> SweepResult | None:
        summary, latest = await last_summary(self.sweeps), await self.sweeps.latest()
        record = await self.sweeps.get(summary.sweep_id) if summary else None
        result = await self._result(record) if record else None
        if latest and (result is None or latest.id != result.id):
            why = await self._why_not_newest(latest)
            notes.skip(f"what the newest sweep, {latest.id}, would show", why)
        if summary is None or result is None:
            notes.skip("every pair", "no sweep has ended whose result is kept")
            return None
        if result.rules_hash != rules.hash:
            why = "the rules have changed since the sweep; the next sweep reads it"
            notes.skip("what only the rules in force now keep apart", why)
        return result

    async def _why_not_newest(self, latest: SweepRecord) -> str:
        if latest.status is SweepStatus.FAILED and (result := await self._result(latest)):
            return "; ".join(["it failed", *(each.why for each in result.coverage.skipped)])
        return f"it is {latest.status}"

    async def _result(self, record: SweepRecord) -> SweepResult | None:
        data = await self.sweeps.result(record)
        return _results.decode(data) if data else None

    async def _earlier(self) -> list[SweepResult]:
        records = await self.sweeps.newest_ended(MAX_SWEEPS)
        found = await in_parallel(self._result, records)
        return [each for each in reversed(found) if each is not None]

    async def _names(self, notes: Coverage) -> Sequence[AccessPackage]:
        try:
            return await self.graph.packages()
        except GraphError as error:
            notes.skip("names and catalogs of access packages", error)
            return []
