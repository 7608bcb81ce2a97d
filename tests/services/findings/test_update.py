"""Stored findings and observed conflicts, side by side, whatever dies or comes in between."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from entra_sod.core.clock import SystemClock
from entra_sod.domain.detection.join import DetectedConflict
from entra_sod.domain.entra import Subject
from entra_sod.domain.findings.lifecycle import RunContext
from entra_sod.domain.findings.model import (
    ChangeSource,
    Finding,
    FindingNames,
    FindingState,
    ObservedConflict,
)
from entra_sod.domain.findings.observe import FindingObserver, observed_conflicts
from entra_sod.services.findings import external_sort
from entra_sod.services.findings.external_sort import ExternalSorter, read_sorted
from entra_sod.services.findings.update import FindingsRun, FindingsUpdater, in_batches
from entra_sod.stores.findings import FindingStore, partition_of
from entra_sod.stores.sweeps import SweepStore
from local.memory.storage import MemoryStorage
from tests.builders import guid, rule, rule_set, side

NAMES = [f"{number:08x}" for number in range(1, 30)]
RULE = rule("r", side("a"), side("bcdef"))


def sighting(other: str, subject: str) -> ObservedConflict:
    packages = [guid("a"), guid(other)]
    conflict = DetectedConflict(rules=[RULE], packages=packages, subject=Subject(id=subject))
    [found] = observed_conflicts(conflict, FindingNames())
    return found


def run(number: int) -> FindingsRun:
    at = f"{date(2026, 1, 1) + timedelta(days=number)}T02:00:00Z"
    rules = rule_set(RULE)
    moment = RunContext(by=ChangeSource.SWEEP, run=f"run-{number}", at=at, rules_hash=rules.hash)
    return FindingsRun(moment, FindingObserver(rules=rules, indexed=rules.packages))


async def each[T](values: Iterable[T]) -> AsyncIterator[T]:
    for value in values:
        yield value


@pytest.fixture
def keeper() -> FindingsUpdater:
    return make_keeper()


def make_keeper() -> FindingsUpdater:
    return FindingsUpdater(store=FindingStore(MemoryStorage()), retention=timedelta(days=100))


async def update(keeper: FindingsUpdater, number: int, *seen: ObservedConflict) -> list[Finding]:
    in_order = each(sorted(seen, key=lambda found: found.id))
    return [
        found
        async for batch in in_batches(keeper.store.all(), in_order)
        for found in await keeper.update(batch, run(number))
    ]


SEEN = st.sets(st.tuples(st.sampled_from("bcdef"), st.sampled_from("uvwxyz")))


@settings(max_examples=60, deadline=None)
@given(st.lists(SEEN, min_size=1, max_size=6))
async def test_every_finding_is_met_once_each_night(nights: list[set[tuple[str, str]]]) -> None:
    """What is told of a night is what is stored then, in order; what is seen stands."""
    updater, ever = make_keeper(), set[tuple[str, str]]()
    for number, seen in enumerate(nights):
        told = await update(updater, number, *(sighting(*found) for found in seen))
        ever |= seen
        stored = [kept.finding async for kept in updater.store.all()]
        assert told == stored
        assert [found.id for found in told] == sorted(sighting(*found).id for found in ever)
        standing = {found.id for found in told if found.state is FindingState.OPEN}
        assert standing == {sighting(*found).id for found in seen}


async def test_a_night_that_is_gone_through_twice_counts_once(keeper: FindingsUpdater) -> None:
    """Absence is not counted twice, and what the run changed is told again."""
    await update(keeper, 0, sighting("b", "x"))
    once = await update(keeper, 1)
    again = await update(keeper, 1)
    assert again == once
    assert [found.state for found in again] == [FindingState.RESOLVING]
    assert [change.now for change in again[0].changes_of("run-1")] == [FindingState.RESOLVING]


async def test_what_a_person_changes_in_between_is_decided_anew(keeper: FindingsUpdater) -> None:
    """A check that comes while a sweep holds the old version is not written over."""
    await update(keeper, 0, sighting("b", "x"), sighting("b", "y"))
    old = [kept async for kept in keeper.store.all()]
    checked = await update(keeper, 2, sighting("b", "x"), sighting("b", "y"))
    late = [(kept, None) for kept in old]
    assert await keeper.update(late, run(1)) == checked


async def test_nothing_is_written_by_reading_alone(keeper: FindingsUpdater) -> None:
    """Batches are of one partition each, in order and whole; who takes them has changed nothing."""
    await update(keeper, 0, *(sighting(one, other) for one in "bcde" for other in "uvwxyz"))
    before = [kept async for kept in keeper.store.all()]
    new = sighting("f", "x")
    batches = [batch async for batch in in_batches(keeper.store.all(), each([new]))]
    met = [stored or seen for batch in batches for stored, seen in batch]
    assert sorted(met, key=repr) == sorted([*before, new], key=repr)
    for batch in batches:
        ids = [stored.finding.id if stored else new.id for stored, _ in batch]
        assert len({partition_of(each) for each in ids}) == 1
    assert [kept async for kept in keeper.store.all()] == before


async def test_what_appears_in_between_is_not_made_twice(keeper: FindingsUpdater) -> None:
    """Two runs that find the same person in the same moment make one finding."""
    await update(keeper, 0, sighting("b", "x"))
    [found] = await keeper.update([(None, sighting("b", "x"))], run(1))
    assert (found.first_seen[:10], found.last_seen[:10]) == ("2026-01-01", "2026-01-02")


async def test_what_is_long_over_is_removed(keeper: FindingsUpdater) -> None:
    """A hundred days after its end a finding is kept, and the day after it is gone."""
    await update(keeper, 0, sighting("b", "x"), sighting("c", "y"))
    for number in (1, 2):
        await update(keeper, number, sighting("c", "y"))
    assert len(await update(keeper, 102, sighting("c", "y"))) == 2
    assert [found.subject_id for found in await update(keeper, 103, sighting("c", "y"))] == ["y"]
    assert len([kept async for kept in keeper.store.all()]) == 1


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("bcdef"), st.sampled_from(NAMES)), max_size=60),
    st.integers(1, 4000),
    st.integers(1, 500),
)
async def test_sightings_are_sorted_however_they_come(
    seen: list[tuple[str, str]], run_bytes: int, piece_bytes: int
) -> None:
    """Whatever fits into memory at once, they come in the order of ids, each once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(external_sort, "MAX_RUN_BYTES", run_bytes)
        patch.setattr(external_sort, "PIECE_BYTES", piece_bytes)
        store = SweepStore(MemoryStorage(), SystemClock())
        kept = ExternalSorter(store, "sweep-1")
        for found in seen:
            await kept.add(sighting(*found))
        read = [found async for found in read_sorted(store, await kept.finish())]
    assert read == sorted({sighting(*found) for found in seen}, key=lambda found: found.id)
