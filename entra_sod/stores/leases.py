"""Who works on something just now: one worker at a time, and no longer than that one lives.

A worker that dies leaves its lease behind, which runs out. One that is only slow may find that
another has its work: it must look again before each write that others would not know of.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import uuid4

from entra_sod.core.clock import Clock, is_leased
from entra_sod.core.errors import NotYetConsistent, StorageUnavailable
from entra_sod.ports.storage import Row, Table, Value

RENEWALS = 4  # while a lease lasts


class Lease(Protocol):
    """The right to work on something."""

    async def require_held(self) -> None:
        """Look whether it is still there.

        Raises:
            NotYetConsistent: another worker has the work now; leave the rest to it.
        """
        ...


class NoLease:
    """For work that no other worker can have, such as that of a command line."""

    async def require_held(self) -> None:
        pass


NO_LEASE = NoLease()


@dataclass(frozen=True, slots=True)
class HeldLease:
    store: LeaseStore
    work_id: str
    owner: str

    async def require_held(self) -> None:
        if not await self.store.is_held(self.work_id, self.owner):
            raise NotYetConsistent(f"another worker is {self.store.doing} {self.work_id} now")


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseStore:
    """Leases on works of one kind, each in a row beside the work's own.

    Attributes:
        table: whose partitions are the works.
        key: of a lease's row.
        doing: what the holder does, in words: `closing sweep`.
        length: how long a lease lasts that is not renewed.
    """

    table: Table
    clock: Clock
    key: str
    doing: str
    length: timedelta

    @asynccontextmanager
    async def hold(self, work_id: str) -> AsyncIterator[HeldLease]:
        """Work on something alone.

        Raises:
            NotYetConsistent: another worker does; come again later, as that one may die.
        """
        lease = HeldLease(self, work_id, uuid4().hex)
        if not await self.claim(work_id, lease.owner):
            raise NotYetConsistent(f"another worker is {self.doing} {work_id}")
        renewing = asyncio.create_task(self._keep(lease))
        try:
            yield lease
        finally:
            renewing.cancel()
            with suppress(StorageUnavailable):  # it runs out by itself
                await self.release(work_id, lease.owner)

    async def claim(self, work_id: str, owner: str) -> bool:
        """Become the one who works on something; False while another worker is."""
        values = self._values(owner)
        if await self.table.insert(Row(partition=work_id, key=self.key, values=values)):
            return True
        row = await self.table.get(work_id, self.key)
        if row is None or (row.values["owner"] != owner and self._is_leased(row)):
            return False
        return await self.table.replace(row.changed(**values))

    async def renew(self, work_id: str, owner: str) -> None:
        """Stay the one who works on it; a lease that another worker has had is gone for good."""
        row = await self._own(work_id, owner)
        if row is not None:
            await self.table.replace(row.changed(**self._values(owner)))

    async def is_held(self, work_id: str, owner: str) -> bool:
        """Whether no other worker has taken it; one that ran out is its owner's until then."""
        return await self._own(work_id, owner) is not None

    async def release(self, work_id: str, owner: str) -> None:
        """Let another worker have it at once."""
        row = await self._own(work_id, owner)
        if row is not None:
            await self.table.delete(work_id, self.key, etag=row.etag)

    async def _own(self, work_id: str, owner: str) -> Row | None:
        row = await self.table.get(work_id, self.key)
        return row if row is not None and row.values["owner"] == owner else None

    def _values(self, owner: str) -> Mapping[str, Value]:
        return {"owner": owner, "until": (self.clock.now() + self.length).isoformat()}

    def _is_leased(self, row: Row) -> bool:
        until = datetime.fromisoformat(str(row.values["until"]))
        return is_leased(until, self.clock.now(), self.length)

    async def _keep(self, lease: HeldLease) -> None:
        while True:
            # In true time, not the clock's: it must not run ahead of the work beside it.
            await asyncio.sleep(self.length.total_seconds() / RENEWALS)
            # A try that fails is followed by another; without any the lease runs out by itself.
            with suppress(StorageUnavailable):
                await self.renew(lease.work_id, lease.owner)
