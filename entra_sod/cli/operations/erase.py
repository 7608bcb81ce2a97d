"""Erases a person's data: first finds all of it, then removes it, and leaves evidence provable.

Evidence names people only by salted hashes, whose salts are removed with the findings. Only the
rules files in it may name a person, as the subject of an exception. Such a file is replaced by a
tombstone with its hash, and `evidence verify` reports it. Ids compare without regard to case: the
app writes small letters, people may write capitals.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, field

import msgspec

from entra_sod.cli.operations.evidence_files import Tombstone, tombstone_of
from entra_sod.core.clock import Clock, timestamp
from entra_sod.core.errors import StorageUnavailable
from entra_sod.domain.evidence.manifest import CONTAINER as EVIDENCE
from entra_sod.domain.evidence.manifest import MANIFEST, digest
from entra_sod.domain.results.status import CheckStatus
from entra_sod.ports.storage import Row, Storage
from entra_sod.services.findings.query import FindingsQuery
from entra_sod.stores import checks, sweeps
from entra_sod.stores.evidence_drafts import CONTAINER as DRAFTS
from entra_sod.stores.exception_subjects import ExceptionSubjectStore
from entra_sod.stores.findings import FindingStore, StoredFinding
from entra_sod.stores.sweeps import SweepStore

_RULES = "/rules/"


@dataclass(slots=True)
class Traces:
    """Where a person's data lies.

    Attributes:
        findings: with their salts.
        checks: rows and blobs of checks whose result names the person.
        sweeps: blobs of sweeps that have ended.
        rules: rules files in evidence, with an exception for the person.
        exceptions: rows that say whom the name of an exception was for.
        drafts: runs whose pack is sealed, and whose drafts were left behind.
        kept: what cannot be removed, and why.
    """

    findings: list[StoredFinding] = field(default_factory=list)
    checks: list[Row] = field(default_factory=list)
    check_blobs: list[str] = field(default_factory=list)
    sweeps: list[str] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)
    drafts: list[str] = field(default_factory=list)
    exceptions: list[Row] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Eraser:
    storage: Storage
    clock: Clock

    async def find(self, subject: str, *, names: Collection[str] = ()) -> Traces:
        """Find everything that names a person by either id, or by an id of the other kind.

        The findings know both ids of a person; what else is looked through is looked through for
        both. It reads all results and sweeps that are kept, which may take minutes. Where an
        exception named the person, the app remembers the name: that is looked for, too.

        Args:
            subject: either id.
            names: user principal names of the same person.
        """
        traces, known = Traces(), subject.lower()
        # First of all: what ends while this looks may have kept the person behind its back.
        running = await self._find_running(traces)
        store = FindingStore(self.storage)
        async for kept in store.all(where=FindingsQuery(subject=known).where):
            traces.findings.append(kept)
        ids = {known, *(each for kept in traces.findings for each in kept.finding.subject_ids)}
        remembered = ExceptionSubjectStore(self.storage, self.clock)
        traces.exceptions = [row async for row in remembered.of(ids)]
        known_names = {*names, *(str(row.values["name"]) for row in traces.exceptions)}
        words = [each.lower().encode() for each in sorted({*ids, *known_names})]
        await self._find_checks(traces, words)
        await self._find_sweeps(traces, words, running)
        await self._find_rules(traces, words)
        await self._find_drafts(traces, words)
        return traces

    async def erase(self, traces: Traces) -> None:
        """Remove what was found; what storage does not let go is added to `kept`."""
        store = FindingStore(self.storage)
        for kept in traces.findings:
            if late := await store.write([], [kept]):
                traces.kept.append(f"finding {late[0]} was changed just now: run this again")
        for row in traces.checks:
            await self.storage.table(checks.TABLE).delete(row.partition, row.key)
        for name in traces.check_blobs:
            await self.storage.blobs.delete(checks.CONTAINER, name)
        for name in traces.sweeps:
            await self.storage.blobs.delete(sweeps.CONTAINER, name)
        for name in traces.rules:
            await self._write_tombstone(name, traces)
        for run in traces.drafts:
            await self._drop_files(run)
        remembered = ExceptionSubjectStore(self.storage, self.clock)
        for row in traces.exceptions:
            await remembered.forget(row)

    async def _find_running(self, traces: Traces) -> dict[str, bool]:
        """Name the work that has not ended: it may have read the person and not kept it yet."""
        store = SweepStore(self.storage, self.clock)
        ids = {row.partition async for row in self.storage.table(sweeps.TABLE).rows()}
        announced = await store.announced()
        running = dict[str, bool]()
        for sweep_id in sorted(ids | ({announced} if announced else set())):
            record = await store.get(sweep_id)
            # One that was announced has no row before its message is there.
            running[sweep_id] = not record.status.has_ended if record else sweep_id == announced
        traces.kept += [_under_way("sweep", each) for each in running if running[each]]
        async for row in self._check_rows():
            if not CheckStatus(str(row.values["status"])).has_ended:
                traces.kept.append(_under_way("check", row.partition))
        return running

    async def _find_checks(self, traces: Traces, words: Sequence[bytes]) -> None:
        async for name in self._naming(checks.CONTAINER, words):
            traces.check_blobs.append(name)
        touched = {name.partition("/")[0] for name in traces.check_blobs}
        async for row in self._check_rows():
            result = row.values.get("result")
            names_it = isinstance(result, bytes) and _has(result, words)
            if names_it or row.partition in touched:
                traces.checks.append(row)

    async def _check_rows(self) -> AsyncIterator[Row]:
        async for row in self.storage.table(checks.TABLE).rows():
            if row.key == checks.ROW_KEY:
                yield row

    async def _find_sweeps(
        self, traces: Traces, words: Sequence[bytes], running: dict[str, bool]
    ) -> None:
        store = SweepStore(self.storage, self.clock)
        async for name in self._naming(sweeps.CONTAINER, words):
            sweep_id = name.partition("/")[0]
            if sweep_id not in running:
                record = await store.get(sweep_id)
                running[sweep_id] = record is not None and not record.status.has_ended
                if running[sweep_id]:
                    traces.kept.append(_under_way("sweep", sweep_id))
            if not running[sweep_id]:
                traces.sweeps.append(name)

    async def _find_rules(self, traces: Traces, words: Sequence[bytes]) -> None:
        async for name in self._naming(EVIDENCE, words):
            if name.endswith(tombstone_of("")):
                traces.kept.append(f"{EVIDENCE}/{name} names the person, and is not written over")
            elif _RULES in name:
                traces.rules.append(name)

    async def _find_drafts(self, traces: Traces, words: Sequence[bytes]) -> None:
        """Drafts outlive their pack only where a worker died; its run may never come again."""
        runs = {name.partition("/")[0]: None async for name in self._naming(DRAFTS, words)}
        for run in runs:
            manifest = f"/{run}/{MANIFEST}"
            names = self.storage.blobs.names(EVIDENCE)
            if [name async for name in names if name.endswith(manifest)]:
                traces.drafts.append(run)
            else:
                traces.kept.append(f"{DRAFTS}/{run}: its pack is not sealed yet: run this again")

    async def _drop_files(self, run: str) -> None:
        """Remove a run's drafted files. Its row beside the chain's head names no person."""
        names = [name async for name in self.storage.blobs.names(DRAFTS, f"{run}/")]
        for name in names:
            await self.storage.blobs.delete(DRAFTS, name)

    async def _naming(self, container: str, words: Sequence[bytes]) -> AsyncIterator[str]:
        async for name in self.storage.blobs.names(container):
            data = await self.storage.blobs.get(container, name) or b""
            if _has(data, words):
                yield name

    async def _write_tombstone(self, name: str, traces: Traces) -> None:
        """Put a tombstone beside a rules file, then remove the file."""
        blobs = self.storage.blobs
        data = await blobs.get(EVIDENCE, name)
        if data is None:
            return
        stone = Tombstone(at=timestamp(self.clock.now()), sha256=digest(data))
        await blobs.create(EVIDENCE, tombstone_of(name), msgspec.json.encode(stone))
        try:
            await blobs.delete(EVIDENCE, name)
        except StorageUnavailable as error:
            traces.kept.append(f"{EVIDENCE}/{name}: {error}")


def _under_way(what: str, work_id: str) -> str:
    return f"{what} {work_id} is under way: run this again after it"


def _has(data: bytes, words: Sequence[bytes]) -> bool:
    """Whether one of the ids, in small letters, is in some text, in whatever letters."""
    small = data.lower()
    return any(word in small for word in words)
