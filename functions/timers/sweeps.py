"""The nightly sweep, started by the host's timer."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import azure.functions as func

from entra_sod import bootstrap
from functions.http.responses import new_traceparent
from functions.http.sweeps import report_started

bp = func.Blueprint()
log = logging.getLogger("entra_sod")


@bp.function_name("start_sweep")
@bp.timer_trigger(arg_name="timer", schedule="%SWEEP_SCHEDULE%", run_on_startup=False)
async def start_sweep(timer: func.TimerRequest) -> None:
    records = bootstrap.app.records
    started = await records.sweep_starter.start(traceparent=new_traceparent())
    report_started(started, by="timer, late" if timer.past_due else "timer")
    # The night's other work, last: nothing hangs on it.
    if freeze := await records.controls.frozen():  # an alert rule asks for the hours
        hours = (records.clock.now() - datetime.fromisoformat(freeze.since)) // timedelta(hours=1)
        extra = {"action": "writing_frozen", "hours": hours}
        log.warning("writing is frozen for %s hours", hours, extra=extra)
    await records.keys.purge_expired()
