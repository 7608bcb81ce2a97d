"""Counts the Graph requests that one piece of work causes, though many run at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Meter:
    requests: int = 0


_current: ContextVar[Meter | None] = ContextVar("graph_meter", default=None)


def count_request() -> None:
    if meter := _current.get():
        meter.requests += 1


@contextmanager
def metered() -> Iterator[Meter]:
    """Count what is asked of Graph inside the block."""
    meter = Meter()
    token = _current.set(meter)
    try:
        yield meter
    finally:
        _current.reset(token)
