"""Timer functions of the sample app."""

import asyncio

import azure.functions as func

from tests.local.host.sample_app import diary

timers = func.Blueprint()


@timers.timer_trigger(arg_name="timer", schedule="* * * * * *")
async def tick(timer: func.TimerRequest) -> None:
    diary.write("tick", past_due=timer.past_due)
    await asyncio.sleep(1.5)
    diary.write("tock")


@timers.timer_trigger(arg_name="timer", schedule="%SWEEP_SCHEDULE%", run_on_startup=False)
def nightly(timer: func.TimerRequest) -> None:
    diary.write("nightly", past_due=timer.past_due)
