from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import azure.functions as func
import pytest

from entra_sod.bootstrap import make_engine
from entra_sod.domain.messages import SweepStartMessage, decode
from entra_sod.stores.checks import RETENTION
from functions.http.sweeps import start_sweep_by_hand
from functions.timers.sweeps import start_sweep
from tests.app import App, body_of, call, install_parts, pair_body
from tests.builders import held, package, rule, side

PACKAGES = [package("a"), package("b"), package("c")]
RULES = [rule("r", side("a"), side("b")), rule("s", side("b"), side("c"))]
URL = "https://app.example.com/api/sweeps"
JSON = {"Content-Type": "application/json"}

type MakeApp = type[App]


@pytest.fixture
def app(make_app: MakeApp) -> App:
    return make_app(PACKAGES, {"a": held("a", "x"), "b": held("b", "x")}, RULES)


async def post(
    body: bytes = b"", headers: Mapping[str, str] | None = None, url: str = URL
) -> func.HttpResponse:
    request = func.HttpRequest("POST", url, headers=dict(headers or {}), body=body)
    return await call(start_sweep_by_hand, request)


@pytest.mark.parametrize(("body", "headers"), [(b"", {}), (b"", JSON), (b"{}", JSON)])
async def test_a_sweep_is_started_by_hand(
    app: App, body: bytes, headers: Mapping[str, str]
) -> None:
    """202 with all that a poller needs, and one message; an empty body is as good as an object."""
    answer = await post(body, headers)
    found = body_of(answer)
    sweep_id = found["id"]
    assert answer.status_code == 202
    assert found == {
        "id": sweep_id,
        "status": "queued",
        "self": f"{URL}/{sweep_id}",
        "joined": False,
    }
    assert answer.headers["Location"] == f"{URL}/{sweep_id}"
    assert int(answer.headers["Retry-After"]) > 0
    (sent,) = app.storage.sent
    message = decode(sent.body)
    assert isinstance(message, SweepStartMessage)
    assert message.id == sweep_id


async def test_a_sweep_under_way_is_joined(app: App) -> None:
    """A caller gets the id and status of the running sweep; once it has ended, a new one starts."""
    first = body_of(await post())
    await app.work_one()
    await app.records.sweeps.mark_running(first["id"])
    again = body_of(await post())
    assert again == {**first, "status": "running", "joined": True}
    await app.work_off()
    assert body_of(await post())["id"] != first["id"]


async def test_the_callers_trace_goes_on_in_the_sweep(app: App) -> None:
    """The message carries the traceparent that the request came with."""
    trace = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    await post(headers={"traceparent": trace})
    assert decode(app.storage.sent[0].body).traceparent == trace


@pytest.mark.parametrize(
    ("body", "headers", "status", "pointers"),
    [
        (b"{", JSON, 400, []),
        (b" \n", JSON, 400, []),
        (b" \n", {}, 415, []),
        (b"{}", {"Content-Type": "text/plain"}, 415, []),
        (b"[]", JSON, 422, [""]),
        (b"null", JSON, 422, [""]),
        (b'{"rules": ["r"], "a/b": 1}', JSON, 422, ["/rules", "/a~1b"]),
    ],
)
async def test_a_body_that_asks_for_something_is_refused(
    app: App, body: bytes, headers: Mapping[str, str], status: int, pointers: list[str]
) -> None:
    """What a sweep does not know is a problem with its place, and nothing is started."""
    answer = await post(body, headers)
    problem = body_of(answer)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert [each["pointer"] for each in problem.get("errors", [])] == pointers
    assert app.storage.sent == []
    assert await app.records.sweeps.latest() is None


async def test_starting_by_hand_needs_storage_alone(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With settings that make no engine a sweep is accepted all the same: no Graph is loaded."""
    install_parts(app.records, admission=app.admission)
    monkeypatch.setattr(make_engine, "read_engine", lambda *_: pytest.fail("an engine was made"))
    assert (await post()).status_code == 202


class Nightly(func.TimerRequest):
    """The timer, as the host calls."""

    @property
    def past_due(self) -> bool:
        return False


async def test_the_night_forgets_old_keys(app: App) -> None:
    """The timer starts the sweep, and removes idempotency keys that are over."""
    headers = {"Idempotency-Key": "k"}
    await app.post(pair_body("a", "b"), headers=headers)
    await app.work_off()
    app.clock.advance(RETENTION.total_seconds() + 1)
    timer: Any = start_sweep
    await timer._function.get_user_function()(Nightly())
    assert [each async for each in app.storage.table("idempotency").rows()] == []
    assert [type(decode(each.body)) for each in app.storage.sent] == [SweepStartMessage]


async def test_the_night_says_how_long_writing_is_frozen(
    app: App, caplog: pytest.LogCaptureFixture
) -> None:
    """So that an alert tells of a freeze that was forgotten; the reason is in no log."""
    await app.records.controls.freeze("an audit of Ann", "ann")
    app.clock.advance(25.5 * 3600)
    timer: Any = start_sweep
    await timer._function.get_user_function()(Nightly())
    [line] = [each for each in caplog.records if getattr(each, "action", "") == "writing_frozen"]
    assert line.__dict__["hours"] == 25
    assert "Ann" not in caplog.text
    await app.records.controls.unfreeze()
    caplog.clear()
    await timer._function.get_user_function()(Nightly())
    assert "frozen" not in caplog.text
