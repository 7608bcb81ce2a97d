"""Packs are sealed once, whatever dies and however many runs end at once."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from entra_sod.cli.operations.evidence_files import BlobPacks
from entra_sod.cli.operations.verify_evidence import Proof, verify
from entra_sod.domain.enforcement.result import LazyCollection
from entra_sod.domain.evidence.manifest import CONTAINER, decode_manifest
from entra_sod.domain.evidence.rows import CoverageFile
from entra_sod.domain.findings.lifecycle import Present, RunContext, decide_next
from entra_sod.domain.findings.model import ChangeSource, Finding, ObservedConflict, finding_id
from entra_sod.domain.results.check import ReferencesView, ReferenceView
from entra_sod.domain.results.coverage import Coverage
from entra_sod.domain.rules.document import SourceFile
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.services.evidence.writer import LINES_AT_ONCE, EvidenceInput, EvidenceWriter
from entra_sod.stores import evidence_drafts
from entra_sod.stores.evidence_chain import EvidenceChain
from local.memory.storage import MemoryBlobs, MemoryStorage, MemoryTable

AT = datetime(2026, 3, 1, 2, tzinfo=UTC)
WRITES = {
    MemoryTable: ("insert", "replace", "delete"),
    MemoryBlobs: ("put", "create", "delete"),
}


class Died(BaseException):
    pass


def reference(target: str) -> ReferenceView:
    return ReferenceView(access_package_id="a", kind="group", target_id=target)


def evidence(run: str) -> EvidenceInput:
    return EvidenceInput(
        run=run,
        kind="sweep",
        started_at=AT,
        at="2026-03-01T02:00:00Z",
        rules=RuleSet((), files=[SourceFile("eu/pay.yaml", "version: 1\n")]),
        references=ReferencesView(
            present=[reference("1")],
            planned=[reference("2"), reference("3")],
            written=[reference("2")],
            failed=[reference("3")],
        ),
        coverage=CoverageFile(outcome="completed", pairs={"clear": 1}, coverage=Coverage()),
    )


def finding(run: str, number: int) -> Finding:
    subject = f"subject-{number}"
    seen = ObservedConflict(
        id=finding_id("r", None, subject),
        rule="=r",
        severity="high",
        owner="o",
        packages=("a", "b", "c"),
        subject_id=subject,
    )
    moment = RunContext(by=ChangeSource.SWEEP, run=run, at="2026-03-01T02:00:00Z", rules_hash="")
    made = decide_next(None, Present(seen, None), moment, salt=f"{number:032x}")
    assert made is not None
    return made


async def leave(storage: MemoryStorage, run: str, findings: int = 2) -> None:
    """Leave the evidence of a run with so many findings."""
    pack = await EvidenceWriter.open(EvidenceChain(storage), evidence(run))
    for number in range(findings):
        await pack.add(finding(run, number))
    await pack.seal()


async def proof(storage: MemoryStorage) -> Proof:
    return await verify(BlobPacks(storage.blobs), await EvidenceChain(storage).head())


async def files(storage: MemoryStorage) -> dict[str, bytes]:
    names = [name async for name in storage.blobs.names(CONTAINER)]
    return {name: await storage.blobs.get(CONTAINER, name) or b"" for name in names}


async def test_a_pack_has_its_files() -> None:
    """Findings twice, references, coverage, the rules as used, and the manifest over all of it."""
    storage = MemoryStorage()
    await leave(storage, "sweep-1")
    found = await files(storage)
    folder = "2026/03/01/sweep-1"
    assert sorted(name.removeprefix(f"{folder}/") for name in found) == [
        "coverage.json",
        "findings.csv",
        "findings.jsonl",
        "manifest.json",
        "references.jsonl",
        "rules/eu/pay.yaml",
    ]
    manifest = decode_manifest(found[f"{folder}/manifest.json"])
    assert manifest.counts["findings-open"] == 2
    assert (manifest.sequence, manifest.previous) == (1, None)
    assert found[f"{folder}/findings.csv"].splitlines()[1].startswith(b'"\'=r",')
    lines = found[f"{folder}/references.jsonl"].splitlines()
    assert [b'"before":true' in line for line in lines] == [True, False, False]
    assert [b'"written":true' in line for line in lines] == [False, True, False]


async def test_runs_that_end_at_once_come_one_after_the_other() -> None:
    """Twenty of them make a chain of twenty."""
    storage = MemoryStorage()
    await asyncio.gather(*(leave(storage, f"sweep-{number}") for number in range(20)))
    held = await proof(storage)
    assert (held.breaks, held.packs) == ([], 20)


async def test_a_run_that_comes_again_adds_nothing() -> None:
    """Its pack stays as it is, though it would say something else now."""
    storage = MemoryStorage()
    await leave(storage, "sweep-1")
    before = await files(storage)
    await leave(storage, "sweep-1", findings=5)
    assert await files(storage) == before


@pytest.mark.parametrize("after", [False, True])
async def test_a_worker_may_die_at_any_write(
    monkeypatch: pytest.MonkeyPatch, *, after: bool
) -> None:
    """Before or after each write of it: the next try, or the next run, leaves a whole chain."""
    monkeypatch.setattr(evidence_drafts, "_MAX_INLINE_BYTES", 200)
    for kill_at in range(40):
        storage = MemoryStorage()
        await leave(storage, "sweep-1")
        with pytest.MonkeyPatch.context() as patch:
            count = die_at(patch, kill_at, after=after)
            died = False
            try:
                await leave(storage, "sweep-2")
            except Died:
                died = True
        await leave(storage, "sweep-3")
        held = await proof(storage)
        assert held.breaks == []
        await leave(storage, "sweep-2", findings=3)
        held = await proof(storage)
        assert (held.breaks, held.packs, held.unsealed) == ([], 3, [])
        if not died:
            assert kill_at >= count() > 10
            return
    raise AssertionError("it never came to its end")


def die_at(patch: pytest.MonkeyPatch, number: int, *, after: bool) -> Any:
    """Kill the worker at its n-th write, and tell how many there were."""
    count = 0

    def dying(write: Any) -> Any:
        async def written(*given: Any, **named: Any) -> Any:
            nonlocal count
            count += 1
            if count == number + 1 and not after:
                raise Died
            result = await write(*given, **named)
            if count == number + 1:
                raise Died
            return result

        return written

    for kind, names in WRITES.items():
        for name in names:
            patch.setattr(kind, name, dying(getattr(kind, name)))
    return lambda: count


async def test_drafts_are_gone_when_a_pack_is_sealed() -> None:
    """Nothing is left of them but the pack."""
    storage = MemoryStorage()
    await leave(storage, "sweep-1")
    assert [name async for name in storage.blobs.names(evidence_drafts.CONTAINER)] == []


async def test_drafts_that_were_left_behind_are_gone_when_the_run_comes_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A worker that died between the manifest and its drafts leaves them to the next delivery."""
    storage = MemoryStorage()

    async def die(*_: object) -> None:
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(evidence_drafts.EvidenceDrafts, "delete", die)
        with pytest.raises(Died):
            await leave(storage, "sweep-1")
    assert [name async for name in storage.blobs.names(evidence_drafts.CONTAINER)]
    await leave(storage, "sweep-1")
    assert [name async for name in storage.blobs.names(evidence_drafts.CONTAINER)] == []
    assert await storage.table(evidence_drafts.TABLE).get("sweep-1", "draft") is None


