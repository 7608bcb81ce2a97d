"""How many subjects there are and which groups are gone, as far as the identity may know."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pytest

from entra_sod.core.errors import Forbidden, GraphError, Throttled, Unavailable, Unreadable
from entra_sod.domain.enforcement.impact import Population, grantors_of
from entra_sod.domain.entra import Reference, ReferenceKind
from entra_sod.services.enforcement.count_subjects import (
    CountedGroups,
    count_members,
    count_subjects,
)
from local.memory.graph import MemoryGraph
from tests.builders import guid, held, package

THERE, GONE, ODD = guid("1"), guid("2"), guid("3")
TO_PACKAGE = Reference(guid("a"), ReferenceKind.PACKAGE, guid("b"))


class CountingGraph(MemoryGraph):
    """Notes who is counted; `fails` is raised instead of an answer."""

    def __init__(self, *group_ids: str, fails: Exception | None = None) -> None:
        packages = [package("a"), package("b"), package("c", "1")]
        assignments = {guid("b"): held("b", "xyz"), guid("c"): held("c", "x")}
        super().__init__(packages, assignments, page_size=2)
        self.members = dict.fromkeys(group_ids, 7)
        self.looked_up: list[str] = []
        self.fails = fails

    async def member_counts(self, group_ids: Collection[str]) -> Mapping[str, int | GraphError]:
        self.looked_up += group_ids
        if self.fails:
            raise self.fails
        found = await super().member_counts(group_ids)
        return {key: Unreadable("many") if key == ODD else each for key, each in found.items()}


def to_groups(*group_ids: str) -> list[Reference]:
    return [Reference(guid(on), ReferenceKind.GROUP, group) for on in "ab" for group in group_ids]


async def test_a_group_that_the_directory_does_not_have_is_gone() -> None:
    """Each group is counted once, however many references name it; packages are not."""
    graph = CountingGraph(THERE)
    found = await count_members(graph, [*to_groups(THERE, GONE), TO_PACKAGE])
    assert found == CountedGroups(members={THERE: 7}, gone=frozenset([GONE]))
    assert sorted(graph.looked_up) == [THERE, GONE]


async def test_without_the_permission_nothing_is_known() -> None:
    """The first refusal says why, and no other group is asked for."""
    graph = CountingGraph()
    graph.members = None
    found = await count_members(graph, to_groups(*(f"group-{number}" for number in range(50))))
    assert (found.members, found.gone) == ({}, frozenset())
    assert found.unread is not None
    assert "optional Graph permission GroupMember.ReadBasic.All (Graph answers 403)" in found.unread
    assert len(graph.looked_up) == 1


async def test_a_graph_that_does_not_answer_has_not_said_that_a_group_is_gone() -> None:
    """Nothing is known of any group, and the reason is told."""
    graph = CountingGraph(fails=Unavailable("later"))
    found = await count_members(graph, to_groups(THERE, GONE))
    assert found == CountedGroups(unread="later")


async def test_a_count_that_is_none_is_not_0() -> None:
    """It is missing, and the reason is told; the other group is counted."""
    found = await count_members(CountingGraph(THERE, ODD), to_groups(THERE, ODD))
    assert found == CountedGroups(members={THERE: 7}, unread="many")


async def test_throttling_is_for_later() -> None:
    """A number that would be known in a minute is waited for."""
    with pytest.raises(Throttled):
        await count_members(CountingGraph(fails=Throttled("slow", retry_after=60)), to_groups(ODD))


async def test_no_reference_to_a_group_asks_for_nothing() -> None:
    """Without references to groups no permission is needed, and none is missed."""
    graph = CountingGraph(fails=Forbidden("no", status=403))
    assert await count_members(graph, [TO_PACKAGE]) == CountedGroups()
    assert graph.looked_up == []


async def test_holders_that_are_not_known_are_counted() -> None:
    """Those of the package, and of the packages that grant the group; each subject once."""
    known = Population(holders={guid("d"): 4}, whole=[guid("d")])
    grantors = grantors_of([package("c", "1"), package("d", "1")])
    asked = Population(holders=known.holders, whole=known.whole, grantors=grantors)
    found = await count_subjects(CountingGraph(THERE), [TO_PACKAGE, *to_groups(THERE)], asked)
    assert found.holders == {guid("b"): 3, guid("c"): 1, guid("d"): 4}
    assert set(found.whole) == {guid("b"), guid("c"), guid("d")}
    assert found.members == {THERE: 7}


async def test_holders_that_may_not_be_read_are_not_known() -> None:
    """The package is not among those whose holders are whole."""
    graph = CountingGraph()
    graph.unreadable.add(guid("b"))
    found = await count_subjects(graph, [TO_PACKAGE], Population())
    assert set(found.whole) == set()


async def test_holders_that_the_run_could_not_read_are_not_asked_for_again() -> None:
    """How many they are is unknown, and a package that Graph never answers for ends no run."""
    graph = CountingGraph(THERE)
    known = Population(unread={guid("b")})
    found = await count_subjects(graph, [TO_PACKAGE], known)
    assert (found.holders, set(found.whole)) == ({}, set())
