from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from entra_sod.core.parallel import in_parallel


async def test_what_was_read_comes_in_the_order_of_the_items() -> None:
    """However long each takes, its place is that of its item."""

    async def read(number: int) -> int:
        for _ in range(10 - number):
            await asyncio.sleep(0)
        return number * number

    assert await in_parallel(read, range(10), at_once=4) == [each * each for each in range(10)]


async def test_no_more_are_read_at_once_than_was_said() -> None:
    """And items are taken one by one, so that what is not begun is not even made."""
    under_way, most, made = set[int](), list[int](), list[int]()

    def items() -> Iterator[int]:
        for number in range(20):
            made.append(number)
            yield number

    async def read(number: int) -> None:
        under_way.add(number)
        most.append(len(under_way))
        assert len(made) <= number + 3
        await asyncio.sleep(0)
        under_way.remove(number)

    await in_parallel(read, items(), at_once=3)
    assert (max(most), len(made)) == (3, 20)


async def test_the_first_error_is_raised_as_it_is() -> None:
    """It ends what is under way, and nothing else is begun."""
    ended, begun = list[int](), list[int]()

    async def read(number: int) -> None:
        begun.append(number)
        await asyncio.sleep(0)
        if number == 1:
            raise KeyError(number)
        await asyncio.Event().wait()
        ended.append(number)

    with pytest.raises(KeyError):
        await in_parallel(read, range(100), at_once=4)
    assert (begun, ended) == ([0, 1, 2, 3], [])


async def test_nothing_to_read_is_nothing_read() -> None:
    """An empty list of items is one of results."""
    assert await in_parallel(asyncio.sleep, []) == []
