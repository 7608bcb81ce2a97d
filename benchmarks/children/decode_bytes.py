"""`python -m benchmarks.children.decode_bytes ITEMS ROUNDS`: our decoding and json.loads."""

from __future__ import annotations

import gc
import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping

import msgspec

from benchmarks.pages import page
from benchmarks.report import Timing
from entra_sod.adapters.graph import wire


class _Page(msgspec.Struct):
    value: list[wire.WireAssignment]


_page = msgspec.json.Decoder(_Page)


def main(items: int, rounds: int) -> dict[str, Timing]:
    data = page(range(items))
    ways: dict[str, Callable[[], object]] = {
        "ours": lambda: wire.decode(wire.assignments_page, data).items,
        "msgspec": lambda: _page.decode(data),
        "json": lambda: json.loads(data),
    }
    timings = _in_turn(ways, rounds)
    gc.disable()
    return timings | {f"{name}, gc off": value for name, value in _in_turn(ways, rounds).items()}


def _in_turn(ways: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, Timing]:
    """Time each way once per round, so that a slow moment of the machine meets all of them."""
    for way in ways.values():
        way()
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            seconds[name].append(_once(way))
    return {name: Timing(statistics.median(each), rounds) for name, each in seconds.items()}


def _once(way: Callable[[], object]) -> float:
    started = time.process_time()
    way()
    return time.process_time() - started


if __name__ == "__main__":
    found = main(int(sys.argv[1]), int(sys.argv[2]))
    sys.stdout.buffer.write(msgspec.json.encode(found))
