"""Reads of the tenant what a set of rules depends on, in batches, some of them at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from itertools import batched

from entra_sod.cli.operations.plan_document import State
from entra_sod.core.errors import Forbidden, GraphError, NotFound, SodError
from entra_sod.core.parallel import in_parallel
from entra_sod.domain.entra import AccessPackage, Reference
from entra_sod.ports.graph import Graph

# As many as the parts of a sweep have: the lists of 20 packages fill batches.
PACKAGES_AT_ONCE = 20
WRITES_AT_ONCE = 8

type Advance = Callable[[int], None]


async def read_state(
    graph: Graph,
    package_ids: Collection[str],
    *,
    with_holders: bool,
    advance: Advance = lambda _: None,
) -> State:
    """Read packages, their references and, if asked, their holders.

    Args:
        graph: to ask.
        package_ids: every package in view.
        with_holders: whether to read assignments, too.
        advance: called with the number of packages that are done.

    Raises:
        GraphError: something could not be read that does not mean "not allowed" or "not there".
    """
    found = await graph.packages_by_id(package_ids)
    packages = {key: each for key, each in found.items() if isinstance(each, AccessPackage)}
    _raise_unexpected(each for each in found.values() if isinstance(each, GraphError))
    present: set[Reference] = set()
    holders: dict[str, frozenset[str]] = {}

    async def read(some: Sequence[str]) -> None:
        present.update(await _references(graph, some))
        if with_holders:
            holders.update(await _holders(graph, some))
        advance(len(some))

    await in_parallel(read, batched(sorted(packages), PACKAGES_AT_ONCE, strict=False))
    return State(
        packages=packages,
        present=frozenset(present),
        holders=holders,
        gone=frozenset(key for key, each in found.items() if isinstance(each, NotFound)),
    )


async def until_error[T](
    work: Callable[[T], Awaitable[None]], items: Iterable[T]
) -> SodError | None:
    """Await writing for each item, at most eight at a time, and return the first error.

    After an error nothing is begun any more, and what was begun is finished.
    """
    waiting, errors = iter(items), list[SodError]()

    async def work_off() -> None:
        while not errors and (item := next(waiting, None)) is not None:
            try:
                await work(item)
            except SodError as error:
                errors.append(error)

    async with asyncio.TaskGroup() as group:
        for _ in range(WRITES_AT_ONCE):
            group.create_task(work_off())
    return errors[0] if errors else None


async def _references(graph: Graph, package_ids: Sequence[str]) -> set[Reference]:
    lists = await graph.references_of(package_ids)
    return {
        Reference(on, kind, target)
        for (on, kind), found in lists.items()
        for target in _or_raise(found)
    }


async def _holders(graph: Graph, package_ids: Sequence[str]) -> Mapping[str, frozenset[str]]:
    holders: dict[str, set[str]] = {each: set() for each in package_ids}
    async for package_id, page in graph.assignments_of(package_ids):
        holders[package_id] |= {each.subject.id for each in _or_raise(page) if each.is_held}
    return {package_id: frozenset(subjects) for package_id, subjects in holders.items()}


def _or_raise[T](found: T | GraphError) -> T:
    if isinstance(found, GraphError):
        raise found
    return found


def _raise_unexpected(errors: Iterable[GraphError]) -> None:
    for error in errors:
        if not isinstance(error, (Forbidden, NotFound)):
            raise error
