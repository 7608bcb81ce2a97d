"""`GET /api/health`: it lives. `GET /api/ready`: what it can reach, and what it cannot.

With `?deep=1` the doctor looks at each right, setting and queue, which takes some seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import azure.functions as func
from msgspec import UNSET

from entra_sod import bootstrap
from entra_sod.api.responses import Alive, Readiness
from entra_sod.core.errors import FieldError, InvalidRequest, SodError
from entra_sod.domain.enforcement.budget import WritingState
from entra_sod.domain.results.coverage import selection_gaps
from functions.http.guard import GuardedBlueprint
from functions.http.responses import json_response

bp = GuardedBlueprint()

MAX_PROBE_SECONDS = 8.0  # the probes run at once, and the platform waits ten seconds


@bp.answers
async def health(req: func.HttpRequest) -> func.HttpResponse:
    return json_response(200, Alive())


@bp.answers
async def ready(req: func.HttpRequest) -> func.HttpResponse:
    if _wants_deep(req):
        return await _deep()
    states = dict[str, WritingState]()

    async def writing_of() -> str:
        """A freeze or a used-up budget is intended, so the app counts as ready."""
        enforcer = bootstrap.app.engine.enforcer
        states["writing"] = await enforcer.writer.controls.state(enforcer.max_writes_per_day)
        return f"ok: {states['writing']}"

    storage, graph, rules, webhooks, writing = await asyncio.gather(
        _storage(), _outcome(_graph), _outcome(_rules), _outcome(_webhooks), _outcome(writing_of)
    )
    checks = {**storage, "graph": graph, "rules": rules, "webhooks": webhooks, "writing": writing}
    is_ready = all(result.startswith("ok") for result in checks.values())
    status, state = "ready" if is_ready else "not-ready", states.get("writing", UNSET)
    body = Readiness(status=status, checks=checks, writing=state)
    return json_response(200 if is_ready else 503, body)


def _wants_deep(req: func.HttpRequest) -> bool:
    text = str(req.params.get("deep", "0"))
    if text not in ("0", "1"):
        raise InvalidRequest([FieldError(pointer="", detail="deep must be 0 or 1")])
    return text == "1"


async def _deep() -> func.HttpResponse:
    from entra_sod.services.doctor.diagnosis import is_healthy, summed_up
    from entra_sod.services.doctor.run import run_diagnostics

    diagnoses = await run_diagnostics(bootstrap.app.patient)
    return json_response(200 if is_healthy(diagnoses) else 503, summed_up(diagnoses))


async def _storage() -> dict[str, str]:
    found = dict[str, str]()

    async def probe() -> str:
        found.update(await bootstrap.app.records.storage.probe())
        return "ok"

    said = await _outcome(probe)
    return found or {"storage": said}


async def _graph() -> str:
    await bootstrap.app.engine.graph.probe()
    return "ok"


async def _rules() -> str:
    book = bootstrap.app.engine.rules
    rules = await book.at_hand()
    if book.problem:
        return f"older rules stay in force ({rules.hash}): {book.problem}"
    gaps = "".join(f"; {each.what}: {each.why}" for each in selection_gaps(rules))
    return f"ok: {len(rules.rules)} rules, {len(rules.constraints)} pairs, {rules.hash}{gaps}"


async def _webhooks() -> str:
    names = sorted(bootstrap.app.sources)
    return f"ok: {', '.join(names) or 'none are set up'}"


async def _outcome(attempt: Callable[[], Awaitable[str]]) -> str:
    try:
        async with asyncio.timeout(MAX_PROBE_SECONDS):
            return await attempt()
    except TimeoutError:
        return f"no answer within {MAX_PROBE_SECONDS:.0f} s"
    except SodError as error:
        return str(error)
