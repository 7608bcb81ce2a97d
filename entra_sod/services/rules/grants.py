"""Reads what every package of the tenant's list grants, each once until it changes."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from entra_sod.core.clock import Clock
from entra_sod.core.errors import PERMANENT, GraphError
from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.grants import Grant, Grants
from entra_sod.domain.rules.grants import GrantIndex
from entra_sod.ports.graph import Graph
from entra_sod.stores.grants import GrantsAsRead, GrantStore

# Microsoft does not document what changes a package's modifiedDateTime. So it is trusted for some
# days only, and not for the same number of days for all packages: every night reads some anew.
MAX_AGE = timedelta(days=7)
MAX_EARLIER = timedelta(days=4)
# Where Graph does not say when a package was modified.
MAX_UNDATED_AGE = timedelta(hours=1)


class TenantGrants:
    """What the packages of a tenant grant.

    Args:
        graph: to ask.
        clock: that says when something was read.
        store: that keeps it between runs; without it, this object does.
    """

    def __init__(self, graph: Graph, clock: Clock, store: GrantStore | None = None) -> None:
        self._graph, self._clock, self._store = graph, clock, store
        self._known: Mapping[str, GrantsAsRead] = {}
        self._reading = asyncio.Lock()

    async def read(
        self, listed: Mapping[str, AccessPackage], *, max_reads: int | None = None
    ) -> GrantIndex:
        """Read the packages that are new or have changed. What is not read is in `unread`.

        What a package granted when it was read last counts until it is read again.

        Args:
            listed: the tenant's list, by id.
            max_reads: how many packages are read at most, because a caller waits.

        Raises:
            Throttled, Unavailable: try again later; what was read until then is stored.
        """
        if max_reads is not None:
            return await self._read(listed, max_reads)
        async with self._reading:  # two checks that begin together read each package once
            return await self._read(listed, len(listed))

    async def _read(self, listed: Mapping[str, AccessPackage], max_reads: int) -> GrantIndex:
        known = {key: each for key, each in (await self._stored()).items() if key in listed}
        now = self._clock.now()
        due = [key for key, each in listed.items() if not _is_fresh(known.get(key), each, now)]
        wanted, too_many = due[:max_reads], due[max_reads:]
        unread: dict[str, GraphError] = {}
        try:
            unread = await self._read_anew(wanted, listed, known)
        finally:
            if len(unread) < len(wanted):
                await self._keep(known)
        later = GraphError(f"{max_reads} packages are read at once; the next sweep reads all")
        unread |= dict.fromkeys(too_many, later)
        granted = {key: each.grants for key, each in known.items()}
        return GrantIndex(granted, unread, is_limited=bool(too_many))

    async def read_some(
        self, listed: Mapping[str, AccessPackage], wanted: Collection[str]
    ) -> Mapping[str, Grants | GraphError]:
        """Read what some packages of the list grant, those alone that are new or have changed.

        Raises:
            Throttled, Unavailable: try again later; what was read until then is stored.
        """
        async with self._reading:
            known = {key: each for key, each in (await self._stored()).items() if key in listed}
            now = self._clock.now()
            due = [key for key in wanted if not _is_fresh(known.get(key), listed[key], now)]
            unread: dict[str, GraphError] = {}
            try:
                unread = await self._read_anew(due, listed, known)
            finally:
                if len(unread) < len(due):
                    await self._keep(known)
        return {key: unread[key] if key in unread else known[key].grants for key in wanted}

    async def _read_anew(
        self,
        wanted: Collection[str],
        listed: Mapping[str, AccessPackage],
        known: dict[str, GrantsAsRead],
    ) -> dict[str, GraphError]:
        """Put what is read into `known`, and return why the rest is not read."""
        if not wanted:
            return {}
        unread: dict[str, GraphError] = {}
        shared: dict[Grant, Grant] = {}
        now = self._clock.now()
        left = set(wanted)
        try:
            async for key, each in self._graph.grants_of(wanted):
                left.discard(key)
                if isinstance(each, GraphError):
                    unread[key] = each
                else:
                    grants = _interned(each, shared)
                    modified = listed[key].modified
                    known[key] = GrantsAsRead(grants=grants, modified=modified, at=now)
        except PERMANENT as error:
            unread |= dict.fromkeys(left, error)
        return unread

    async def _stored(self) -> Mapping[str, GrantsAsRead]:
        return await self._store.read() if self._store else self._known

    async def _keep(self, known: Mapping[str, GrantsAsRead]) -> None:
        if self._store:
            await self._store.write(known)
        else:
            self._known = known


def _interned(grants: Grants, shared: dict[Grant, Grant]) -> Grants:
    """The same values, each once in memory: many packages may grant the same."""
    return tuple(shared.setdefault(each, each) for each in grants)


def _is_fresh(known: GrantsAsRead | None, package: AccessPackage, now: datetime) -> bool:
    if known is None or known.modified != package.modified:
        return False
    return timedelta(0) <= now - known.at <= _max_age(package)


def _max_age(package: AccessPackage) -> timedelta:
    if package.modified is None:
        return MAX_UNDATED_AGE
    return MAX_AGE - MAX_EARLIER * (zlib.crc32(package.id.encode()) / 2**32)
