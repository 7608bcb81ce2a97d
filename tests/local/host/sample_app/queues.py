"""Queue functions of the sample app: a message says what becomes of it."""

import asyncio
import time

import azure.functions as func

from tests.local.host.sample_app import diary

queues = func.Blueprint()


@queues.queue_trigger(arg_name="msg", queue_name="%WORK_QUEUE%", connection="AzureWebJobsStorage")
def work(msg: func.QueueMessage) -> None:
    order = msg.get_json()
    diary.write("started", id=msg.id, count=msg.dequeue_count, order=order, **_times(msg))
    time.sleep(order.get("seconds", 0))
    diary.write("ended", id=msg.id, count=msg.dequeue_count, order=order)
    if order.get("fail"):
        raise ValueError("told to fail")


@queues.queue_trigger(
    arg_name="msg", queue_name="%WORK_QUEUE%-poison", connection="AzureWebJobsStorage"
)
async def work_poison(msg: func.QueueMessage) -> None:
    text = msg.get_body().decode()
    diary.write("poison", text=text, count=msg.dequeue_count)
    await asyncio.sleep(0)
    if "fail again" in text:
        raise ValueError("told to fail again")


@queues.queue_trigger(arg_name="text", queue_name="fanned", connection="AzureWebJobsStorage")
@queues.queue_output(arg_name="out", queue_name="copies", connection="AzureWebJobsStorage")
async def copy(text: str, out: func.Out[str]) -> None:
    diary.write("fanned", text=text)
    await asyncio.sleep(0)
    out.set(f"copy of {text}")


def _times(msg: func.QueueMessage) -> dict[str, str]:
    times = (msg.insertion_time, msg.expiration_time, msg.time_next_visible)
    return dict(zip(("inserted", "expires", "visible"), map(str, times), strict=True))
