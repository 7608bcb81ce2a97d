"""The HTTP action of Logic Apps gets its verdict, whatever happens on the way."""

from __future__ import annotations

import time
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from local.world import HostProcess, World
from tests.host.conftest import Stage
from tests.host.front_end import BadMoment, FrontEnd, front_end
from tests.host.logic_apps import BODY, HttpAction, authored, is_the_verdict, kept, result_of

# Each test begins with a tenant as at the start.
pytestmark = [pytest.mark.slow, pytest.mark.host, pytest.mark.usefixtures("world")]

SLOW_MS = 1000


def posts(front: FrontEnd) -> list[int]:
    """The status that the sender got for each POST."""
    return [each.status for each in front.seen if each.method == "POST"]


@pytest.fixture(scope="module")
def host(shared_world: World) -> Iterator[HostProcess]:
    """One host for all tests that leave it alive."""
    host = shared_world.start_host(auth=True)
    yield host
    host.kill()


def test_fast(host: HostProcess) -> None:
    """The check ends before the first poll, which has no body and the same headers."""
    with front_end(host.url) as front:
        action = HttpAction(authored(host.function_key), pause=lambda _: time.sleep(2))
        assert is_the_verdict(result_of(action.run(f"{front.url}/api/checks", BODY)))
        first, *polls = front.seen
    assert first.headers["x-functions-key"] == host.function_key
    assert action.polls == len(polls) >= 1
    for poll in polls:
        assert poll.method == "GET"
        assert poll.headers["x-functions-key"] == host.function_key
        assert not {"cookie", "origin"} & poll.headers.keys()
        assert poll.headers.get("content-length", "0") == "0"


def test_fast_with_a_wait_needs_no_poll(host: HostProcess) -> None:
    """With `?wait=20` the first answer is the verdict."""
    action = HttpAction(authored(host.function_key))
    answer = action.run(f"{host.url}/api/checks?wait=20", BODY)
    assert is_the_verdict(result_of(answer))
    assert action.polls == 0


def test_slow(world: Stage, host: HostProcess) -> None:
    """Graph takes its time: the action is told 202 with the same Location again and again."""
    world.graph.behave(latency_ms=SLOW_MS)
    with front_end(host.url) as front:
        action = HttpAction(authored(host.function_key), pause=lambda _: time.sleep(0.1))
        assert is_the_verdict(result_of(action.run(f"{front.url}/api/checks", BODY)))
        polled = [each for each in front.seen if each.method == "GET"]
    assert len([each for each in polled if each.status == 202]) > 1
    assert len({each.target for each in polled}) == 1


@pytest.mark.parametrize(
    "moments",
    [
        [BadMoment(503)],
        [BadMoment(408)],
        [BadMoment(429, headers=(("Retry-After", "1"),))],
        [BadMoment(504, "after")],
        [BadMoment(500, "after"), BadMoment(502, "after"), BadMoment(503), BadMoment(504, "after")],
    ],
    ids=["503", "408", "429", "504 after the work", "four in a row"],
)
def test_retried(host: HostProcess, moments: list[BadMoment]) -> None:
    """However often the POST is sent, with its key there is one check, and its verdict."""
    with front_end(host.url) as front:
        front.bad_moments = list(moments)
        action = HttpAction(authored(host.function_key, Idempotency_Key=_new_key()))
        result = result_of(action.run(f"{front.url}/api/checks", BODY))
        assert posts(front) == [*(each.status for each in moments), 202]
        ids = {each.target.rpartition("/")[2] for each in front.seen if each.method == "GET"}
    assert is_the_verdict(result)
    assert ids == {result["id"]}


def test_sent_twice(host: HostProcess) -> None:
    """The same POST twice is one check for both, while it runs and after it has ended."""
    headers = authored(host.function_key, Idempotency_Key=_new_key())
    results = []
    for _ in range(2):
        sent = httpx.post(f"{host.url}/api/checks", json=BODY, headers=headers, timeout=30)
        action = HttpAction(headers)
        results.append(result_of(action.run(f"{host.url}/api/checks", BODY)))
        assert sent.json()["id"] == results[0]["id"]
    assert results[0] == results[1]


def test_polls_have_bad_moments_too(world: Stage, host: HostProcess) -> None:
    """A poll that gets a 5xx is repeated, and the verdict is the same."""
    world.graph.behave(latency_ms=SLOW_MS)
    with front_end(host.url) as front:
        action = HttpAction(authored(host.function_key))
        moments = [BadMoment(502, "after"), BadMoment(503), BadMoment(500)]

        def wait_and_spoil(seconds: float) -> None:
            front.bad_moments += moments[:1]
            del moments[:1]
            time.sleep(seconds * 0.05)

        action.pause = wait_and_spoil
        assert is_the_verdict(result_of(action.run(f"{front.url}/api/checks", BODY)))
        assert {500, 502, 503} <= {each.status for each in front.seen}


def test_the_client_strips_what_the_action_strips() -> None:
    """Accept and its kin, cookies and origins go; keys and content types stay."""
    given = {"Accept-Language": "de", "Content-Type": "a/b", "Content-MD5": "x", "X-Key": "k"}
    assert kept({**given, "Host": "h", "Allow": "GET"}) == {"Content-Type": "a/b", "X-Key": "k"}


def _new_key() -> str:
    return str(uuid4())
