"""The rows that hold back every write: the freeze, and the budget that all instances share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from entra_sod.core.errors import StorageUnavailable
from entra_sod.ports.storage import Row, Storage
from entra_sod.stores.write_controls import BUDGET, FREEZE, PARTITION, TABLE, WriteControls
from local.memory.clock import ManualClock
from local.memory.storage import MemoryStorage
from tests.adapters.storage.test_storage_contract import storage

__all__ = ["storage"]  # the fixture of the contract tests: in memory, and Azurite


@pytest.fixture
async def shared(storage: Storage) -> AsyncIterator[Storage]:
    """Take no freeze and no budget from other tests of the same storage, and leave them none."""
    await _forget(storage)
    yield storage
    await _forget(storage)


async def _forget(storage: Storage) -> None:
    for key in (BUDGET, FREEZE):
        await storage.table(TABLE).delete(PARTITION, key)


async def test_instances_that_write_at_once_share_the_budget(shared: Storage) -> None:
    """Of twelve runs that want five writes each, as many are granted as the limit says."""
    instances = [WriteControls(shared, ManualClock()) for _ in range(12)]
    uses = await asyncio.gather(
        *(each.reserve(f"run-{number}", 5, 22) for number, each in enumerate(instances))
    )
    assert sum(use.granted for use in uses) == 22
    assert (await instances[0].budget(22)).used == 22
    await instances[0].give_back("run-0", uses[0].granted)
    assert (await instances[1].budget(22)).used == 22 - uses[0].granted


async def test_the_first_freeze_stays_until_it_is_ended(shared: Storage) -> None:
    """Who freezes once more sees who was first; ending it twice is no error."""
    controls = WriteControls(shared, ManualClock())
    assert await controls.frozen() is None
    first = await controls.freeze("an audit is on", "key:ops")
    assert await controls.freeze("another reason", "key:other") == first
    assert "by key:ops: an audit is on" in str(await controls.frozen())
    assert [await controls.unfreeze(), await controls.unfreeze()] == [True, False]
    assert await controls.frozen() is None


async def test_a_damaged_freeze_is_a_freeze() -> None:
    """A row that lacks its columns still says that an operator meant to stop writing."""
    storage = MemoryStorage()
    await storage.table(TABLE).insert(Row(partition=PARTITION, key=FREEZE, values={"x": 1}))
    assert await WriteControls(storage, ManualClock()).frozen() is not None


@pytest.mark.parametrize("values", [{"state": b"\xc1"}, {"state": "text"}, {"state": 7}, {}])
async def test_a_damaged_budget_grants_nothing(values: dict[str, bytes | str | int]) -> None:
    """Its count of writes is unknown: nothing is written until an operator has looked."""
    storage = MemoryStorage()
    await storage.table(TABLE).insert(Row(partition=PARTITION, key=BUDGET, values=values))
    with pytest.raises(StorageUnavailable, match="the row budget of the table controls is damaged"):
        await WriteControls(storage, ManualClock()).reserve("run", 1, 10)
