"""`GET /api/health`: it lives. `GET /api/ready`: what it can reach, and what it cannot.

With `?deep=1` the doctor looks at each right, setting and queue, which takes some seconds.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import azure.functions as func

from entra_sod import bootstrap
from entra_sod.api.responses import Alive, Readiness
from entra_sod.core.errors import FieldError, InvalidRequest, SodError
from entra_sod.domain.results.coverage import selection_gaps
from functions.http.guard import GuardedBlueprint
from functions.http.responses import json_response

bp = GuardedBlueprint()


@bp.answers
async def health(req: func.HttpRequest) -> func.HttpResponse:
    return json_response(200, Alive())


@bp.answers
async def ready(req: func.HttpRequest) -> func.HttpResponse:
    if _wants_deep(req):
        return await _deep()
    checks = await _storage()
    checks["graph"] = await _outcome(_graph)
    checks["rules"] = await _outcome(_rules)
    checks["webhooks"] = await _outcome(_webhooks)
    is_ready = all(result.startswith("ok") for result in checks.values())
    status = "ready" if is_ready else "not-ready"
    return json_response(200 if is_ready else 503, Readiness(status=status, checks=checks))


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
    try:
        return dict(await bootstrap.app.records.storage.probe())
    except SodError as error:
        return {"storage": str(error)}


async def _graph() -> str:
    await bootstrap.app.engine.graph.probe()
    return "ok"


async def _rules() -> str:
    book = bootstrap.app.engine.rules
    rules = await book.current()
    if book.problem:
        return f"older rules stay in force ({rules.hash}): {book.problem}"
    gaps = "".join(f"; {each.what}: {each.why}" for each in selection_gaps(rules))
    return f"ok: {len(rules.rules)} rules, {len(rules.constraints)} pairs, {rules.hash}{gaps}"


async def _webhooks() -> str:
    names = sorted(bootstrap.app.sources)
    return f"ok: {', '.join(names) or 'none are set up'}"


async def _outcome(attempt: Callable[[], Awaitable[str]]) -> str:
    try:
        return await attempt()
    except SodError as error:
        return str(error)
