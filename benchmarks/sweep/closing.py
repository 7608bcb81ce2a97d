"""A sweep's closing, seen from outside: its processor time, and whether others are answered."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from azure.data.tables import TableClient

from entra_sod.domain.results.status import SweepStatus
from entra_sod.stores.sweeps import TABLE

_PAUSE = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """What closing a sweep took.

    Attributes:
        cpu_seconds: of the workers from the last look at which parts were missing.
        slowest_answer: the longest that `GET /api/health` took meanwhile, in seconds.
    """

    cpu_seconds: float = 0.0
    slowest_answer: float = 0.0


class ClosingWatch:
    """Watches a sweep whose parts are all done, without asking the app how far it is.

    That answer lists all parts, and what it takes would be measured, too. So the sweep's own row
    tells whether it has ended, or has got more parts.
    """

    def __init__(self, storage: str, url: str, cpu: Callable[[], float]) -> None:
        self._rows = TableClient.from_connection_string(storage, TABLE)
        self._url, self._cpu, self._cpu_before = url, cpu, cpu()
        self.seen = Closing()

    def look(self, under_way: Mapping[str, Any], deadline: float) -> None:
        """Take note of a sweep under way; where all its parts are done, stay until it goes on."""
        done, total = under_way["parts"]["done"], under_way["parts"]["total"]
        if not total or done < total:
            self._cpu_before = self._cpu()
            return
        slowest = self.seen.slowest_answer
        while self._is_closing(under_way["id"], total) and time.monotonic() < deadline:
            slowest = max(slowest, self._answer())
            time.sleep(_PAUSE)
        spent, self._cpu_before = self._cpu() - self._cpu_before, self._cpu()
        self.seen = Closing(cpu_seconds=self.seen.cpu_seconds + spent, slowest_answer=slowest)

    def _is_closing(self, sweep_id: str, parts: int) -> bool:
        row = self._rows.get_entity(sweep_id, "sweep", select=["status", "parts"])
        return not SweepStatus(row["status"]).has_ended and row["parts"] == parts

    def _answer(self) -> float:
        started = time.monotonic()
        httpx.get(f"{self._url}/api/health", timeout=60, trust_env=False).raise_for_status()
        return time.monotonic() - started
