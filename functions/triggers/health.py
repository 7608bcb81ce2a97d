"""`GET /api/health`: it lives. `GET /api/ready`: what it can reach, and what it cannot.

With `?deep=1` the doctor looks at each right, setting and queue, which takes some seconds.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import azure.functions as func

from functions import wiring
from functions.errors import SodError
from functions.triggers.guard import GuardedBlueprint
from functions.triggers.http import json_response

bp = GuardedBlueprint()


@bp.function_name("health")
@bp.route(route="health", methods=["GET"])
async def health(req: func.HttpRequest) -> func.HttpResponse:
    return json_response(200, {"status": "alive"})


@bp.function_name("ready")
@bp.route(route="ready", methods=["GET"])
async def ready(req: func.HttpRequest) -> func.HttpResponse:
    if req.params.get("deep") == "1":
        return await _deep()
    checks = await _storage()
    checks["graph"] = await _outcome(_graph)
    checks["rules"] = await _outcome(_rules)
    checks["webhooks"] = await _outcome(_webhooks)
    is_ready = all(result.startswith("ok") for result in checks.values())
    status = "ready" if is_ready else "not-ready"
    return json_response(200 if is_ready else 503, {"status": status, "checks": checks})


async def _deep() -> func.HttpResponse:
    from functions.doctor.finding import is_healthy, summed_up
    from functions.doctor.probe import examine

    findings = await examine(wiring.patient())
    return json_response(200 if is_healthy(findings) else 503, summed_up(findings))


async def _storage() -> dict[str, str]:
    try:
        return dict(await wiring.records().storage.probe())
    except SodError as error:
        return {"storage": str(error)}


async def _graph() -> str:
    await wiring.engine().graph.probe()
    return "ok"


async def _rules() -> str:
    book = wiring.engine().rules
    rules = await book.current()
    if book.problem:
        return f"older rules stay in force ({rules.hash}): {book.problem}"
    return f"ok: {len(rules.rules)} rules, {len(rules.duties)} pairs, {rules.hash}"


async def _webhooks() -> str:
    names = sorted(wiring.webhooks().sources)
    return f"ok: {', '.join(names) or 'none are set up'}"


async def _outcome(attempt: Callable[[], Awaitable[str]]) -> str:
    try:
        return await attempt()
    except SodError as error:
        return str(error)
