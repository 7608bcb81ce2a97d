from __future__ import annotations

import pytest

from local.memory.clock import ManualClock
from tests.app import App, body_of, pair_body
from tests.builders import held, package, rule, side

type MakeApp = type[App]


class BusyClock(ManualClock):
    """A clock on which a worker takes a message while a caller sleeps."""

    app: App
    idle_seconds = 0.0

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds)
        if self.app.storage.sent and sum(self.slept) > self.idle_seconds:
            await self.app.work_one()


@pytest.fixture
def app(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> App:
    monkeypatch.setattr("tests.app.ManualClock", BusyClock)
    rules = [rule("r", side("a"), side("b"))]
    app = make_app([package("a"), package("b")], {"a": held("a", "x"), "b": held("b", "x")}, rules)
    clock_of(app).app = app
    return app


def clock_of(app: App) -> BusyClock:
    assert isinstance(app.clock, BusyClock)
    return app.clock


async def test_a_check_that_ends_in_time_is_answered_at_once(app: App) -> None:
    """200 with the very result that GET has."""
    answer = await app.post(pair_body("a", "b"), wait="20")
    assert answer.status_code == 200
    assert body_of(answer)["outcome"] == "conflict"
    assert answer.get_body() == (await app.get(body_of(answer)["id"])).get_body()


async def test_a_check_that_takes_longer_is_left_to_polling(app: App) -> None:
    """202 with Location after the seconds asked for and no more; the check goes on."""
    clock_of(app).idle_seconds = 6
    answer = await app.post(pair_body("a", "b"), wait="5")
    assert answer.status_code == 202
    assert sum(clock_of(app).slept) == 5
    assert answer.headers["Location"].endswith(body_of(answer)["id"])
    await app.work_off()
    assert (await app.get(body_of(answer)["id"])).status_code == 200


async def test_a_request_without_wait_does_not_wait(app: App) -> None:
    """Without `wait`, or with 0, the answer is 202 at once."""
    body = pair_body("a", "b")
    answers = [await app.post(body), await app.post(body, wait="0")]
    assert [each.status_code for each in answers] == [202, 202]
    assert clock_of(app).slept == []


async def test_a_repeated_request_gets_the_result_that_is_there(app: App) -> None:
    """With the same key and a wait, a check that has ended is answered with 200 at once."""
    headers = {"Idempotency-Key": "k"}
    first = await app.post(pair_body("a", "b"), headers=headers)
    await app.work_off()
    second = await app.post(pair_body("a", "b"), headers=headers, wait="1")
    assert second.status_code == 200
    assert body_of(second)["id"] == body_of(first)["id"]
    assert clock_of(app).slept == []


@pytest.mark.parametrize("wait", ["", "-1", "21", "999", "1.5", "1e1", "٣", "ten", " 1", "0x5"])
async def test_a_wait_that_is_none_is_refused(app: App, wait: str) -> None:
    """Whole seconds from 0 to 20; anything else is 422 and starts nothing."""
    answer = await app.post(pair_body("a", "b"), wait=wait)
    assert answer.status_code == 422
    assert "wait must be a whole number" in body_of(answer)["errors"][0]["detail"]
    assert app.storage.sent == []
