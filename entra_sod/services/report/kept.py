"""Findings as they are kept, for a report."""

from __future__ import annotations

from collections.abc import AsyncIterator

from entra_sod.domain.findings.model import Finding, State
from entra_sod.services.report.port import FindingRecord
from entra_sod.stores.findings import FindingStore


class KeptFindings:
    """Every finding that there is a row of, those that have ended among them."""

    def __init__(self, store: FindingStore) -> None:
        self._store = store

    async def all(self) -> AsyncIterator[FindingRecord]:
        async for kept in self._store.all():
            yield _record(kept.finding)


def _record(finding: Finding) -> FindingRecord:
    is_excepted = finding.state is State.EXCEPTED
    return FindingRecord(
        id=finding.id,
        rule=finding.rule,
        packages=finding.packages,
        subject_id=finding.subject_id,
        object_id=finding.object_id,
        display_name=finding.display_name,
        state=finding.state,
        first_seen=finding.first_seen,
        last_seen=finding.last_seen,
        exception=finding.exception if is_excepted else None,
    )
