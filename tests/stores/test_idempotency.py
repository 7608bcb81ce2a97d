from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entra_sod.ports.storage import Row
from entra_sod.stores.checks import RETENTION
from entra_sod.stores.idempotency import TABLE, IdempotencyKey, IdempotencyKeys, RequestSource
from local.memory.clock import ManualClock
from local.memory.storage import MemoryStorage

keys = st.builds(
    IdempotencyKey, entry=st.sampled_from(RequestSource), holder=st.text(), text=st.text()
)


@given(keys, keys)
def test_keys_meet_only_where_all_their_parts_are_equal(
    one: IdempotencyKey, other: IdempotencyKey
) -> None:
    """Whatever is written in a key, it is never another holder's, nor of another way in."""
    is_same = (one.entry, one.holder, one.text) == (other.entry, other.holder, other.text)
    assert (one.digest == other.digest) is is_same


@given(st.text(), st.text(), st.text())
def test_no_part_of_a_key_runs_over_into_the_next(first: str, second: str, third: str) -> None:
    """The same letters, cut at another place, are another key."""
    one = IdempotencyKey(entry=RequestSource.CALLER, holder=first + second, text=third)
    other = IdempotencyKey(entry=RequestSource.CALLER, holder=first, text=second + third)
    assert (one.digest == other.digest) is (second == "")


def test_a_key_is_kept_in_one_form() -> None:
    """What is kept is found by the next version, too: the form of the digest does not change."""
    key = IdempotencyKey(entry=RequestSource.CALLER, holder="key:jira", text="CHG-1")
    assert key.digest == "c005e0d180b7a448fa646431c06e68c7ae6c85173eb80cde06f9c8d7907cb492"


class TestForgetting:
    @pytest.fixture
    def clock(self) -> ManualClock:
        return ManualClock()

    @pytest.fixture
    def storage(self) -> MemoryStorage:
        return MemoryStorage()

    @pytest.fixture
    async def keys(self, storage: MemoryStorage, clock: ManualClock) -> IdempotencyKeys:
        """Three keys at the end of their time, and one of a second later."""
        keys = IdempotencyKeys(storage, clock)
        for text in "abc":
            await keys.claim(key_of(text), digest="d", check_id=text)
        clock.advance(1)
        await keys.claim(key_of("young"), digest="d", check_id="young")
        clock.advance(RETENTION.total_seconds() - 1)
        return keys

    async def test_a_key_in_force_is_never_forgotten(
        self, keys: IdempotencyKeys, storage: MemoryStorage
    ) -> None:
        """Not in the last instant of its time either."""
        await keys.purge_expired()
        assert await kept(storage) == ["a", "b", "c", "young"]

    async def test_what_is_over_is_forgotten(
        self, keys: IdempotencyKeys, storage: MemoryStorage, clock: ManualClock
    ) -> None:
        """Its row goes; the others keep theirs."""
        clock.advance(1)
        await keys.purge_expired()
        assert await kept(storage) == ["young"]

    async def test_a_night_has_an_end(
        self, keys: IdempotencyKeys, storage: MemoryStorage, clock: ManualClock
    ) -> None:
        """What is too much for one night goes in the next."""
        clock.advance(1)
        await keys.purge_expired(2)
        assert len(await kept(storage)) == 2
        await keys.purge_expired(2)
        assert await kept(storage) == ["young"]

    async def test_a_key_that_is_claimed_meanwhile_stays(
        self,
        keys: IdempotencyKeys,
        storage: MemoryStorage,
        clock: ManualClock,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Between reading and removing another worker took it over and owns it now."""
        clock.advance(1)
        table, by_digest = storage.table(TABLE), {key_of(text).digest: text for text in "abc"}
        remove = table.delete

        async def late(partition: str, key: str, *, etag: str | None = None) -> bool:
            await keys.claim(key_of(by_digest[partition]), digest="d", check_id="new")
            return await remove(partition, key, etag=etag)

        monkeypatch.setattr(table, "delete", late)
        await keys.purge_expired()
        assert await kept(storage) == ["new", "new", "new", "young"]


def key_of(text: str) -> IdempotencyKey:
    return IdempotencyKey(entry=RequestSource.CALLER, holder="key:jira", text=text)


async def kept(storage: MemoryStorage) -> list[str]:
    """The checks that keys stand for."""
    rows: list[Row] = [row async for row in storage.table(TABLE).rows()]
    return sorted(str(row.values["checkId"]) for row in rows)
