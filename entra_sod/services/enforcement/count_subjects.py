"""Asks Graph how many subjects references keep away, as far as that is not known yet."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from entra_sod.core.errors import Forbidden, GraphError, NotFound, Unavailable
from entra_sod.domain.enforcement.impact import Population
from entra_sod.domain.entra import Reference, ReferenceKind
from entra_sod.domain.roles.model import COUNT_MEMBERS
from entra_sod.ports.graph import Graph


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedGroups:
    """How many members groups have, which do not exist, and why others were not counted."""

    members: Mapping[str, int] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()
    unread: str | None = None


async def count_members(graph: Graph, references: Iterable[Reference]) -> CountedGroups:
    """Count the members of each group that a reference is to, once.

    A refusal of the first ends it: it is about the permission, not about the group.

    Raises:
        Throttled: try again later.
    """
    groups = sorted({each.target for each in references if each.kind is ReferenceKind.GROUP})
    found: dict[str, int | GraphError] = {}
    try:
        for some in (groups[:1], groups[1:]):
            if some and not any(isinstance(each, Forbidden) for each in found.values()):
                found |= await graph.member_counts(some)
    except Unavailable as error:
        found |= dict.fromkeys(groups[len(found) :], error)
    errors = [each for each in found.values() if isinstance(each, GraphError)]
    others = [each for each in errors if not isinstance(each, NotFound)]
    return CountedGroups(
        members={key: each for key, each in found.items() if isinstance(each, int)},
        gone=frozenset(key for key, each in found.items() if isinstance(each, NotFound)),
        unread=_why(others[0]) if others else None,
    )


def _why(error: GraphError) -> str:
    if not isinstance(error, Forbidden):
        return str(error)
    return (
        "the identity may not count the members of groups, which takes the optional Graph "
        f"permission {COUNT_MEMBERS} (Graph answers {error.status})"
    )


async def count_subjects(
    graph: Graph, additions: Collection[Reference], known: Population
) -> Population:
    """Add what Graph says of the groups and packages of additions to what is known.

    Raises:
        Throttled, Unavailable: try again later.
    """
    groups = await count_members(graph, additions)
    packages = {each.target for each in additions if each.kind is ReferenceKind.PACKAGE}
    packages |= {key for each in additions for key in known.grantors.get(each.target, ())}
    holders = await _holders(graph, packages.difference(known.whole, known.unread))
    return replace(
        known,
        holders={**known.holders, **holders},
        whole=holders.keys() | known.whole,
        members=groups.members,
        uncounted=groups.unread,
    )


async def _holders(graph: Graph, packages: Collection[str]) -> Mapping[str, int]:
    """How many hold each package; one whose holders could not all be read is left out."""
    holders = {each: set[str]() for each in packages}
    async for package, page in graph.assignments_of(packages):
        if isinstance(page, GraphError):
            holders.pop(package, None)
        elif package in holders:
            holders[package] |= {each.subject.id for each in page if each.is_held}
    return {package: len(subjects) for package, subjects in holders.items()}
