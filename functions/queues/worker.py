"""What the queues call: a worker for each, and an owner of what each worker had to give up.

The work itself is imported when a message comes: a process that only answers HTTP never loads it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import azure.functions as func

from entra_sod.domain.messages import CHECK_QUEUE, DELIVERY_QUEUE, POISON_SUFFIX, SWEEP_QUEUE

bp = func.Blueprint()

# Of each queue the function that works on it, and the one that keeps its poison.
FUNCTIONS = {
    CHECK_QUEUE: ("run_check", "poisoned_check"),
    SWEEP_QUEUE: ("run_sweep_pairs", "poisoned_sweep_pairs"),
    DELIVERY_QUEUE: ("deliver", "poisoned_delivery"),
}

type Handler = Callable[[func.QueueMessage], Awaitable[None]]


def _register(name: str, queue: str, handler: Handler) -> Any:  # noqa: ANN401 - the library's
    handler.__name__ = name
    trigger = bp.queue_trigger(arg_name="msg", queue_name=queue, connection="AzureWebJobsStorage")
    return bp.function_name(name)(trigger(handler))


def _working_on(queue: str) -> Handler:
    async def run(msg: func.QueueMessage) -> None:
        from functions.queues.process import work

        await work(queue, msg.get_body())

    return run


def _burying(queue: str) -> Handler:
    """What the workers had to give up: kept with its reason, and told to whoever waits for it."""

    async def run(msg: func.QueueMessage) -> None:
        from functions.queues.process import bury

        await bury(queue, str(msg.id), msg.get_body())

    return run


for _queue, (_worker, _owner) in FUNCTIONS.items():
    _register(_worker, _queue, _working_on(_queue))
    _register(_owner, _queue + POISON_SUFFIX, _burying(_queue))
