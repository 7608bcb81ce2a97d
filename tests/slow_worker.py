"""A worker that stays away in the middle of its work, as one does whose machine is busy."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest


class SlowWorker:
    """The first one that makes a call, which it waits in until it is let go on."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        of: object,
        call: str,
        work: Coroutine[Any, Any, None],
    ) -> None:
        self._work, self._has_come, self._may_go_on = work, asyncio.Event(), asyncio.Event()
        monkeypatch.setattr(of, call, self._held_up(getattr(of, call)))

    def _held_up(self, call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def called(*args: Any, **options: Any) -> Any:
            if not self._has_come.is_set():
                self._has_come.set()
                await self._may_go_on.wait()
            return await call(*args, **options)

        return called

    async def begin(self) -> None:
        """Work until that call."""
        self._task = asyncio.create_task(self._work)
        await self._has_come.wait()

    async def go_on(self) -> None:
        """Work to the end; raises what the work raises."""
        self._may_go_on.set()
        await self._task
