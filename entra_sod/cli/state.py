"""Reads of the tenant what a set of rules depends on, some requests at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable

from entra_sod.cli.operations.plan_document import State
from entra_sod.core.errors import Forbidden, GraphError, NotFound, SodError
from entra_sod.core.parallel import in_parallel
from entra_sod.domain.entra import AccessPackage, Reference, ReferenceKind
from entra_sod.ports.graph import Graph

WRITES_AT_ONCE = 8

type Advance = Callable[[], None]


async def read_state(
    graph: Graph,
    package_ids: Collection[str],
    *,
    with_holders: bool,
    advance: Advance = lambda: None,
) -> State:
    """Read packages, their references and, if asked, their holders.

    Args:
        graph: to ask.
        package_ids: every package in view.
        with_holders: whether to read assignments, too.
        advance: called once for each package that is done.

    Raises:
        GraphError: something could not be read that does not mean "not allowed" or "not there".
    """
    found = await graph.packages_by_id(package_ids)
    packages = {key: each for key, each in found.items() if isinstance(each, AccessPackage)}
    _raise_unexpected(each for each in found.values() if isinstance(each, GraphError))
    present: set[Reference] = set()
    holders: dict[str, frozenset[str]] = {}

    async def read(package_id: str) -> None:
        present.update(await _references(graph, package_id))
        if with_holders:
            holders[package_id] = await _holders(graph, package_id)
        advance()

    await in_parallel(read, sorted(packages))
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


async def _references(graph: Graph, package_id: str) -> set[Reference]:
    return {
        Reference(package_id, kind, target)
        for kind in ReferenceKind
        for target in await graph.references(package_id, kind)
    }


async def _holders(graph: Graph, package_id: str) -> frozenset[str]:
    return frozenset(
        [
            each.subject.id
            async for page in graph.assignments(package_id)
            for each in page
            if each.is_held
        ]
    )


def _raise_unexpected(errors: Iterable[GraphError]) -> None:
    for error in errors:
        if not isinstance(error, (Forbidden, NotFound)):
            raise error
