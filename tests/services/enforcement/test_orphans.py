"""Which groups that references of ours name are gone, as far as the identity may know."""

from __future__ import annotations

import pytest

from entra_sod.core.errors import Forbidden, Unavailable
from entra_sod.domain.entra import Group, Reference, ReferenceKind
from entra_sod.services.enforcement.orphans import DeletedGroups, find_deleted_groups
from local.memory.graph import MemoryGraph
from tests.builders import guid

THERE, GONE = guid("1"), guid("2")


class CountingGraph(MemoryGraph):
    """Notes each look-up; `fails` is raised instead of an answer."""

    def __init__(self, *group_ids: str, fails: Exception | None = None) -> None:
        super().__init__([], {})
        self.groups = {each: Group(id=each, is_security_enabled=True) for each in group_ids}
        self.looked_up: list[str] = []
        self.fails = fails

    async def group(self, group_id: str) -> Group:
        self.looked_up.append(group_id)
        if self.fails:
            raise self.fails
        return await super().group(group_id)


def ours(*group_ids: str) -> list[Reference]:
    return [Reference(guid(on), ReferenceKind.GROUP, group) for on in "ab" for group in group_ids]


async def test_a_group_that_the_directory_does_not_have_is_gone() -> None:
    """Each group is looked up once, however many references name it; packages are not."""
    graph = CountingGraph(THERE)
    to_package = Reference(guid("a"), ReferenceKind.PACKAGE, guid("b"))
    found = await find_deleted_groups(graph, [*ours(THERE, GONE), to_package])
    assert found == DeletedGroups(gone=frozenset([GONE]))
    assert sorted(graph.looked_up) == [THERE, GONE]


async def test_without_the_permission_nothing_is_called_gone() -> None:
    """The first refusal says why, and no other group is asked for."""
    graph = CountingGraph(fails=Forbidden("no", status=403))
    found = await find_deleted_groups(graph, ours(*(f"group-{number}" for number in range(50))))
    assert found.gone == frozenset()
    assert found.unread is not None
    assert "directory permission such as GroupMember.Read.All (Graph answers 403)" in found.unread
    assert len(graph.looked_up) == 1


async def test_what_could_not_be_read_is_an_error() -> None:
    """A Graph that does not answer has not said that a group is gone."""
    with pytest.raises(Unavailable):
        await find_deleted_groups(CountingGraph(fails=Unavailable("later")), ours(THERE, GONE))


async def test_nothing_of_ours_asks_for_nothing() -> None:
    """Without references to groups no permission is needed, and none is missed."""
    graph = CountingGraph(fails=Forbidden("no", status=403))
    assert await find_deleted_groups(graph, []) == DeletedGroups()
    assert graph.looked_up == []
