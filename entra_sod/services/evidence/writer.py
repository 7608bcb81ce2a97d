"""The evidence of a run: its findings one by one, and all of it sealed as one pack."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

import msgspec

from entra_sod.core.version import VERSION
from entra_sod.domain.entra import Reference
from entra_sod.domain.evidence.manifest import EvidenceKind, EvidenceManifest, folder_of
from entra_sod.domain.evidence.rows import (
    CoverageFile,
    csv_head,
    csv_line,
    finding_line,
    is_in_evidence,
    json_line,
    ownership_lines,
    reference_lines,
)
from entra_sod.domain.findings.model import Finding
from entra_sod.domain.results.check import ReferencesView
from entra_sod.domain.rules.document import SourceFile
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.stores.evidence_chain import EvidenceChain
from entra_sod.stores.evidence_drafts import DraftFile, EvidenceDraft, RollingFile

TOOL = f"entra-sod {VERSION}"
# A sweep may plan millions of references, and others wait for the loop.
LINES_AT_ONCE = 1_000
ADOPTED_COUNT, RETURNED_COUNT = "references-adopted", "references-returned"


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceInput:
    """What a run leaves behind, but its findings.

    Attributes:
        started_at: the day of the pack's folder; a repeated run has the same one.
        at: RFC 3339, when the run looked.
        adopted: references of people that the app took over: from now on they are its own.
        returned: references that were adopted, and that the app gave back.
    """

    run: str
    kind: EvidenceKind
    started_at: datetime
    at: str
    rules: RuleSet | None
    references: ReferencesView
    coverage: CoverageFile
    adopted: Sequence[Reference] = ()
    returned: Sequence[Reference] = ()

    @property
    def folder(self) -> str:
        return folder_of(self.run, self.started_at)


class EvidenceWriter:
    """The evidence of a run while it grows: findings are added one by one, and all is sealed.

    Where the run's pack is sealed already nothing is written, and drafts left behind are dropped.
    """

    def __init__(self, chain: EvidenceChain, evidence: EvidenceInput, *, is_sealed: bool) -> None:
        self._chain, self._evidence, self._is_sealed = chain, evidence, is_sealed
        self._lines = self._file("findings.jsonl")
        self._table = self._file("findings.csv", csv_head())
        self._states = Counter[str]()

    @classmethod
    async def open(cls, chain: EvidenceChain, evidence: EvidenceInput) -> EvidenceWriter:
        return cls(chain, evidence, is_sealed=await chain.is_sealed(evidence.folder))

    async def add(self, finding: Finding) -> None:
        """Write a finding down, as it stands after the run."""
        run = self._evidence.run
        if self._is_sealed or not is_in_evidence(finding, run):
            return
        line = finding_line(finding, run)
        self._states[line.state] += 1
        await self._lines.add(json_line(line))
        await self._table.add(csv_line(line))

    async def seal(self) -> None:
        """Add the rest, and seal the pack; call it once, after the last finding."""
        drafts = self._chain.drafts
        if self._is_sealed:
            await drafts.delete(self._evidence.run)
            return
        files = [
            *await self._lines.finish(),
            *await self._table.finish(),
            *await self._other_files(),
        ]
        draft = await drafts.store(_draft(self._evidence, self._states, files))
        await self._chain.seal(draft)

    async def _other_files(self) -> Sequence[DraftFile]:
        evidence, references = self._evidence, self._file("references.jsonl")
        lines = chain(
            reference_lines(evidence.references),
            ownership_lines(evidence.adopted, "adopted"),
            ownership_lines(evidence.returned, "returned"),
        )
        for number, line in enumerate(lines):
            await references.add(json_line(line))
            if number % LINES_AT_ONCE == 0:
                await asyncio.sleep(0)
        coverage = msgspec.json.format(msgspec.json.encode(evidence.coverage)) + b"\n"
        single = {"coverage.json": coverage, **_rules_files(evidence.rules)}
        return [
            *await references.finish(),
            *[
                await self._chain.drafts.store_file(evidence.run, name, data)
                for name, data in single.items()
            ],
        ]

    def _file(self, name: str, head: bytes = b"") -> RollingFile:
        return RollingFile(self._chain.drafts, self._evidence.run, name, head)


def _rules_files(rules: RuleSet | None) -> dict[str, bytes]:
    files: Sequence[SourceFile] = rules.files if rules else ()
    return {f"rules/{file.name}": file.text.encode() for file in files}


def _draft(
    evidence: EvidenceInput, states: Counter[str], files: Sequence[DraftFile]
) -> EvidenceDraft:
    references = evidence.references
    counts = {
        "findings": states.total(),
        **{f"findings-{state}": number for state, number in sorted(states.items())},
        "references-planned": len(references.planned),
        "references-written": len(references.written),
        "references-removed": len(references.removed),
        "references-held": len(references.held),
        "references-failed": len(references.failed),
        "gaps": len(evidence.coverage.coverage.skipped),
        **({ADOPTED_COUNT: len(evidence.adopted)} if evidence.adopted else {}),
        **({RETURNED_COUNT: len(evidence.returned)} if evidence.returned else {}),
    }
    manifest = EvidenceManifest(
        version=1,
        run=evidence.run,
        kind=evidence.kind,
        folder=evidence.folder,
        at=evidence.at,
        tool=TOOL,
        rules_hash=evidence.rules.hash if evidence.rules else "",
        counts=counts,
        files=[each.entry for each in files],
        sequence=0,
        previous=None,
    )
    return EvidenceDraft(manifest=manifest, files=list(files))
