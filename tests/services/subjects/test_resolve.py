"""Which subject a name means: by the directory, or by the index of the last sweep."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from entra_sod.core.errors import GraphError, Throttled
from entra_sod.domain.detection.index import IndexFile, IndexWriter, names_start
from entra_sod.domain.entra import Assignment, Subject
from entra_sod.services.subjects.from_index import MAX_INDEX_AGE, HoldersIndex
from entra_sod.services.subjects.resolve import (
    ResolvedSubject,
    SubjectNotResolved,
    SubjectResolver,
)
from entra_sod.services.sweeps.summary import SweepSummary
from entra_sod.stores.sweeps import SweepStore
from local.memory.clock import ManualClock
from local.memory.graph import MemoryGraph
from local.memory.storage import MemoryStorage
from tests.builders import guid

ADA, BOB, EVE = guid("a"), guid("b"), guid("e")
NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)


def holder(object_id: str | None, name: str | None, subject_id: str = "") -> Assignment:
    subject = Subject(id=subject_id or f"s-{object_id}", object_id=object_id, principal_name=name)
    return Assignment(id=f"of-{subject.id}", subject=subject, state="delivered")


async def index_of(*held: Assignment, age: timedelta = timedelta(hours=7)) -> HoldersIndex:
    """The index of a sweep that found these."""
    clock = ManualClock(NOW)
    store = SweepStore(MemoryStorage(), clock)
    writer = IndexWriter([guid("1")])
    writer.add(guid("1"), held)
    data = writer.finish()
    blob = await store.store_blob("s", "index", data)
    file = IndexFile(
        blob=blob, places=[guid("1")], assignments=len(held), names_start=names_start(data)
    )
    summary = SweepSummary(sweep_id="s", pages={}, index=[file], as_of=NOW - age)
    await store.store_summary("s", msgspec.json.encode(summary))
    return HoldersIndex(store, clock)


def directory(**names: str) -> MemoryGraph:
    graph = MemoryGraph([], {})
    graph.names = {f"{name}@contoso.com": object_id for name, object_id in names.items()}
    return graph


async def test_an_id_is_taken_as_it_is() -> None:
    """In small letters, and no one is asked."""
    resolver = SubjectResolver(users=MemoryGraph([], {}))
    assert await resolver.resolve_one(f" {ADA.upper()} ") == ResolvedSubject(id=ADA)


async def test_the_directory_tells_whose_a_name_is() -> None:
    """In whatever case; each text of a call has its own answer."""
    resolver = SubjectResolver(users=directory(ada=ADA, bob=BOB))
    found = await resolver.resolve(["Ada@Contoso.com", "bob@contoso.com", "eve@contoso.com", EVE])
    assert {text: each.id for text, each in found.items() if isinstance(each, ResolvedSubject)} == {
        "Ada@Contoso.com": ADA,
        "bob@contoso.com": BOB,
        EVE: EVE,
    }
    assert "the directory has no user eve@contoso.com" in str(found["eve@contoso.com"])


@pytest.mark.parametrize("text", ["ada", "", "ada@contoso", ADA.replace("-", "")])
async def test_what_is_no_name_is_refused_without_asking(text: str) -> None:
    """The message says what would be one."""
    with pytest.raises(SubjectNotResolved, match=r"object id .* or a user principal name"):
        await SubjectResolver(users=MemoryGraph([], {})).resolve_one(text)


async def test_an_answer_about_another_user_is_not_taken() -> None:
    """A directory that finds a user by an alias answers with the user's own name."""

    class Aliases(MemoryGraph):
        async def users_by_name(self, names: object) -> dict[str, Subject | GraphError]:  # noqa: ARG002
            other = Subject(id=BOB, object_id=BOB, principal_name="robert@contoso.com")
            return {"bob@contoso.com": other}

    with pytest.raises(SubjectNotResolved, match=r"answered with robert@contoso.com"):
        await SubjectResolver(users=Aliases([], {})).resolve_one("bob@contoso.com")


async def test_the_index_tells_where_the_directory_may_not_be_read() -> None:
    """By the principal name that entitlement management shows of holders."""
    index = await index_of(
        holder(ADA, "Ada@contoso.com"), holder(BOB, None), holder(EVE, "e@x.com")
    )
    resolver = SubjectResolver(users=MemoryGraph([], {}), index=index)
    found = await resolver.resolve_one("ada@CONTOSO.com")
    assert (found.id, found.principal_name) == (ADA, "Ada@contoso.com")
    assert str(found.source).startswith("index of sweep s")
    with pytest.raises(SubjectNotResolved, match=r"no holder bob@contoso.com.*User.ReadBasic.All"):
        await resolver.resolve_one("bob@contoso.com")


async def test_the_directory_of_today_is_above_the_index() -> None:
    """A name that the directory no longer has is unknown, whatever the index of last night says."""
    index = await index_of(holder(ADA, "ada@contoso.com"))
    resolver = SubjectResolver(users=directory(bob=BOB), index=index)
    with pytest.raises(SubjectNotResolved, match="the directory has no user"):
        await resolver.resolve_one("ada@contoso.com")


async def test_a_name_of_two_subjects_is_not_guessed() -> None:
    """Entitlement management may show an old name of one beside the new name of another."""
    index = await index_of(holder(ADA, "ada@contoso.com"), holder(BOB, "ADA@contoso.com"))
    resolver = SubjectResolver(users=MemoryGraph([], {}), index=index)
    with pytest.raises(SubjectNotResolved, match=r"2 subjects named ada@contoso.com"):
        await resolver.resolve_one("ada@contoso.com")


async def test_an_old_index_names_no_one() -> None:
    """The name may have another owner by now."""
    index = await index_of(holder(ADA, "ada@contoso.com"), age=MAX_INDEX_AGE + timedelta(seconds=1))
    resolver = SubjectResolver(users=MemoryGraph([], {}), index=index)
    with pytest.raises(SubjectNotResolved, match="no sweep of the last 3 days"):
        await resolver.resolve_one("ada@contoso.com")


async def test_a_subject_without_an_object_id_has_the_other_one() -> None:
    """It is invited, and has not signed in yet."""
    index = await index_of(holder(None, "ada@contoso.com", subject_id=EVE))
    resolver = SubjectResolver(users=MemoryGraph([], {}), index=index)
    assert (await resolver.resolve_one("ada@contoso.com")).id == EVE


async def test_a_busy_directory_is_no_answer() -> None:
    """The caller comes again; the index is not asked in its place."""

    class Busy(MemoryGraph):
        async def users_by_name(self, names: object) -> dict[str, Subject | GraphError]:  # noqa: ARG002
            raise Throttled("busy", retry_after=1)

    index = await index_of(holder(ADA, "ada@contoso.com"))
    with pytest.raises(Throttled):
        await SubjectResolver(users=Busy([], {}), index=index).resolve_one("ada@contoso.com")
