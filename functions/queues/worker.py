"""The queue workers: a check, a part of a sweep, and telling somebody of its end.

The work itself is imported when a message comes: a process that only answers HTTP never loads it.
"""

from __future__ import annotations

import azure.functions as func

from entra_sod.domain.messages import CHECK_QUEUE, DELIVERY_QUEUE, SWEEP_QUEUE

bp = func.Blueprint()


@bp.function_name("run_check")
@bp.queue_trigger(arg_name="msg", queue_name=CHECK_QUEUE, connection="AzureWebJobsStorage")
async def run_check(msg: func.QueueMessage) -> None:
    from functions.queues.process import work

    await work(CHECK_QUEUE, msg.get_body())


@bp.function_name("run_sweep_pairs")
@bp.queue_trigger(arg_name="msg", queue_name=SWEEP_QUEUE, connection="AzureWebJobsStorage")
async def run_sweep_pairs(msg: func.QueueMessage) -> None:
    from functions.queues.process import work

    await work(SWEEP_QUEUE, msg.get_body())


@bp.function_name("deliver")
@bp.queue_trigger(arg_name="msg", queue_name=DELIVERY_QUEUE, connection="AzureWebJobsStorage")
async def deliver(msg: func.QueueMessage) -> None:
    from functions.queues.process import work

    await work(DELIVERY_QUEUE, msg.get_body())
