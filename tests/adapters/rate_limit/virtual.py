"""Time that passes only when everybody sleeps, so that minutes of turn-taking take no time."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2026, 1, 1, tzinfo=UTC)
_SETTLED = 20  # turns of the loop after which each task is done or sleeps


class VirtualClock:
    """A `Clock` whose sleepers are woken one after the other, by the moment they sleep to."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.get_running_loop().create_future()
        moment = self.seconds + max(0.0, seconds)
        heapq.heappush(self._sleepers, (moment, next(self._order), woken))
        await woken

    async def run(self, *work: Coroutine[Any, Any, Any]) -> list[Any]:
        """Let time pass until all the work is done; its results, or errors."""
        together = asyncio.gather(*work, return_exceptions=True)
        while not together.done():
            for _ in range(_SETTLED):
                await asyncio.sleep(0)
            if self._sleepers and not together.done():
                self.seconds, _, woken = heapq.heappop(self._sleepers)
                if not woken.done():
                    woken.set_result(None)
        return list(together.result())

    async def run_well(self, *work: Coroutine[Any, Any, Any]) -> list[Any]:
        """As `run`, for work of which none may fail."""
        outcomes = await self.run(*work)
        for failure in (each for each in outcomes if isinstance(each, BaseException)):
            raise failure
        return outcomes
