"""The HTTP action of Logic Apps gets its verdict, whatever happens on the way."""

from __future__ import annotations

import time
from typing import Any
from uuid import uuid4

import httpx
import pytest

from local.graph.demo import APPROVE_INVOICES, PAY_INVOICES
from tests.host.conftest import Stage
from tests.host.front_end import BadMoment, FrontEnd, front_end
from tests.host.logic_apps import HttpAction, kept, result_of

pytestmark = pytest.mark.host

BODY = {
    "accessPackageId": PAY_INVOICES,
    "incompatibleAccessPackageId": APPROVE_INVOICES,
    "reference": "CHG-1042",
}
SLOW_MS = 1000
# Longer than it takes to see a check running and to kill its host.
HELD = {"kind": "delay", "seconds": 30}
KILLED = {"LOCAL_HOST_INVISIBILITY_SECONDS": "2"}


def authored(key: str, **more: str) -> dict[str, str]:
    """Headers as a workflow's author would set them, some of which the action strips."""
    named = {name.replace("_", "-"): value for name, value in more.items()}
    return {"x-functions-key": key, "Accept": "text/html", "Cookie": "a=b", "Origin": "x", **named}


def is_the_verdict(result: dict[str, Any]) -> bool:
    told = (result["status"], result["outcome"], result["holderCount"], result["reference"])
    return told == ("completed", "conflict", 7, "CHG-1042")


def posts(front: FrontEnd) -> list[int]:
    """The status that the sender got for each POST."""
    return [each.status for each in front.seen if each.method == "POST"]


def test_fast(world: Stage) -> None:
    """The check ends before the first poll, which has no body and the same headers."""
    host = world.start_host(auth=True)
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


def test_fast_with_a_wait_needs_no_poll(world: Stage) -> None:
    """With `?wait=20` the first answer is the verdict."""
    host = world.start_host(auth=True)
    action = HttpAction(authored(host.function_key))
    answer = action.run(f"{host.url}/api/checks?wait=20", BODY)
    assert is_the_verdict(result_of(answer))
    assert action.polls == 0


def test_slow(world: Stage) -> None:
    """Graph takes its time: the action is told 202 with the same Location again and again."""
    host = world.start_host(auth=True)
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
def test_retried(world: Stage, moments: list[BadMoment]) -> None:
    """However often the POST is sent, with its key there is one check, and its verdict."""
    host = world.start_host(auth=True)
    with front_end(host.url) as front:
        front.bad_moments = list(moments)
        action = HttpAction(authored(host.function_key, Idempotency_Key=_new_key()))
        result = result_of(action.run(f"{front.url}/api/checks", BODY))
        assert posts(front) == [*(each.status for each in moments), 202]
        ids = {each.target.rpartition("/")[2] for each in front.seen if each.method == "GET"}
    assert is_the_verdict(result)
    assert ids == {result["id"]}


def test_sent_twice(world: Stage) -> None:
    """The same POST twice is one check for both, while it runs and after it has ended."""
    host = world.start_host(auth=True)
    headers = authored(host.function_key, Idempotency_Key=_new_key())
    results = []
    for _ in range(2):
        sent = httpx.post(f"{host.url}/api/checks", json=BODY, headers=headers, timeout=30)
        action = HttpAction(headers)
        results.append(result_of(action.run(f"{host.url}/api/checks", BODY)))
        assert sent.json()["id"] == results[0]["id"]
    assert results[0] == results[1]


def test_polls_have_bad_moments_too(world: Stage) -> None:
    """A poll that gets a 5xx is repeated, and the verdict is the same."""
    host = world.start_host(auth=True)
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


def test_restarted_host(world: Stage) -> None:
    """`kill -9` in the middle of the work: polling goes on, and the new host ends the check."""
    world.graph.add_faults(HELD)
    with front_end(app="") as front:
        host = world.start_host(auth=True, **KILLED)
        front.app = host.url
        hosts = [host]

        def kill_once(seconds: float) -> None:
            if len(hosts) == 1 and started(front):
                hosts[0].kill()
                hosts.append(world.start_host(auth=True, **KILLED))
                front.app = hosts[1].url
            time.sleep(seconds * 0.05)

        action = HttpAction(authored(host.function_key), pause=kill_once)
        result = result_of(action.run(f"{front.url}/api/checks", BODY))
        statuses = [each.status for each in front.seen]
    assert is_the_verdict(result)
    assert len(hosts) == 2
    assert "finished run_check" not in hosts[0].output()
    assert "finished run_check" in hosts[1].output()
    assert statuses[-1] == 200


def started(front: FrontEnd) -> bool:
    """Whether a poll has been answered with 202 by now."""
    return any(each.method == "GET" and each.status == 202 for each in front.seen)


def test_while_no_host_lives_the_action_repeats(world: Stage) -> None:
    """502 for a moment, as Azure's front end answers; the poll after that finds a new host."""
    world.graph.add_faults(HELD)
    host = world.start_host(auth=True, **KILLED)
    with front_end(host.url) as front:
        seen: list[int] = []

        def restart(seconds: float) -> None:
            seen.append(front.seen[-1].status)
            if len(seen) == 2:
                host.kill()
            if seen[-1] == 502 and seen.count(502) == 1:
                front.app = world.start_host(auth=True, **KILLED).url
            time.sleep(seconds * 0.05)

        action = HttpAction(authored(host.function_key), pause=restart)
        assert is_the_verdict(result_of(action.run(f"{front.url}/api/checks", BODY)))
    assert seen.count(502) == 1


def test_the_client_strips_what_the_action_strips() -> None:
    """Accept and its kin, cookies and origins go; keys and content types stay."""
    given = {"Accept-Language": "de", "Content-Type": "a/b", "Content-MD5": "x", "X-Key": "k"}
    assert kept({**given, "Host": "h", "Allow": "GET"}) == {"Content-Type": "a/b", "X-Key": "k"}


def _new_key() -> str:
    return str(uuid4())
