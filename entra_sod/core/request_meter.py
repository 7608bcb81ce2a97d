"""Counts what one piece of work asks of Graph, though many run at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from entra_sod.core import telemetry


@dataclass(slots=True)
class Meter:
    """What was asked of Graph.

    Attributes:
        requests: as Graph counts them: each one that a `$batch` carries, and every repetition.
        round_trips: what was sent; a `$batch` is one.
        throttled: how many of the requests were answered with 429.
        throttled_seconds: waited because Graph had asked for it.
    """

    requests: int = 0
    round_trips: int = 0
    throttled: int = 0
    throttled_seconds: float = 0.0


_current: ContextVar[Meter | None] = ContextVar("graph_meter", default=None)


def count_requests(requests: int) -> None:
    """Count one round trip that carries so many requests."""
    if meter := _current.get():
        meter.round_trips += 1
        meter.requests += requests


def count_throttled(requests: int) -> None:
    if meter := _current.get():
        meter.throttled += requests


def count_block(seconds: float) -> None:
    telemetry.count_throttled(seconds)
    if meter := _current.get():
        meter.throttled_seconds += seconds


@contextmanager
def metered() -> Iterator[Meter]:
    """Count what is asked of Graph inside the block."""
    meter = Meter()
    token = _current.set(meter)
    try:
        yield meter
    finally:
        _current.reset(token)
