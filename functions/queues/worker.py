"""The functions of the queues: a worker for each, and a handler for its poison messages.

The work itself is imported when a message comes: a process that only answers HTTP never loads it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import azure.functions as func

from entra_sod.domain.messages import POISON_SUFFIX, QUEUE_FUNCTIONS

bp = func.Blueprint()

type QueueHandler = Callable[[func.QueueMessage], Awaitable[None]]


def _register(name: str, queue: str, handler: QueueHandler) -> Any:  # noqa: ANN401 - the library's
    handler.__name__ = name
    trigger = bp.queue_trigger(arg_name="msg", queue_name=queue, connection="AzureWebJobsStorage")
    return bp.function_name(name)(trigger(handler))


def _processor_of(queue: str) -> QueueHandler:
    async def run(msg: func.QueueMessage) -> None:
        from functions.queues.process import process_message

        await process_message(queue, msg.get_body())

    return run


def _poison_handler_of(queue: str) -> QueueHandler:
    """Messages that failed too often: stored with the reason, and reported to those who wait."""

    async def run(msg: func.QueueMessage) -> None:
        from functions.queues.process import handle_poison_message

        await handle_poison_message(queue, str(msg.id), msg.get_body())

    return run


for _queue, (_worker, _owner) in QUEUE_FUNCTIONS.items():
    _register(_worker, _queue, _processor_of(_queue))
    _register(_owner, _queue + POISON_SUFFIX, _poison_handler_of(_queue))
