"""What holds back every write of a reference: the freeze, and the budget of 24 hours.

Each is one row. The budget's is replaced only in the version that was read, so instances and
command lines that write at once never pass it together.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from entra_sod.core.clock import Clock, timestamp
from entra_sod.core.errors import StorageUnavailable
from entra_sod.domain.enforcement.budget import (
    BudgetUse,
    WriteBudget,
    WritingState,
    current,
    give_back,
    reserve,
    use_of,
)
from entra_sod.domain.enforcement.freeze import Freeze
from entra_sod.ports.storage import Row, Storage

TABLE, PARTITION, BUDGET, FREEZE = "controls", "writes", "budget", "freeze"
MAX_ATTEMPTS = 50  # to replace the budget's row: others may replace it in between


class WriteControls:
    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._table, self._clock = storage.table(TABLE), clock

    async def frozen(self) -> Freeze | None:
        row = await self._table.get(PARTITION, FREEZE)
        if row is None:
            return None
        return Freeze(**{name: str(row.values.get(name)) for name in Freeze.__struct_fields__})

    async def freeze(self, reason: str, by: str) -> Freeze:
        """Freeze writing. A freeze that stands already stays as it is, and is returned."""
        new = Freeze(reason=reason, by=by, since=timestamp(self._clock.now()))
        values = msgspec.structs.asdict(new)
        await self._table.insert(Row(partition=PARTITION, key=FREEZE, values=values))
        return await self.frozen() or new

    async def unfreeze(self) -> bool:
        """End a freeze; False where there was none."""
        was_frozen = await self.frozen() is not None
        await self._table.delete(PARTITION, FREEZE)
        return was_frozen

    async def budget(self, limit: int) -> BudgetUse:
        _, budget = await self._read()
        return use_of(current(budget, self._clock.now()), limit)

    async def state(self, limit: int) -> WritingState:
        use, freeze = await self.budget(limit), await self.frozen()
        return WritingState(used=use.used, limit=limit, room_from=use.room_from, frozen=freeze)

    async def reserve(
        self, run: str, wanted: int, limit: int, *, may_be_part: bool = True
    ) -> BudgetUse:
        """Reserve a run's writes before the first of them, as many as there is room for."""
        now = self._clock.now()
        return await self._change(
            lambda it: reserve(it, run, wanted, now, limit, may_be_part=may_be_part)
        )

    async def give_back(self, run: str, writes: int) -> None:
        """Return what a run has reserved and not written."""
        if writes > 0:
            await self._change(lambda it: (give_back(it, run, writes), None))

    async def _change[T](self, change: Callable[[WriteBudget], tuple[WriteBudget, T]]) -> T:
        for _ in range(MAX_ATTEMPTS):
            row, before = await self._read()
            after, result = change(before)
            write = self._table.replace if row.etag else self._table.insert
            if await write(row.changed(state=msgspec.msgpack.encode(after))):
                return result
        raise StorageUnavailable("other runs change the budget of writes without a pause")

    async def _read(self) -> tuple[Row, WriteBudget]:
        """Read the row. One that cannot be read raises: what was written must not be forgotten.

        Raises:
            StorageUnavailable: the row is damaged.
        """
        row = await self._table.get(PARTITION, BUDGET)
        if row is None:
            return Row(partition=PARTITION, key=BUDGET), WriteBudget()
        try:
            state = row.values["state"]
            return row, msgspec.msgpack.decode(state, type=WriteBudget)  # type: ignore[arg-type]  # another type is a damage, too
        except (msgspec.DecodeError, KeyError, TypeError) as error:
            raise StorageUnavailable(
                f"the row {BUDGET} of the table {TABLE} is damaged ({error}): delete it after "
                "looking up in the ledger what was written in the last 24 hours"
            ) from error
