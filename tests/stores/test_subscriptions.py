"""Lists of subscriptions, in memory and on real storage."""

from __future__ import annotations

from uuid import uuid4

from entra_sod.domain.notifications.event import EventName
from entra_sod.ports.storage import Storage
from entra_sod.stores.subscriptions import ListedSubscription, Subscriptions
from local.memory.clock import ManualClock
from tests.adapters.storage.test_storage_contract import storage

__all__ = ["storage"]  # the fixture of the contract tests: in memory, and Azurite


async def subscribe(store: Subscriptions, holder: str, number: int) -> str:
    url = f"https://hooks.example.com/{holder}/{number}"
    events = [EventName.CHECK_COMPLETED]
    return await store.subscribe(url=url, app="https://app", events=events, holder=holder)


async def listed(
    store: Subscriptions, holder: str, *, with_others: bool = False, after: str = ""
) -> list[ListedSubscription]:
    found = store.listed(asking=holder, with_others=with_others, after=after, at_once=2)
    return [each async for each in found]


async def test_a_holders_subscriptions_are_listed_in_order(storage: Storage) -> None:
    """Those of others are left out, or told apart; a place begins behind the id that it names."""
    store = Subscriptions(storage, ManualClock())
    # The storage may have subscriptions of other tests.
    one, other = (f"key:{uuid4().hex}" for _ in range(2))
    mine = sorted([await subscribe(store, one, number) for number in range(5)])
    theirs = await subscribe(store, other, 0)
    found = await listed(store, one)
    assert [each.subscription.id for each in found] == mine
    assert {each.created_at for each in found} == {"2026-01-01T00:00:00Z"}
    assert all(each.is_own for each in found)
    assert [each.subscription.id for each in await listed(store, one, after=mine[2])] == mine[3:]
    own = {each.subscription.id: each.is_own for each in await listed(store, one, with_others=True)}
    assert {each: own[each] for each in (*mine, theirs)} == {
        **dict.fromkeys(mine, True),
        theirs: False,
    }


async def test_what_has_ended_is_not_listed(storage: Storage) -> None:
    """Its row gives way to one without the address."""
    store, holder = Subscriptions(storage, ManualClock()), f"key:{uuid4().hex}"
    first, second = [await subscribe(store, holder, number) for number in range(2)]
    await store.unsubscribe(first, holder=holder)
    assert [each.subscription.id for each in await listed(store, holder)] == [second]
