"""A closing of many parts: each thing is read once, and no more is held than a few of them."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from typing import Any

import pytest

from entra_sod.core.parallel import MAX_CONCURRENT_READS
from entra_sod.domain.detection.index import IndexFile, IndexWriter
from entra_sod.domain.detection.join import join
from entra_sod.domain.enforcement.desired import references_on
from entra_sod.domain.entra import Assignment
from entra_sod.domain.rules.language import Mode
from entra_sod.services.sweeps import merge_index
from entra_sod.services.sweeps import result as results
from entra_sod.services.sweeps.evaluate import evaluate
from entra_sod.services.sweeps.merge_index import conflicts_of
from entra_sod.services.sweeps.merge_index import merge_index as merged
from entra_sod.stores.sweeps import SweepStore
from local.memory.clock import ManualClock
from local.memory.storage import MemoryStorage
from tests.app import App
from tests.builders import assignment, at_most, guid, held, package, rule_set
from tests.services.sweeps.test_sweeps import HELD, PACKAGES, RULES, MakeApp, start, sweep
from tests.services.sweeps.test_sweeps import result as result_of

CLOSING = "entra_sod.services.sweeps"
FILES, HOLDERS_OF_EACH = 30, 4
EVERYTHING = rule_set(at_most("one", 1, [f"{number:02x}" for number in range(1, FILES + 1)]))


class Watched:
    """Counts readings of blobs, and how many go on at once."""

    def __init__(self, storage: MemoryStorage, monkeypatch: pytest.MonkeyPatch) -> None:
        self.read, self.most_at_once, self._now = Counter[str](), 0, 0
        self._get = storage.blobs.get
        monkeypatch.setattr(storage.blobs, "get", self._counted)

    async def _counted(self, container: str, name: str) -> Any:
        self.read[name.partition("/")[2].rpartition("-")[0]] += 1
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        await asyncio.sleep(0)
        self._now -= 1
        return await self._get(container, name)


def held_of(number: int) -> list[Assignment]:
    """The assignments of a package: one person has all packages, the others one each."""
    people = ["all", *(f"{number}-{each}" for each in range(HOLDERS_OF_EACH - 1))]
    return [assignment(f"{number:02x}", person) for person in people]


async def files_of(store: SweepStore) -> list[IndexFile]:
    """A file for each package."""
    files = []
    for number in range(1, FILES + 1):
        place = guid(f"{number:02x}")
        writer = IndexWriter([place])
        size = writer.add(place, held_of(number))
        blob = await store.store_blob("s", "index", writer.finish())
        files.append(IndexFile(blob=blob, places=[place], assignments=size))
    return files


@pytest.mark.parametrize("most", [1, 4, 13, 1_000])
async def test_merged_or_not_the_index_has_the_same_conflicts(
    monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """Every file is read once to be merged, a few at a time, and no merged file has too many."""
    monkeypatch.setattr(merge_index, "MAX_ASSIGNMENTS_AT_ONCE", most)
    storage = MemoryStorage()
    store = SweepStore(storage, ManualClock())
    files = await files_of(store)
    watched = Watched(storage, monkeypatch)
    fewer = await merged(store, "s", files)
    assert watched.most_at_once <= MAX_CONCURRENT_READS
    assert watched.read.total() in (0, FILES)
    assert all(each.assignments <= max(most, HOLDERS_OF_EACH) for each in fewer)
    assert len(fewer) == -(-FILES // max(most // HOLDERS_OF_EACH, 1))
    holders, held_before = Counter[str](), Counter[str]()
    joined = conflicts_of(store, fewer, EVERYTHING, holders, read=EVERYTHING.packages)
    found = [(*each.packages,) async for each in joined]
    joined = conflicts_of(store, files, EVERYTHING, held_before, read=EVERYTHING.packages)
    before = [(*each.packages,) async for each in joined]
    assert holders == held_before
    assert len(found) == FILES * (FILES - 1) // 2
    assert sorted(found) == sorted(before)


async def test_a_merged_file_is_as_if_one_part_had_read_it_all() -> None:
    """Also the directory that decisions look people up in."""
    store = SweepStore(MemoryStorage(), ManualClock())
    [file] = await merged(store, "s", await files_of(store))
    one_by_one = IndexWriter(file.places)
    for number in range(1, FILES + 1):
        one_by_one.add(guid(f"{number:02x}"), held_of(number))
    assert await store.blob(file.blob) == one_by_one.finish()


@pytest.fixture
def many_parts(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> App:
    """Twenty-four packages, each in a part of its own; two people hold the first two."""
    monkeypatch.setattr("entra_sod.domain.sweeps.parts.PART_SIZE", 1)
    names = [f"{number:02x}" for number in range(1, 25)]
    people = {names[0]: held(names[0], "xy"), names[1]: held(names[1], "xy")}
    packages = [package(each) for each in names]
    return make_app(packages, people, [at_most("one", 1, names, mode=Mode.RECORD)])


async def test_a_closing_reads_row_parts_and_index_once(
    many_parts: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many parts there are; of these a few are read at a time."""
    app = many_parts
    sweep_id = await start(app)
    await app.work_one()
    while len(app.storage.sent) > 1:
        await app.work_one()
    watched = Watched(app.storage, monkeypatch)
    joins, rows = Counter[str](), Counter[str]()
    get = app.records.sweeps.get

    def counted_join(*arguments: Any) -> Any:
        joins["joined"] += 1
        return join(*arguments)

    async def counted_get(asked: str) -> Any:
        rows[asked] += 1
        return await get(asked)

    monkeypatch.setattr(f"{CLOSING}.merge_index.join", counted_join)
    monkeypatch.setattr(app.records.sweeps, "get", counted_get)
    await app.work_one()
    assert (await result_of(app, sweep_id))["findings"] == 2
    parts = {name: times for name, times in watched.read.items() if name.startswith("part-")}
    assert (len(parts), set(parts.values())) == (24, {1})
    assert joins["joined"] == 1
    # Twice by the message, which may be forged or late; once under the lease.
    assert rows[sweep_id] == 3 + 1  # and once by this test
    assert watched.most_at_once <= MAX_CONCURRENT_READS


