"""A lease: one worker at a time has a piece of work, and who lost it does not get it back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from entra_sod.core.errors import NotYetConsistent, StorageUnavailable
from entra_sod.stores.leases import LeaseStore
from local.memory.clock import ManualClock
from local.memory.storage import MemoryStorage

LENGTH = timedelta(seconds=20)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def leases(clock: ManualClock) -> LeaseStore:
    table = MemoryStorage().table("checks")
    return LeaseStore(table=table, clock=clock, key="working", doing="working on", length=LENGTH)


async def test_one_worker_at_a_time_holds_a_work(leases: LeaseStore) -> None:
    """The other is told to come again; of another work it may have the lease."""
    async with leases.hold("w") as lease, leases.hold("x"):
        await lease.require_held()
        with pytest.raises(NotYetConsistent, match="another worker is working on w"):
            async with leases.hold("w"):
                pass
    async with leases.hold("w"):
        with pytest.raises(NotYetConsistent, match="another worker is working on w now"):
            await lease.require_held()


async def test_a_lease_is_let_go_with_an_error(leases: LeaseStore) -> None:
    with pytest.raises(LookupError):
        async with leases.hold("w"):
            raise LookupError
    assert await leases.claim("w", "next")


async def test_work_that_is_done_is_not_undone_by_storage_that_is_away(
    leases: LeaseStore, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lease cannot be let go then, and runs out by itself."""

    async def away(*_: str) -> None:
        raise StorageUnavailable("away")

    async with leases.hold("w"):
        monkeypatch.setattr(LeaseStore, "release", away)
    assert not await leases.claim("w", "next")
    clock.advance(LENGTH.total_seconds())
    assert await leases.claim("w", "next")


async def test_a_lease_that_ran_out_is_its_owners_until_another_has_it(
    leases: LeaseStore, clock: ManualClock
) -> None:
    """No other worker has it: who was slow may go on, and renew."""
    assert await leases.claim("w", "slow")
    clock.advance(LENGTH.total_seconds())
    assert await leases.is_held("w", "slow")
    await leases.renew("w", "slow")
    assert not await leases.claim("w", "other")


async def test_a_lease_that_another_had_is_gone_for_good(
    leases: LeaseStore, clock: ManualClock
) -> None:
    """Also when that one has let it go, for then the work has ended."""
    assert await leases.claim("w", "slow")
    clock.advance(LENGTH.total_seconds())
    assert await leases.claim("w", "other")
    await leases.renew("w", "slow")
    await leases.release("w", "slow")
    assert await leases.is_held("w", "other")
    await leases.release("w", "other")
    await leases.renew("w", "slow")
    assert not await leases.is_held("w", "slow")
