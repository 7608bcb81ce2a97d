"""A damaged row of the ledger costs its own reference, in memory and on Azurite."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest

from entra_sod.core.errors import NotYetConsistent
from entra_sod.domain.entra import Reference, ReferenceKind
from entra_sod.ports.storage import Row, Storage, Value
from entra_sod.stores import ledger as module
from entra_sod.stores.ledger import DamagedEntry, Ledger, LedgerState, WriteOrigin
from local.memory.clock import ManualClock
from tests.adapters.storage.test_storage_contract import name, storage
from tests.builders import guid

__all__ = ["name", "storage"]

OURS = Reference(guid("a"), ReferenceKind.PACKAGE, guid("b"))
OTHER = Reference(guid("a"), ReferenceKind.GROUP, guid("1"))
ORIGIN = WriteOrigin(run_id="sweep-1", rule_ids=("r",), rules_hash="hash")
DAMAGES: Mapping[str, Mapping[str, Value]] = {
    "state is another word": {"state": "mine"},
    "rules are no JSON": {"ruleIds": "["},
    "rules are no list": {"ruleIds": '{"a": 1}'},
    "at is no time": {"at": "yesterday"},
    "at has no zone": {"at": "2026-11-29T02:00:00"},
    "at is a number": {"at": 7},
}


class Written:
    """A ledger with two entries, written by one run."""

    def __init__(self, storage: Storage) -> None:
        self.table, self.clock = storage.table(module.TABLE), ManualClock()
        self.ledger = Ledger(storage, self.clock)

    async def fill(self) -> Written:
        for each in (OURS, OTHER):
            await self.ledger.intend(each, ORIGIN)
            await self.ledger.confirm(each, ORIGIN)
        self.clock.advance(timedelta(hours=2).total_seconds())
        return self

    async def row(self, reference: Reference = OURS) -> Row:
        found = await self.table.get(reference.on, f"{reference.kind}:{reference.target}")
        assert found is not None
        return found

    async def damage(self, **values: Value) -> None:
        assert await self.table.replace((await self.row()).changed(**values))


@pytest.fixture
async def written(storage: Storage, name: str, monkeypatch: pytest.MonkeyPatch) -> Written:
    monkeypatch.setattr(module, "TABLE", name)
    return await Written(storage).fill()


@pytest.mark.parametrize("values", DAMAGES.values(), ids=DAMAGES.keys())
async def test_a_damaged_row_is_named_and_the_others_are_read(
    written: Written, values: Mapping[str, Value]
) -> None:
    """It proves nothing: it is not an entry, and its reference may not be removed."""
    await written.damage(**values)
    whole = await written.ledger.read()
    assert list(whole.entries) == [OTHER]
    assert [each.row for each in whole.damaged] == [f"{OURS.on} package:{OURS.target}"]
    assert [each.reference async for each in written.ledger.entries()] == [OTHER]
    with pytest.raises(DamagedEntry, match=r"docs/how-to/operate\.md, A damaged row"):
        await written.ledger.get(OURS)
    assert await written.ledger.claim_removal(OURS) is None
    assert await written.ledger.claim_removal(OTHER) is not None


@pytest.mark.parametrize(
    ("partition", "key"),
    [
        (guid("a"), "nothing"),
        (guid("a"), f"person:{guid('b')}"),
        (guid("a"), "group:"),
        ("x", f"group:{guid('1')}"),
        ("x" * 500, "y" * 500),
    ],
)
async def test_a_row_whose_keys_name_nothing_is_damaged(
    written: Written, partition: str, key: str
) -> None:
    """Its name is cut where it is told."""
    row = await written.row()
    await written.table.insert(Row(partition=partition, key=key, values=row.values))
    whole = await written.ledger.read()
    assert set(whole.entries) == {OURS, OTHER}
    assert [each.row for each in whole.damaged] == [f"{partition[:100]} {key[:100]}"]


async def test_a_row_without_its_values_is_damaged(written: Written) -> None:
    """The first value that is missing is named."""
    bare = Row(partition=guid("c"), key=f"group:{guid('1')}", values={"x": 1})
    await written.table.insert(bare)
    [damage] = (await written.ledger.read()).damaged
    assert "at is missing" in str(damage)


@pytest.mark.parametrize("values", DAMAGES.values(), ids=DAMAGES.keys())
async def test_a_write_of_the_reference_mends_its_row(
    written: Written, values: Mapping[str, Value]
) -> None:
    """What is there already is not taken for ours, because nothing proves who wrote it."""
    await written.damage(**values)
    intent = await written.ledger.intend(OURS, ORIGIN)
    assert (intent.may_be_sent, intent.is_abandoned) == (True, True)
    entry = await written.ledger.get(OURS)
    assert entry is not None
    assert (entry.state, entry.run_id) == (LedgerState.INTENDED, "sweep-1")
    await written.ledger.confirm(OURS, ORIGIN)
    assert set((await written.ledger.read()).entries) == {OURS, OTHER}


async def test_a_damaged_row_is_still_held_by_who_writes_it(written: Written) -> None:
    """A lease that can be read holds; one that cannot be read is none."""
    await written.ledger.intend(OURS, ORIGIN)
    await written.damage(ruleIds="[")
    with pytest.raises(NotYetConsistent, match="written by another worker"):
        await written.ledger.intend(OURS, ORIGIN)
    await written.damage(until="soon")
    await written.ledger.intend(OURS, ORIGIN)
