"""Findings as the newest sweep left them: its lines of conflicts, read from storage."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

import msgspec

from functions.report.port import FindingRecord
from functions.rules.ruleset import RuleSet
from functions.sweeps.conflicts import ConflictLine
from functions.sweeps.store import SweepStore

_decoder = msgspec.json.Decoder(ConflictLine)


class SweptFindings:
    """The conflicts of one sweep: each rule's is a finding, seen when the sweep ended."""

    def __init__(
        self, store: SweepStore, files: Sequence[str], rules: RuleSet, *, seen_at: str
    ) -> None:
        self._store, self._files, self._seen_at = store, files, seen_at
        self._rule_of = {each.id: each.rule for each in rules.exceptions}

    async def all(self) -> AsyncIterator[FindingRecord]:
        for file in self._files:
            for line in (await self._store.blob(file)).splitlines():
                for found in self._of(_decoder.decode(line)):
                    yield found

    def _of(self, line: ConflictLine) -> Iterator[FindingRecord]:
        by_rule: Mapping[str, str] = {
            self._rule_of[each]: each for each in line.exceptions if each in self._rule_of
        }
        packages = sorted(line.access_package_ids)
        for rule in line.rules:
            yield FindingRecord(
                id=_id(rule, packages, line.subject_id),
                rule=rule,
                packages=packages,
                subject_id=line.subject_id,
                object_id=line.object_id,
                display_name=line.display_name,
                state="excepted" if line.exceptions else "open",
                first_seen=self._seen_at,
                last_seen=self._seen_at,
                exception=by_rule.get(rule),
            )


def _id(rule: str, packages: Sequence[str], subject_id: str) -> str:
    data = msgspec.json.encode([rule, packages, subject_id])
    return hashlib.sha256(data).hexdigest()[:32]
