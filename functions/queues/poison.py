"""What the workers had to give up: kept with its reason, and told to whoever waits for it."""

from __future__ import annotations

import azure.functions as func

from entra_sod.domain.messages import CHECK_QUEUE, DELIVERY_QUEUE, POISON_SUFFIX, SWEEP_QUEUE

bp = func.Blueprint()


@bp.function_name("poisoned_check")
@bp.queue_trigger(
    arg_name="msg", queue_name=CHECK_QUEUE + POISON_SUFFIX, connection="AzureWebJobsStorage"
)
async def poisoned_check(msg: func.QueueMessage) -> None:
    from functions.queues.process import bury

    await bury(CHECK_QUEUE, str(msg.id), msg.get_body())


@bp.function_name("poisoned_sweep_pairs")
@bp.queue_trigger(
    arg_name="msg", queue_name=SWEEP_QUEUE + POISON_SUFFIX, connection="AzureWebJobsStorage"
)
async def poisoned_sweep_pairs(msg: func.QueueMessage) -> None:
    from functions.queues.process import bury

    await bury(SWEEP_QUEUE, str(msg.id), msg.get_body())


@bp.function_name("poisoned_delivery")
@bp.queue_trigger(
    arg_name="msg", queue_name=DELIVERY_QUEUE + POISON_SUFFIX, connection="AzureWebJobsStorage"
)
async def poisoned_delivery(msg: func.QueueMessage) -> None:
    from functions.queues.process import bury

    await bury(DELIVERY_QUEUE, str(msg.id), msg.get_body())
