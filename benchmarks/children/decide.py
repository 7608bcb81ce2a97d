"""`python -m benchmarks.children.decide ROUNDS HOLDER STRANGER WANTED MANY…`: decisions, warm.

Graph and rules are those of the environment; storage is in memory. HOLDER is the object id of a
subject with assignments, STRANGER of one without; MANY are asked about in one batch.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import time
from collections.abc import Sequence
from typing import Any

import msgspec

from benchmarks.children.decided import Batch, Decided, Single
from entra_sod.adapters.graph.client import GraphClient
from entra_sod.bootstrap.make_engine import Engine, read_engine
from entra_sod.bootstrap.make_records import Records, make_records
from entra_sod.core.clock import SystemClock
from entra_sod.core.request_meter import metered
from entra_sod.domain.messages import SweepMessage, SweepStartMessage, decode
from entra_sod.services.decisions.request import parse_decision_request
from local.memory.storage import MemoryStorage

_WARM = 20


class _Timed:
    """Adds up what the SDK's transport takes of the processor, so that it can be taken off."""

    def __init__(self, ask: Any) -> None:  # noqa: ANN401 - GraphTransport.ask, whatever it is
        self._ask, self.seconds = ask, 0.0

    async def __call__(self, *arguments: object, **more: object) -> bytes:
        started = time.process_time()
        data: bytes = await self._ask(*arguments, **more)
        self.seconds += time.process_time() - started
        return data


async def main(
    rounds: int, holder: str, stranger: str, wanted: str, many: Sequence[str]
) -> Decided:
    storage = MemoryStorage()
    records = make_records(storage, SystemClock())
    engine = read_engine(os.environ, records)
    graph = engine.graph
    assert isinstance(graph, GraphClient)
    transport = graph._transport  # noqa: SLF001 - timed apart
    timed = _Timed(transport.post_batch)
    transport.post_batch = timed  # type: ignore[method-assign]
    try:
        found = await _single(engine, timed, rounds, holder, wanted)
        nothing = await _single(engine, timed, rounds, stranger, wanted)
        live = await _batch(engine, many, wanted)
        await _sweep(engine, records, storage)
        return Decided(found, nothing, live, await _batch(engine, many, wanted))
    finally:
        await graph.close()


async def _single(engine: Engine, timed: _Timed, rounds: int, who: str, wanted: str) -> Single:
    for _ in range(_WARM):
        await _decide(engine, [who], wanted)
    own, whole, requests = list[float](), list[float](), list[int]()
    for _ in range(rounds):
        timed.seconds, started = 0.0, time.process_time()
        with metered() as meter:
            await _decide(engine, [who], wanted)
        whole.append(time.process_time() - started)
        own.append(whole[-1] - timed.seconds)
        requests.append(meter.requests)
    return Single(max(requests), statistics.median(own), statistics.median(whole))


async def _batch(engine: Engine, many: Sequence[str], wanted: str) -> Batch:
    started = time.process_time()
    with metered() as meter:
        decisions = await _decide(engine, many, wanted)
    return Batch(meter.requests, time.process_time() - started, decisions)


async def _decide(engine: Engine, subjects: Sequence[str], wanted: str) -> list[str]:
    """From decoded bodies to the bytes of the answer; returns the decisions."""
    bodies = [{"subject": each, "accessPackageId": wanted} for each in subjects]
    results = await engine.decisions.decide([parse_decision_request(each) for each in bodies])
    assert msgspec.json.encode(results)
    return [str(each.decision) for each in results]


async def _sweep(engine: Engine, records: Records, storage: MemoryStorage) -> None:
    await records.sweep_starter.start(traceparent="00-0-0-01")
    while storage.sent:
        message = decode(storage.sent.pop(0).body)
        if isinstance(message, SweepStartMessage):
            await engine.sweep_runner.start(message)
        elif isinstance(message, SweepMessage):
            await engine.sweep_runner.run(message)


if __name__ == "__main__":
    _, times, one, other, package, *subjects = sys.argv
    decided = asyncio.run(main(int(times), one, other, package, subjects))
    sys.stdout.buffer.write(msgspec.json.encode(decided))
