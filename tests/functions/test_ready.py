"""`GET /api/ready` answers in time, whatever does not."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import azure.functions as func
import pytest

from functions.http import health
from tests.app import App, body_of, call
from tests.builders import package, rule, side

GATEWAY_SECONDS = 10  # what asks whether an app is ready waits no longer


@pytest.fixture
def app(make_app: type[App]) -> App:
    return make_app([package("a"), package("b")], {}, [rule("r", side("a"), side("b"))])


async def ask() -> func.HttpResponse:
    return await call(health.ready, func.HttpRequest("GET", "http://localhost/api/ready", body=b""))


@pytest.mark.usefixtures("app")
async def test_a_ready_app_says_so() -> None:
    """Each service, the rules and the webhooks have a word."""
    answer = await ask()
    assert answer.status_code == 200
    assert set(body_of(answer)["checks"]) == {
        *("queues", "tables", "blobs", "graph", "rules", "webhooks", "writing")
    }


async def test_e8_storage_that_does_not_answer_is_named(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is silent for longer than is waited for is not ready, and the rest is told."""
    assert health.MAX_PROBE_SECONDS < GATEWAY_SECONDS
    monkeypatch.setattr(health, "MAX_PROBE_SECONDS", 0.5)

    async def silent() -> Mapping[str, str]:
        await asyncio.Event().wait()
        return {}

    monkeypatch.setattr(app.storage, "probe", silent)
    answer = await ask()
    checks = body_of(answer)["checks"]
    assert answer.status_code == 503
    assert checks["storage"].startswith("no answer within")
    assert checks["graph"] == "ok"


async def test_e8_all_are_asked_at_once(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer takes as long as its slowest part, and not as all of them together."""
    asked = asyncio.Barrier(2)

    async def probe_storage() -> Mapping[str, str]:
        await asked.wait()
        return {"queues": "ok"}

    async def probe_graph() -> None:
        await asked.wait()

    monkeypatch.setattr(app.storage, "probe", probe_storage)
    monkeypatch.setattr(app.graph, "probe", probe_graph)
    assert (await ask()).status_code == 200
