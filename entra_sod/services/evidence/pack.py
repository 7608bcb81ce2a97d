"""Leaves the evidence of a run: takes its findings one by one, and seals all of it as one pack."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import msgspec

from entra_sod.domain.evidence.manifest import folder_of
from entra_sod.domain.evidence.rows import (
    CoverageFile,
    belongs,
    csv_head,
    csv_line,
    finding_line,
    json_line,
    reference_lines,
)
from entra_sod.domain.findings.model import Finding
from entra_sod.domain.results.check import ReferencesView
from entra_sod.domain.rules.document import SourceFile
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.stores.evidence_chain import Chain
from entra_sod.stores.evidence_drafts import Draft, DraftFile, PartedFile

TOOL = "entra-sod 0.1.0"
# A sweep may plan millions of references, and others wait for the loop.
LINES_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a run leaves behind, but its findings.

    Attributes:
        started_at: the day of the pack's folder; the same whenever the run comes again.
        at: RFC 3339, when the run looked.
    """

    run: str
    kind: Literal["sweep", "check"]
    started_at: datetime
    at: str
    rules: RuleSet | None
    references: ReferencesView
    coverage: CoverageFile

    @property
    def folder(self) -> str:
        return folder_of(self.run, self.started_at)


@dataclass(frozen=True, slots=True)
class Packer:
    chain: Chain

    async def pack(
        self, evidence: Evidence, findings: AsyncIterator[Finding]
    ) -> AsyncIterator[Finding]:
        """Write findings down while they pass, and seal the pack after the last.

        Take all of them. A run whose pack is sealed has its findings passed on, and drafts that
        were left behind are dropped.
        """
        if await self.chain.is_sealed(evidence.folder):
            async for finding in findings:
                yield finding
            await self.chain.drafts.drop(evidence.run)
            return
        drafts, run = self.chain.drafts, evidence.run
        lines = PartedFile(drafts, run, "findings.jsonl")
        table = PartedFile(drafts, run, "findings.csv", csv_head())
        counts = Counter[str]()
        async for finding in findings:
            if belongs(finding, run):
                line = finding_line(finding, run)
                counts[line.state] += 1
                await lines.add(json_line(line))
                await table.add(csv_line(line))
            yield finding
        files = [*await lines.finish(), *await table.finish(), *await self._others(evidence)]
        draft = await drafts.keep(_draft(evidence, counts, files))
        await self.chain.seal(draft)

    async def _others(self, evidence: Evidence) -> Sequence[DraftFile]:
        references = PartedFile(self.chain.drafts, evidence.run, "references.jsonl")
        for number, line in enumerate(reference_lines(evidence.references)):
            await references.add(json_line(line))
            if number % LINES_AT_ONCE == 0:
                await asyncio.sleep(0)
        coverage = msgspec.json.format(msgspec.json.encode(evidence.coverage)) + b"\n"
        single = {"coverage.json": coverage, **_rules_files(evidence.rules)}
        return [
            *await references.finish(),
            *[
                await self.chain.drafts.keep_file(evidence.run, name, data)
                for name, data in single.items()
            ],
        ]


def _rules_files(rules: RuleSet | None) -> dict[str, bytes]:
    files: Sequence[SourceFile] = rules.files if rules else ()
    return {f"rules/{file.name}": file.text.encode() for file in files}


def _draft(evidence: Evidence, states: Counter[str], files: Sequence[DraftFile]) -> Draft:
    references = evidence.references
    counts = {
        "findings": states.total(),
        **{f"findings-{state}": number for state, number in sorted(states.items())},
        "references-planned": len(references.planned),
        "references-written": len(references.written),
        "references-removed": len(references.removed),
        "references-failed": len(references.failed),
        "gaps": len(evidence.coverage.coverage.skipped),
    }
    return Draft(
        run=evidence.run,
        kind=evidence.kind,
        folder=evidence.folder,
        at=evidence.at,
        tool=TOOL,
        rules_hash=evidence.rules.hash if evidence.rules else "",
        counts=counts,
        files=list(files),
    )
