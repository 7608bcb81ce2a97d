"""The nightly sweep, started by the host's timer."""

from __future__ import annotations

import azure.functions as func

from entra_sod import bootstrap
from functions.http.responses import new_traceparent
from functions.http.sweeps import report_started

bp = func.Blueprint()


@bp.function_name("start_sweep")
@bp.timer_trigger(arg_name="timer", schedule="%SWEEP_SCHEDULE%", run_on_startup=False)
async def start_sweep(timer: func.TimerRequest) -> None:
    records = bootstrap.app.records
    started = await records.sweep_starter.start(traceparent=new_traceparent())
    report_started(started, by="timer, late" if timer.past_due else "timer")
    # The night's other work, last: nothing hangs on it.
    await records.keys.purge_expired()
