"""A sweep's closing, seen from outside: its processor time, and whether others are answered."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import httpx
from azure.data.tables import TableClient

from entra_sod.domain.results.status import SweepStatus
from entra_sod.stores.sweeps import TABLE

_PAUSE = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A check that was asked for while the sweep ran; `seconds` until its answer was there."""

    seconds: float
    outcome: str
    ended_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """What closing a sweep took.

    Attributes:
        cpu_seconds: of the workers from the last look at which parts were missing.
        slowest_answer: the longest that `GET /api/health` took meanwhile, in seconds.
        check: that was asked for when closing began; None where no closing was seen.
    """

    cpu_seconds: float = 0.0
    slowest_answer: float = 0.0
    check: Check | None = None


class ClosingWatch:
    """Watches a sweep whose parts are all done, without asking the app how far it is.

    That answer lists all parts, and what it takes would be measured, too. So the sweep's own row
    tells whether it has ended, or has got more parts.
    """

    def __init__(
        self, storage: str, url: str, cpu: Callable[[], float], ask: Callable[[], Check]
    ) -> None:
        self._rows = TableClient.from_connection_string(storage, TABLE)
        self._url, self._cpu, self._cpu_before = url, cpu, cpu()
        self._ask, self._asked, self._seen = ask, list[Future[Check]](), Closing()

    def seen(self) -> Closing:
        """What was seen; waits for the check's answer."""
        check = self._asked[0].result() if self._asked else None
        return replace(self._seen, check=check)

    def look(self, under_way: Mapping[str, Any], pool: ThreadPoolExecutor, deadline: float) -> None:
        """Take note of a sweep under way; where all its parts are done, stay until it goes on."""
        done, total = under_way["parts"]["done"], under_way["parts"]["total"]
        if not total or done < total:
            self._cpu_before = self._cpu()
            return
        if not self._asked:
            self._asked.append(pool.submit(self._ask))
        slowest = self._seen.slowest_answer
        while self._is_closing(under_way["id"], total) and time.monotonic() < deadline:
            slowest = max(slowest, self._answer())
            time.sleep(_PAUSE)
        spent, self._cpu_before = self._cpu() - self._cpu_before, self._cpu()
        cpu_seconds = self._seen.cpu_seconds + spent
        self._seen = Closing(cpu_seconds=cpu_seconds, slowest_answer=slowest)

    def _is_closing(self, sweep_id: str, parts: int) -> bool:
        row = self._rows.get_entity(sweep_id, "sweep", select=["status", "parts"])
        return not SweepStatus(row["status"]).has_ended and row["parts"] == parts

    def _answer(self) -> float:
        started = time.monotonic()
        httpx.get(f"{self._url}/api/health", timeout=60, trust_env=False).raise_for_status()
        return time.monotonic() - started
