"""Who is to be told: subscriptions, and the callbacks of single checks.

An address may hold a secret (a Logic App's has its signature in the query), so it lies here alone:
messages, letters of poison, logs and answers name a receiver by its id.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field, replace
from uuid import UUID

from entra_sod.core.clock import Clock, timestamp
from entra_sod.core.errors import TooManySubscriptions
from entra_sod.domain.notifications.event import EventName
from entra_sod.ports.storage import MAX_PAGE_ROWS, Condition, Row, Storage

TABLE = "subscriptions"
# Of one caller. Every event goes through all there are, and costs a message for each that wants it.
MAX_SUBSCRIPTIONS = 100
_SUBSCRIPTION, _CALLBACK, _ENDED = "subscription", "callback", "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """One address, and what it is told.

    Attributes:
        id: of the subscription; of the check, where it is a check's own callback.
        app: the address of this app as the receiver knows it, up to `/api`.
    """

    id: str
    url: str = field(repr=False)
    app: str
    events: frozenset[EventName]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedSubscription:
    """A subscription, since when it is there, and whether it is the asking caller's own."""

    subscription: Subscription
    created_at: str
    is_own: bool


class Subscriptions:
    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._table, self._clock = storage.table(TABLE), clock

    async def subscribe(
        self, *, url: str, app: str, events: Collection[EventName], holder: str
    ) -> str:
        """Keep a subscription and return its id.

        The same address and events are the same subscription, however often they are sent.

        Args:
            url: that is to be called.
            app: the address of this app as the receiver knows it, up to `/api`.
            events: that are to be told.
            holder: the caller's name, which is kept as a digest, because it is only compared.

        Raises:
            TooManySubscriptions: the holder has `MAX_SUBSCRIPTIONS` others.
        """
        wanted = sorted(set(events))
        digest = hashlib.sha256("\n".join([url, *wanted]).encode()).digest()
        subscription_id = str(UUID(bytes=digest[:16]))
        if await self._table.get(_SUBSCRIPTION, subscription_id) is None:
            owner = _digest(holder)
            await self._require_room(owner)
            row = self._row(_SUBSCRIPTION, subscription_id, url, app, wanted)
            await self._table.insert(replace(row, values={**row.values, "holder": owner}))
        return subscription_id

    async def _require_room(self, holder: str) -> None:
        """Count before adding: who adds several in one instant may get a few more."""
        where = [[Condition("holder", "eq", holder)]]
        theirs = [row.key async for row in self._table.rows(_SUBSCRIPTION, where=where)]
        if len(theirs) >= MAX_SUBSCRIPTIONS:
            raise TooManySubscriptions(
                f"You have {len(theirs)} subscriptions, and {MAX_SUBSCRIPTIONS} are the most. "
                "DELETE the Location of one that you need no more."
            )

    async def unsubscribe(self, subscription_id: str, *, holder: str | None = None) -> bool:
        """End a subscription; False where there never was such a one, or where it is another's.

        Its row gives way to one without the address, so that ending it again is no error.

        Args:
            subscription_id: as `subscribe` returned it.
            holder: the caller's name, whose it must be; None ends that of any caller.
        """
        row = await self._table.get(_SUBSCRIPTION, subscription_id) or await self._table.get(
            _ENDED, subscription_id
        )
        if row is None or (holder is not None and row.values["holder"] != _digest(holder)):
            return False
        values = {"at": timestamp(self._clock.now()), "holder": row.values["holder"]}
        await self._table.insert(Row(partition=_ENDED, key=subscription_id, values=values))
        await self._table.delete(_SUBSCRIPTION, subscription_id)
        return True

    async def subscription(self, subscription_id: str) -> Subscription | None:
        row = await self._table.get(_SUBSCRIPTION, subscription_id)
        return _subscription_of(row) if row else None

    async def subscriptions(self) -> AsyncIterator[Subscription]:
        async for row in self._table.rows(_SUBSCRIPTION):
            yield _subscription_of(row)

    async def listed(
        self, *, asking: str, with_others: bool, after: str = "", at_once: int = MAX_PAGE_ROWS
    ) -> AsyncIterator[ListedSubscription]:
        """Yield a caller's subscriptions, in the order of their ids.

        Args:
            asking: the caller's name.
            with_others: whether those of other callers are yielded, too.
            after: an id; only those behind it.
            at_once: how many to ask for at a time.
        """
        own = _digest(asking)
        where = [] if with_others else [[Condition("holder", "eq", own)]]
        place = (_SUBSCRIPTION, after) if after else None
        async for row in self._table.rows(_SUBSCRIPTION, after=place, where=where, at_once=at_once):
            yield ListedSubscription(
                subscription=_subscription_of(row),
                created_at=str(row.values.get("createdAt", "")),
                is_own=row.values.get("holder") == own,
            )

    async def store_callback(self, check_id: str, *, url: str, app: str) -> None:
        """Keep where one check's end is to be told; a callback that is there stays as it is."""
        wanted = [EventName.CHECK_COMPLETED, EventName.CHECK_FAILED]
        await self._table.insert(self._row(_CALLBACK, check_id, url, app, wanted))

    async def callback(self, check_id: str) -> Subscription | None:
        row = await self._table.get(_CALLBACK, check_id)
        return _subscription_of(row) if row else None

    async def delete_callback(self, check_id: str) -> None:
        """Forget a callback, which was told or wants nothing any more."""
        await self._table.delete(_CALLBACK, check_id)

    def _row(
        self, partition: str, key: str, url: str, app: str, events: Collection[EventName]
    ) -> Row:
        now = timestamp(self._clock.now())
        values = {"url": url, "app": app, "events": ",".join(events), "createdAt": now}
        return Row(partition=partition, key=key, values=values)


def _digest(holder: str) -> str:
    return hashlib.sha256(holder.encode()).hexdigest()


def _subscription_of(row: Row) -> Subscription:
    names = str(row.values["events"]).split(",")
    return Subscription(
        id=row.key,
        url=str(row.values["url"]),
        app=str(row.values["app"]),
        events=frozenset(EventName(name) for name in names),
    )
