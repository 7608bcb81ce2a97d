"""Groups that references of ours name and the directory does not have any more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from entra_sod.core.errors import Forbidden, NotFound
from entra_sod.core.parallel import in_parallel
from entra_sod.domain.entra import Reference, ReferenceKind
from entra_sod.ports.graph import Graph


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedGroups:
    """What looking groups up has shown.

    Attributes:
        gone: ids of those that do not exist.
        unread: why the others were not looked up, where the identity may not; else None.
    """

    gone: frozenset[str] = frozenset()
    unread: str | None = None


async def find_deleted_groups(graph: Graph, ours: Iterable[Reference]) -> DeletedGroups:
    """Look up each group that a reference of ours is to, once, at most eight at a time.

    The first refusal ends the looking: it is about the permission, not about the group.

    Args:
        graph: to ask.
        ours: references that the ledger says this app wrote; those to packages are passed over.

    Raises:
        SodError: a group could not be looked up, and not for want of a permission.
    """
    gone: set[str] = set()
    refusals: list[Forbidden] = []

    async def look(group_id: str) -> None:
        if refusals:
            return
        try:
            await graph.group(group_id)
        except NotFound:
            gone.add(group_id)
        except Forbidden as error:
            refusals.append(error)

    groups = {each.target for each in ours if each.kind is ReferenceKind.GROUP}
    await in_parallel(look, sorted(groups))
    return DeletedGroups(gone=frozenset(gone), unread=_why(refusals[0]) if refusals else None)


def _why(error: Forbidden) -> str:
    return (
        "the identity may not look groups up, which takes a directory permission such as "
        f"GroupMember.Read.All (Graph answers {error.status})"
    )