async def test_a_lost_head_begins_no_second_chain(caplog: pytest.LogCaptureFixture) -> None:
    """The next pack follows the newest that is there; it says so itself, and so does the log."""
    storage = MemoryStorage()
    for number in range(1, 4):
        await leave(storage, f"sweep-{number}")
    await storage.table(evidence_drafts.TABLE).delete("chain", "head")
    await storage.blobs.delete(CONTAINER, "2026/03/01/sweep-3/manifest.json")
    await storage.blobs.create(CONTAINER, "2026/03/01/sweep-9/manifest.json", b"{")
    await leave(storage, "sweep-4")
    await leave(storage, "sweep-5")
    manifest = decode_manifest((await files(storage))["2026/03/01/sweep-4/manifest.json"])
    assert (manifest.sequence, manifest.headless) == (3, True)
    assert "sweep-4 follows 2026/03/01/sweep-2" in caplog.text
    held = await proof(storage)
    assert [each.where for each in held.breaks] == [
        "2026/03/01/sweep-4/manifest.json",
        "2026/03/01/sweep-9/manifest.json",
    ]
    assert "had lost its head" in held.breaks[0].what
    await storage.blobs.delete(CONTAINER, "2026/03/01/sweep-9/manifest.json")
    later = await verify(BlobPacks(storage.blobs), await EvidenceChain(storage).head(), first=3)
    assert (later.packs, later.breaks) == (2, [])


async def test_a_worker_may_die_while_it_finds_the_lost_head() -> None:
    """The next try, or the next run, writes the same manifest."""
    for kill_at in range(20):
        storage = MemoryStorage()
        await leave(storage, "sweep-1")
        await storage.table(evidence_drafts.TABLE).delete("chain", "head")
        with pytest.MonkeyPatch.context() as patch:
            die_at(patch, kill_at, after=True)
            with contextlib.suppress(Died):
                await leave(storage, "sweep-2")
        await leave(storage, "sweep-3")
        await leave(storage, "sweep-2")
        held = await proof(storage)
        assert (held.packs, len(held.breaks), held.unsealed) == (3, 1, [])


async def test_a_large_file_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Into parts that each are read whole, with a head of their own where they are tables."""
    monkeypatch.setattr(evidence_drafts, "MAX_PART_BYTES", 1000)
    storage = MemoryStorage()
    await leave(storage, "sweep-1", findings=20)
    found = await files(storage)
    parts = [name for name in found if "findings" in name and name.endswith("csv")]
    assert len(parts) > 2
    assert all(found[name].startswith(b'"rule","kind",') for name in parts)
    assert sum(found[name].count(b"\n") - 1 for name in parts) == 20
    assert (await proof(storage)).breaks == []


async def test_others_are_served_while_many_references_are_written() -> None:
    """A pack of thousands of lines gives way again and again, and has every line."""
    storage, turns, lines = MemoryStorage(), 0, 20 * LINES_AT_ONCE
    planned = LazyCollection(lines, lambda: (reference(str(number)) for number in range(lines)))
    many = replace(evidence("run"), references=ReferencesView(planned=planned))

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(others())
    pack = await EvidenceWriter.open(EvidenceChain(storage), many)
    await pack.seal()
    beside.cancel()
    assert turns >= lines // LINES_AT_ONCE
    written = [data for name, data in (await files(storage)).items() if "references" in name]
    assert sum(len(each.splitlines()) for each in written) == lines