async def test_an_answer_shows_the_first_references_and_counts_all(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Evidence has every one of them."""
    monkeypatch.setattr(results, "MAX_REFERENCES_IN_ANSWER", 3)
    app = make_app(PACKAGES, HELD, RULES, ENFORCEMENT="plan")
    answer = await sweep(app)
    assert (len(answer["references"]["planned"]), answer["referenceCounts"]["planned"]) == (3, 4)
    names = [name async for name in app.storage.blobs.names("evidence")]
    [file] = [name for name in names if name.endswith("references.jsonl")]
    lines = (await app.storage.blobs.get("evidence", file) or b"").splitlines()
    assert [json.loads(each)["planned"] for each in lines] == ["add"] * 4


async def test_what_takes_long_is_done_beside_the_loop(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Joining, evaluating and planning run in threads, so that others are answered meanwhile."""
    beside: Counter[str] = Counter()

    def watched(name: str, call: Any) -> Any:
        def called(*arguments: Any) -> Any:
            beside[name] += threading.current_thread() is not threading.main_thread()
            return call(*arguments)

        return called

    monkeypatch.setattr(f"{CLOSING}.finalize.evaluate", watched("evaluate", evaluate))
    monkeypatch.setattr(f"{CLOSING}.merge_index.join", watched("join", join))
    monkeypatch.setattr(f"{CLOSING}.enforce.references_on", watched("plan", references_on))
    names = "abcdef"
    rules = [at_most("one", 1, names, mode=Mode.ENFORCE)]
    app = make_app([package(each) for each in names], {}, rules, ENFORCEMENT="plan")
    await sweep(app)
    assert beside["evaluate"] == beside["join"] == 1
    assert beside["plan"] >= len(names)
