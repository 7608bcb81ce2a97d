"""Callbacks the whole way, on the local host: a loopback receiver that CALLBACK_HOSTS names."""

from __future__ import annotations

import time

import httpx
import pytest

from entra_sod.domain.notifications.signature import parse_signing_keys, verify
from local.graph.demo import APPROVE_INVOICES, PAY_INVOICES
from tests.host.callback_receiver import receiving_callbacks
from tests.host.client import Caller
from tests.host.conftest import Stage

pytestmark = [pytest.mark.slow, pytest.mark.host]

PAIR = (PAY_INVOICES, APPROVE_INVOICES)
SECRET = "s3cr3t-of-the-caller"
KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_a_callback_is_tried_again_until_it_is_taken(world: Stage) -> None:
    """After two 503, the third POST has the same id and body; signed, and as GET answers."""
    with receiving_callbacks(503, 503) as subscription:
        host = world.start_host(CALLBACK_HOSTS=subscription.host, WEBHOOK_SIGNING_KEYS=KEY)
        url = f"http://{subscription.host}/workflows/1?sig={SECRET}"
        location = Caller(host.url).start(*PAIR, callbackUrl=url)
        posts = subscription.wait_for(3)
        assert posts[0].content == Caller(host.url).wait(location)
        output = host.output()
    assert {post.target for post in posts} == {f"/workflows/1?sig={SECRET}"}
    assert len({(post.headers["webhook-id"], post.body) for post in posts}) == 1
    assert posts[0].headers["ce-source"] == f"{host.url}/api"
    for post in posts:
        assert verify(post.headers, post.body, parse_signing_keys(KEY), now=time.time())
    assert SECRET not in output


def test_a_subscription_is_told_until_it_says_gone(world: Stage) -> None:
    """410 ends it: the next check is not told to it, but to the other; DELETE is no error."""
    with receiving_callbacks(410) as gone, receiving_callbacks() as other:
        host = world.start_host(CALLBACK_HOSTS=f"{gone.host},{other.host}")
        caller = Caller(host.url)
        made = [
            httpx.post(
                f"{host.url}/api/subscriptions",
                json={
                    "callbackUrl": f"http://{subscription.host}/x",
                    "events": ["check.completed"],
                },
            )
            for subscription in (gone, other)
        ]
        assert [answer.status_code for answer in made] == [201, 201]
        ids = [caller.check(*PAIR)["id"]]
        gone.wait_for(1)
        other.wait_for(1)
        ids.append(caller.check(*PAIR)["id"])
        assert [post.content["id"] for post in other.wait_for(2)] == ids
        assert [post.content["id"] for post in gone.received] == ids[:1]
        ended = [httpx.delete(answer.headers["Location"]).status_code for answer in made]
        assert ended == [204, 204]
        unknown = f"{host.url}/api/subscriptions/11111111-2222-4333-8444-555555555555"
        assert httpx.delete(unknown).status_code == 404


@pytest.mark.chaos
def test_a_host_that_is_killed_loses_no_callback(world: Stage) -> None:
    """Killed at another moment each time, while it checks and delivers: everyone is told."""
    world.graph.behave(latency_ms=25.0)
    with receiving_callbacks() as subscription:
        hosts, ids = subscription.host, set()
        for pause in (0.1, 0.3, 0.5, 0.7):
            host = world.start_host(CALLBACK_HOSTS=hosts, LOCAL_HOST_INVISIBILITY_SECONDS="2")
            location = Caller(host.url).start(*PAIR, callbackUrl=f"http://{subscription.host}/x")
            ids.add(location.rsplit("/", 1)[1])
            time.sleep(pause)
            host.kill()
        world.start_host(CALLBACK_HOSTS=hosts, LOCAL_HOST_INVISIBILITY_SECONDS="2")
        deadline = time.monotonic() + 60
        while {post.content["id"] for post in subscription.received} != ids:
            assert time.monotonic() < deadline, subscription.received
            time.sleep(0.1)
    assert {post.headers["webhook-id"] for post in subscription.received} == {
        f"check-{check_id}" for check_id in ids
    }
    assert {post.content["outcome"] for post in subscription.received} == {"conflict"}


def test_a_wait_gets_the_verdict_in_one_answer(world: Stage) -> None:
    """With `?wait=20` a check of an idle host is answered with 200."""
    host = world.start_host()
    body = {"accessPackageId": PAIR[0], "incompatibleAccessPackageId": PAIR[1]}
    answer = httpx.post(f"{host.url}/api/checks?wait=20", json=body, timeout=30)
    assert (answer.status_code, answer.json()["holderCount"]) == (200, 7)


def test_no_callback_leaves_for_this_machine_unless_it_is_named(world: Stage) -> None:
    """Another port, another way to write loopback, or no setting: 422, and no request is sent."""
    with receiving_callbacks() as subscription:
        port = subscription.server_port
        host = world.start_host(CALLBACK_HOSTS=f"127.0.0.1:{port + 1}, localhost.example")
        body = {"accessPackageId": PAIR[0], "incompatibleAccessPackageId": PAIR[1]}
        for url in (
            f"http://127.0.0.1:{port}/",
            f"http://localhost:{port + 1}/",
            f"http://127.1:{port + 1}/",
            f"http://2130706433:{port + 1}/",
            f"https://[::ffff:127.0.0.1]:{port + 1}/",
            world.graph.root,
        ):
            answer = httpx.post(f"{host.url}/api/checks", json={**body, "callbackUrl": url})
            assert answer.status_code == 422
            assert answer.json()["errors"][0]["pointer"] == "/callbackUrl"
        assert subscription.received == []
