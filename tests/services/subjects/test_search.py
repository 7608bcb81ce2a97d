"""Searches and counts in an index, held against the same in one list."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entra_sod.domain.detection.index import IndexFile, IndexWriter, names_start
from entra_sod.domain.entra import Assignment, Pair, Subject
from entra_sod.domain.text import fold
from entra_sod.services.rules import count_holders
from entra_sod.services.rules.count_holders import HolderCounts
from entra_sod.services.subjects import search
from entra_sod.services.subjects.search import FoundSubject, SubjectQuery, find_in_index
from entra_sod.stores.sweeps import SweepStore
from local.memory.clock import ManualClock
from local.memory.storage import MemoryStorage

PACKAGES = "abcd"
NAMES = st.lists(st.text(max_size=8) | st.sampled_from(["Ada", "ADA", "ada ", "Zoë"]), max_size=30)
# A guest who does not exist in the tenant yet has none.
PRINCIPALS = {
    **{number: f"User{number}@Contoso.com" for number in range(20)},
    0: "Zo\u00eb@contoso.com",
    1: "Zoe\u0308.B@contoso.com",
}
PARTS = st.sampled_from(["user1", "USER1@contoso.com ", "ZO\u00cb", "@contoso", "user1 @", "o1"])
HOLDINGS = st.sets(st.tuples(st.sampled_from(PACKAGES), st.integers(0, 29)), max_size=60)


def held(names: Sequence[str], package: str, number: int) -> Assignment:
    who = Subject(
        id=f"s{number}",
        object_id=f"o{number}",
        display_name=names[number],
        principal_name=PRINCIPALS.get(number),
    )
    return Assignment(id=f"{package}-{number}", subject=who, state="delivered", package_id=package)


async def indexed(
    names: Sequence[str], holdings: set[tuple[str, int]]
) -> tuple[SweepStore, list[IndexFile]]:
    """An index of two files, as two parts of a sweep leave it."""
    store, files = SweepStore(MemoryStorage(), ManualClock()), list[IndexFile]()
    for places in ("ab", "cd"):
        writer, count = IndexWriter(places), 0
        for package, number in sorted(holdings):
            if package in places:
                count += writer.add(package, [held(names, package, number)])
        data = writer.finish()
        blob, start = await store.store_blob("sweep", "index", data), names_start(data)
        files.append(
            IndexFile(blob=blob, places=list(places), assignments=count, names_start=start)
        )
    return store, files


async def all_pages(
    store: SweepStore, files: Sequence[IndexFile], text: str, limit: int
) -> list[FoundSubject]:
    """Every page behind the other, as their places lead."""
    found, query = list[FoundSubject](), SubjectQuery(search=text, limit=limit)
    while True:
        page = await find_in_index(store, files, query)
        found += page.first[:limit]
        if len(page.first) <= limit:
            assert page.total == len(found)
            return found
        query = SubjectQuery(search=text, limit=limit, after=page.first[limit - 1].position)


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The index is read in many small groups of its buckets."""
    monkeypatch.setattr(search, "MAX_ASSIGNMENTS_AT_ONCE", 4)
    monkeypatch.setattr(count_holders, "MAX_ASSIGNMENTS_COUNTED_AT_ONCE", 4)


def has_in_principal_name(number: int, text: str) -> bool:
    part = fold(text.strip())
    return part != "" and part in fold(PRINCIPALS.get(number, ""))


@given(names=NAMES, holdings=HOLDINGS, text=st.text(max_size=3) | PARTS, limit=st.integers(1, 9))
def test_all_pages_have_each_subject_that_fits_once_in_order(
    *, names: list[str], holdings: set[tuple[str, int]], text: str, limit: int
) -> None:
    """Whatever names, packages, search and size of pages."""
    known = {(package, number) for package, number in holdings if number < len(names)}
    packages: dict[int, set[str]] = {}
    for package, number in known:
        packages.setdefault(number, set()).add(package)
    ids = text.strip().lower()
    expected = sorted(
        (fold(names[number]), f"s{number}", len(of))
        for number, of in packages.items()
        if fold(text) in fold(names[number])
        or ids in (f"s{number}", f"o{number}")
        or has_in_principal_name(number, text)
    )

    async def search_all() -> list[FoundSubject]:
        store, files = await indexed(names, known)
        return await all_pages(store, files, text, limit)

    found = asyncio.run(search_all())
    assert [(*each.position, each.packages) for each in found] == expected


@given(holdings=HOLDINGS, wanted=st.frozensets(st.sampled_from(PACKAGES), max_size=4))
def test_holders_are_counted_alone_and_together(
    *, holdings: set[tuple[str, int]], wanted: frozenset[str]
) -> None:
    """As sets of subjects say."""
    names = ["x"] * 30
    pairs = frozenset(Pair.of(*two) for two in combinations(sorted(wanted), 2))

    async def count() -> HolderCounts:
        store, files = await indexed(names, holdings)
        counts = HolderCounts(packages=wanted, pairs=pairs)
        return await count_holders.count_holders(store, files, counts)

    counts = asyncio.run(count())
    holders = {each: {n for package, n in holdings if package == each} for each in wanted}
    assert {each: counts.holders[each] for each in wanted} == {
        each: len(of) for each, of in holders.items()
    }
    for one, other in combinations(sorted(wanted), 2):
        assert counts.both(one, other) == len(holders[one] & holders[other])
        assert counts.both(other, one) == counts.both(one, other)
        assert counts.both(one, one) == 0
