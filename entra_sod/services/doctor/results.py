"""Asking, where an error is an answer, too."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable

from entra_sod.core.errors import SodError


async def value_or_error[T](asked: Awaitable[T]) -> T | SodError:
    """Await an answer, and take an error that has a name for one."""
    try:
        return await asked
    except SodError as error:
        return error


async def error_of(asked: Awaitable[object]) -> SodError | None:
    """Await an answer for its error alone."""
    answer = await value_or_error(asked)
    return answer if isinstance(answer, SodError) else None


async def error_of_first(pages: AsyncIterator[object]) -> SodError | None:
    """Ask for the first page of a list, for its error alone."""
    return await error_of(anext(pages, None))
