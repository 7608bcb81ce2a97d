"""What was reviewed of rules is stored once for each version of a rule, and never overwritten."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from entra_sod.core.errors import StorageUnavailable
from entra_sod.domain.rules.selection import RuleSelection, selection_key
from entra_sod.ports.storage import Row, Storage
from entra_sod.stores.selections import (
    CONTAINER,
    PARTITION,
    TABLE,
    DamagedSelection,
    SelectionStore,
    StoredSelection,
)
from local.memory.clock import ManualClock
from local.memory.storage import MemoryStorage
from tests.adapters.storage.test_storage_contract import storage
from tests.builders import guid, rule, rule_set, side

__all__ = ["storage"]  # the fixture of the contract tests: in memory, and Azurite

(RULE,) = rule_set(rule("r", side("a"), side("b"))).rules
(OTHER,) = rule_set(rule("s", side("a"), side("b"))).rules
SELECTION = RuleSelection(((guid("a"),), (guid("b"),)), {guid("b"): (guid("2"), guid("3"))})


def reviewed(stored: StoredSelection) -> tuple[object, object]:
    """By whom, and when."""
    return stored.row.values["reviewedBy"], stored.row.values["reviewedAt"]


@pytest.fixture
async def shared(storage: Storage) -> AsyncIterator[Storage]:
    """Leave no selection to other tests of the same storage."""
    yield storage
    for each in (RULE, OTHER):
        await storage.table(TABLE).delete(PARTITION, selection_key(each))


async def test_what_is_stored_is_read_by_every_instance(shared: Storage) -> None:
    """With when and by whom it was reviewed; a rule without a row is not among it."""
    store = SelectionStore(shared, ManualClock())
    assert await store.read([RULE]) == {}
    assert await store.keep(RULE, SELECTION, None, "first seen by sweep x")
    found = await SelectionStore(shared, ManualClock()).read([RULE, OTHER])
    assert found.keys() == {"r"}
    assert found["r"].selection == SELECTION
    assert reviewed(found["r"]) == ("first seen by sweep x", "2026-01-01T00:00:00Z")


async def test_of_runs_that_meet_a_rule_at_once_one_is_first(shared: Storage) -> None:
    """All the others are told, read again, and go by what the first has stored."""
    stores = [SelectionStore(shared, ManualClock()) for _ in range(6)]
    sides = [RuleSelection(((guid("a"),), (guid(str(number)),))) for number in range(6)]
    first = await asyncio.gather(
        *(
            each.keep(RULE, selection, None, "x")
            for each, selection in zip(stores, sides, strict=True)
        )
    )
    assert sum(first) == 1
    for each in stores:
        assert (await each.read([RULE]))["r"].selection == sides[first.index(True)]


async def test_a_selection_is_replaced_in_the_version_that_was_read(shared: Storage) -> None:
    """The slower writer changes nothing; the reviewer stays until another person reviews it."""
    store, clock = SelectionStore(shared, ManualClock()), ManualClock()
    await store.keep(RULE, SELECTION, None, "x")
    row = (await store.read([RULE]))["r"].row
    clock.advance(60)
    later = SelectionStore(shared, clock)
    more = RuleSelection(SELECTION.sides, {**SELECTION.groups, guid("a"): ()})
    assert await later.keep(RULE, more, row, None)
    assert not await store.keep(RULE, SELECTION, row, "y")
    (found,) = (await store.read([RULE])).values()
    assert (found.selection, *reviewed(found)) == (more, "x", "2026-01-01T00:00:00Z")
    assert await later.keep(RULE, SELECTION, found.row, "y")
    (found,) = (await store.read([RULE])).values()
    assert (found.selection, *reviewed(found)) == (SELECTION, "y", "2026-01-01T00:01:00Z")


async def test_a_blob_is_fetched_once() -> None:
    """It is never written again, so an instance keeps it as long as a row names it."""
    storage = MemoryStorage()
    store = SelectionStore(storage, ManualClock())
    await store.keep(RULE, SELECTION, None, "x")
    found = await store.read([RULE])
    (name,) = [each async for each in storage.blobs.names(CONTAINER)]
    await storage.blobs.delete(CONTAINER, name)
    assert await store.read([RULE]) == found
    await storage.table(TABLE).delete(PARTITION, selection_key(RULE))
    assert await store.read([RULE]) == {}
    await storage.table(TABLE).insert(
        Row(partition=PARTITION, key=selection_key(RULE), values=found["r"].row.values)
    )
    with pytest.raises(DamagedSelection, match="the blob is missing"):
        await store.read([RULE])


@pytest.mark.parametrize(
    "data", [None, b"", b"{", b'{"sides":[["a"],["b"]],"groups":{}}', b'{"sides":7}', b"\xff"]
)
async def test_a_damaged_blob_is_never_taken_for_a_new_rule(
    data: bytes | None,
) -> None:
    """The error says which rule it is, and what to do; it is none that goes away by itself."""
    storage = MemoryStorage()
    store = SelectionStore(storage, ManualClock())
    await store.keep(RULE, SELECTION, None, "x")
    (name,) = [each async for each in storage.blobs.names(CONTAINER)]
    await storage.blobs.delete(CONTAINER, name)
    if data is not None:
        await storage.blobs.put(CONTAINER, name, data)
    with pytest.raises(StorageUnavailable, match="entra-sod selection approve --rule r"):
        await SelectionStore(storage, ManualClock()).read([RULE])


@pytest.mark.parametrize("values", [{}, {"blob": 7}, {"blob": ""}, {"blob": "../x"}])
async def test_a_damaged_row_is_never_taken_for_a_new_rule(
    values: dict[str, str | int],
) -> None:
    """Whatever stands in it in place of a name."""
    storage = MemoryStorage()
    row = Row(partition=PARTITION, key=selection_key(RULE), values=values)
    await storage.table(TABLE).insert(row)
    with pytest.raises(DamagedSelection, match="rule r is damaged"):
        await SelectionStore(storage, ManualClock()).read([RULE])


async def test_a_row_that_names_the_selection_of_another_rule_is_damaged() -> None:
    """As many sides as the rule has, or it was never stored for it."""
    storage = MemoryStorage()
    store = SelectionStore(storage, ManualClock())
    await store.keep(RULE, RuleSelection(((guid("a"),),)), None, "x")
    with pytest.raises(DamagedSelection, match="it is of something else"):
        await SelectionStore(storage, ManualClock()).read([RULE])
