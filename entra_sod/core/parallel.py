"""Reading many things a few at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

MAX_CONCURRENT_READS = 8


async def in_parallel[T, R](
    read: Callable[[T], Awaitable[R]], items: Iterable[T], *, at_once: int = MAX_CONCURRENT_READS
) -> list[R]:
    """Read each item, so many at a time, and return what was read in the order of the items.

    Items are taken one by one, so a generator of them may end early.

    Raises:
        Exception: the first that a reading raised; those under way are cancelled.
    """
    waiting, found = enumerate(items), dict[int, R]()

    async def work_off() -> None:
        for number, item in waiting:
            found[number] = await read(item)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(work_off())
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [found[number] for number in sorted(found)]


async def first_of[T](items: AsyncIterator[T], most: int) -> AsyncIterator[T]:
    """Yield the first so many items; no more are asked for."""
    count = 0
    while count < most and (item := await anext(items, None)) is not None:
        count += 1
        yield item
