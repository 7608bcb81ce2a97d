"""Reads of the tenant what a set of rules depends on, in batches, some of them at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import batched

import msgspec
from rich.console import Console

from entra_sod.cli.operations.tenant_state import TenantState
from entra_sod.cli.progress import Advance
from entra_sod.core.errors import (
    PERMANENT,
    Forbidden,
    GraphError,
    NotFound,
    Throttled,
    Unavailable,
    UnreadableItem,
)
from entra_sod.core.parallel import in_parallel
from entra_sod.domain.entra import AccessPackage, Reference, ReferenceKind
from entra_sod.domain.results.coverage import Coverage, Skipped
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.ports.graph import Graph
from entra_sod.services.enforcement.count_subjects import count_members
from entra_sod.services.rules import alike

# As many as the parts of a sweep have: the lists of 20 packages fill batches.
MAX_PACKAGES_IN_MEMORY = 20


async def read_state(
    graph: Graph,
    package_ids: Collection[str],
    *,
    with_holders: bool,
    advance: Advance = lambda _: None,
) -> TenantState:
    """Read packages, their references and, if asked, their holders.

    Args:
        graph: to ask.
        package_ids: every package in view.
        with_holders: whether to read assignments, too.
        advance: called with the number of packages that are done.

    A package of which anything cannot be read is left out whole, with Graph's reason. One with an
    assignment that cannot be understood stays: only how many people hold it is not known.

    Raises:
        Throttled: Graph asks for a longer wait than the client does by itself.
    """
    found = await _packages(graph, package_ids)
    packages = {key: each for key, each in found.items() if isinstance(each, AccessPackage)}
    errors = {key: each for key, each in found.items() if isinstance(each, GraphError)}
    present: set[Reference] = set()
    holders: dict[str, frozenset[str]] = {}
    items: dict[str, list[UnreadableItem]] = {}

    async def read(some: Sequence[str]) -> None:
        present.update(await _references(graph, some, errors))
        if with_holders:
            holders.update(await _holders(graph, some, errors, items))
        advance(len(some))

    await in_parallel(read, batched(sorted(packages), MAX_PACKAGES_IN_MEMORY, strict=False))
    for error in errors.values():
        if isinstance(error, Throttled):
            raise error
    return TenantState(
        packages={key: each for key, each in packages.items() if key not in errors},
        present=frozenset(each for each in present if each.on not in errors),
        holders={key: each for key, each in holders.items() if key not in errors},
        gone=frozenset(key for key, each in errors.items() if isinstance(each, NotFound)),
        errors={key: each for key, each in errors.items() if not isinstance(each, NotFound)},
        gaps=tuple(Skipped.of("", each) for key in sorted(items) for each in items[key]),
        partly_held=frozenset(items),
    )


async def find_unfit_groups(graph: Graph, references: Iterable[Reference]) -> frozenset[str]:
    """The groups of references that Graph takes for none, as they are not security-enabled.

    Where the identity may not look groups up, which is usual, none is known to be unfit.
    """
    groups = {each.target for each in references if each.kind is ReferenceKind.GROUP}
    unfit: set[str] = set()
    refused: list[Forbidden] = []

    async def look(group_id: str) -> None:
        if refused:
            return
        try:
            if not (await graph.group(group_id)).is_security_enabled:
                unfit.add(group_id)
        except Forbidden as error:
            refused.append(error)
        except PERMANENT:
            return  # writing says what is wrong with it

    await in_parallel(look, sorted(groups))
    return frozenset(unfit)


async def with_protected(graph: Graph, rules: RuleSet, state: TenantState) -> TenantState:
    """Read what protected packages grant that were not read: nothing is written to such a group."""
    notes = Coverage()
    known = await alike.with_protected(graph, rules, state.packages, notes)
    more = {key: each for key, each in known.items() if key not in state.packages}
    gaps = (*state.gaps, *notes.skipped)
    return msgspec.structs.replace(state, protected=more, gaps=gaps)


async def with_members(
    graph: Graph, state: TenantState, references: Iterable[Reference], err: Console
) -> TenantState:
    """Count the members of the groups that references are to; say it where that is not allowed."""
    counted = await count_members(graph, references)
    if counted.unread:
        err.print(f"how many members groups have is not known: {counted.unread}", style="yellow")
    return msgspec.structs.replace(state, members=dict(counted.members))


async def _packages(
    graph: Graph, package_ids: Collection[str]
) -> Mapping[str, AccessPackage | GraphError]:
    try:
        return await graph.packages_by_id(package_ids)
    except Unavailable as error:  # none of them was answered
        return dict.fromkeys(package_ids, error)


async def _references(
    graph: Graph, package_ids: Sequence[str], errors: dict[str, GraphError]
) -> set[Reference]:
    references = set[Reference]()
    try:
        lists = await graph.references_of(package_ids)
    except Unavailable as error:
        errors.update(dict.fromkeys(package_ids, error))
        return references
    for (on, kind), found in lists.items():
        if isinstance(found, GraphError):
            errors[on] = found
        else:
            references |= {Reference(on, kind, target) for target in found}
    return references


async def _holders(
    graph: Graph,
    package_ids: Sequence[str],
    errors: dict[str, GraphError],
    items: dict[str, list[UnreadableItem]],
) -> Mapping[str, frozenset[str]]:
    holders: dict[str, set[str]] = {each: set() for each in package_ids}
    try:
        async for package_id, page in graph.holders_of(package_ids):
            if isinstance(page, UnreadableItem):
                items.setdefault(package_id, []).append(page)
            elif isinstance(page, GraphError):
                errors[package_id] = page
            else:
                holders[package_id].update(page)
    except Unavailable as error:
        errors.update(dict.fromkeys(package_ids, error))
    return {package_id: frozenset(subjects) for package_id, subjects in holders.items()}
