from __future__ import annotations

import json
from typing import Any

import azure.functions as func
import pytest

from entra_sod.domain.notifications.outcome import ResponseReceived
from entra_sod.stores.subscriptions import MAX_SUBSCRIPTIONS
from tests.app import App, body_of, pair_body
from tests.builders import guid, held, package, rule, side
from tests.credentials import KEY, OTHER_KEY, keys_setting, principal, with_key
from tests.domain.notifications.corpus import CORPUS

URL = "https://app.example.com/api/subscriptions"
FIRST, SECOND = "https://hooks.example.com/1?sig=s3cr3t", "https://hooks.example.com/2"

type MakeApp = type[App]


@pytest.fixture
def app(make_app: MakeApp) -> App:
    people = {"a": held("a", "xy"), "b": held("b", "x")}
    rules = [rule("r", side("a"), side("b"))]
    return make_app([package("a"), package("b")], people, rules, CALLBACK_HOSTS=CORPUS.allowed)


async def subscribe(app: App, url: str, *events: str) -> str:
    """Subscribe and return the id."""
    body = {"callbackUrl": url, **({"events": list(events)} if events else {})}
    answer = await app.post(body, url=URL)
    assert answer.status_code == 201, answer.get_body()
    subscription_id: str = body_of(answer)["id"]
    return subscription_id


def told(app: App) -> list[tuple[str, str]]:
    """The address and the event of each POST."""
    return [(post.address.target, post.headers["ce-type"]) for post in app.sender.posts]


async def test_a_subscription_is_made_as_connectors_want_it(app: App) -> None:
    """201, an absolute Location to DELETE, and the id; the address is not given back."""
    answer = await app.post({"callbackUrl": FIRST, "events": ["check.completed"]}, url=URL)
    body = body_of(answer)
    assert answer.status_code == 201
    assert answer.headers["Location"] == body["self"] == f"{URL}/{body['id']}"
    assert body["events"] == ["check.completed"]
    assert b"s3cr3t" not in answer.get_body()


async def test_a_subscription_ends_with_its_delete(app: App) -> None:
    """204, and again 204; what was queued before is not sent any more; 404 for no such one."""
    subscription_id = await subscribe(app, FIRST)
    await app.post(pair_body("a", "b"))
    await app.work_one()
    assert len(app.storage.sent) == 1
    assert [await app.unsubscribe(subscription_id) for _ in range(2)] == [204, 204]
    await app.work_off()
    assert app.sender.posts == []
    for unknown in (guid("d"), "no-guid", "../x"):
        assert await app.unsubscribe(unknown) == 404


async def test_the_same_subscription_twice_is_one(app: App) -> None:
    """A caller that repeats its request, after a lost answer, is told once; also after a DELETE."""
    first = await subscribe(app, FIRST, "check.completed", "check.failed")
    assert await subscribe(app, FIRST, "check.failed", "check.completed") == first
    assert await subscribe(app, FIRST, "check.failed") != first
    assert await app.unsubscribe(first) == 204
    assert await subscribe(app, FIRST, "check.completed", "check.failed") == first
    await app.check("a", "b")
    assert told(app) == [("/1?sig=s3cr3t", "com.entra-sod.check.completed")]


async def test_everyone_is_told_what_they_asked_for(app: App) -> None:
    """One POST for each subscription to the event, none for the others."""
    await subscribe(app, FIRST)
    await subscribe(app, SECOND, "check.completed", "sweep.failed")
    await subscribe(app, "https://hooks.example.com/3", "check.failed")
    await subscribe(app, "https://hooks.example.com/4", "sweep.completed", "sweep.failed")
    result = await app.check("a", "b")
    completed = "com.entra-sod.check.completed"
    assert sorted(told(app)) == [("/1?sig=s3cr3t", completed), ("/2", completed)]
    assert {json.loads(post.body)["id"] for post in app.sender.posts} == {result["id"]}


async def test_without_events_the_ends_of_checks_and_sweeps_are_told(app: App) -> None:
    """The four that the contract and the connector describe; other bodies are to be asked for."""
    answer = await app.post({"callbackUrl": FIRST}, url=URL)
    ends = ["check.completed", "check.failed", "sweep.completed", "sweep.failed"]
    assert body_of(answer)["events"] == ends
    await sweep(app)
    assert told(app) == [("/1?sig=s3cr3t", "com.entra-sod.sweep.completed")]


async def test_a_digest_is_told_to_each_subscriber_that_asks_for_it(app: App) -> None:
    """By its name, beside other events or alone."""
    await subscribe(app, FIRST, "digest.ready")
    await sweep(app)
    assert told(app) == [("/1?sig=s3cr3t", "com.entra-sod.digest.ready")]


async def sweep(app: App) -> None:
    await app.records.sweep_starter.start(traceparent="")
    await app.work_off()


class TestHowMany:
    @pytest.fixture
    async def app(self, make_app: MakeApp) -> App:
        """A caller has as many subscriptions as it may have."""
        keys = keys_setting(jira=KEY, desk=OTHER_KEY)
        app = make_app([], {}, [], CALLBACK_HOSTS=CORPUS.allowed, CALLER_KEYS=keys)
        answers = [await add(app, number) for number in range(MAX_SUBSCRIPTIONS)]
        assert {each.status_code for each in answers} == {201}
        return app

    async def test_one_caller_has_a_hundred_at_most(self, app: App) -> None:
        """409, which says what to do; none is added, and those that are there stay."""
        answer = await add(app, MAX_SUBSCRIPTIONS)
        problem = body_of(answer)
        assert (answer.status_code, answer.mimetype) == (409, "application/problem+json")
        assert problem["type"] == "urn:entra-sod:problem:too-many-subscriptions"
        assert "100 are the most" in problem["detail"]
        assert "DELETE" in problem["detail"]
        assert len([each async for each in app.records.subscriptions.subscriptions()]) == 100

    async def test_one_that_is_there_may_be_asked_for_again(self, app: App) -> None:
        """A caller whose answer was lost gets the id, also with a hundred."""
        assert (await add(app, 7)).status_code == 201

    async def test_one_callers_number_keeps_no_other_out(self, app: App) -> None:
        """Each has a hundred of their own."""
        assert (await add(app, MAX_SUBSCRIPTIONS, OTHER_KEY)).status_code == 201

    async def test_one_that_has_ended_makes_room(self, app: App) -> None:
        """After a DELETE, another is taken, and no more than one."""
        ended = body_of(await add(app, 7))["id"]
        assert await app.records.subscriptions.unsubscribe(ended)
        answers = [await add(app, MAX_SUBSCRIPTIONS + number) for number in range(2)]
        assert [each.status_code for each in answers] == [201, 409]

    async def test_who_has_them_is_kept_as_a_digest(self, app: App) -> None:
        """The table contains no caller's name or object id."""
        rows = [row async for row in app.storage.table("subscriptions").rows()]
        assert len({row.values["holder"] for row in rows}) == 1
        assert "jira" not in repr(rows)


async def add(app: App, number: int, key: str = KEY) -> func.HttpResponse:
    body = {"callbackUrl": f"https://hooks.example.com/{number}"}
    return await app.post(body, url=URL, headers=with_key(key))


async def test_a_callback_and_a_subscription_are_both_told(app: App) -> None:
    """The check's own address and the subscribers' are apart, under one event id."""
    await subscribe(app, FIRST)
    await app.check("a", "b", callbackUrl=SECOND)
    assert sorted(target for target, _ in told(app)) == ["/1?sig=s3cr3t", "/2"]
    assert len({post.headers["webhook-id"] for post in app.sender.posts}) == 1


async def test_gone_ends_a_subscription(app: App) -> None:
    """After a 410 it is told nothing more, and its DELETE is still no error."""
    subscription_id = await subscribe(app, FIRST)
    app.sender.answer_with([ResponseReceived(410)])
    await app.check("a", "b")
    await app.check("a", "b")
    assert len(app.sender.posts) == 1
    assert await app.unsubscribe(subscription_id) == 204


async def test_one_receiver_that_is_away_does_not_hold_up_another(app: App) -> None:
    """Each has a message of its own; who is given up keeps its subscription."""
    app.sender.answer_with([ResponseReceived(404)])
    await subscribe(app, FIRST)
    await subscribe(app, SECOND)
    await app.check("a", "b")
    assert len(app.sender.posts) == 3
    app.sender.answer_with([ResponseReceived(302)] * 20)
    await app.check("a", "b")
    assert len(await app.letters()) == 1  # every letter of this app has the same message id
    app.sender.posts.clear()
    app.sender.answer_with([])
    await app.check("a", "b")
    assert len(app.sender.posts) == 2


async def test_a_sweep_that_was_announced_is_told_once_it_has_ended(app: App) -> None:
    """Announced before its end, and told after it; announced twice, it is one event."""
    await subscribe(app, FIRST, "sweep.completed")
    await subscribe(app, SECOND, "check.completed")
    sweep_id = (await app.records.sweep_starter.start(traceparent="")).id
    start = app.storage.sent.pop()
    await app.records.announcer.announce_sweep(sweep_id, traceparent="")
    await app.work_one()
    assert app.sender.posts == []
    app.storage.sent.insert(0, start)
    await app.work_off()
    record = await app.records.sweeps.get(sweep_id)
    assert record is not None
    # The early announcement and the closing's own: one event, as its id says.
    post, again = app.sender.posts
    assert (again.body, again.headers["webhook-id"]) == (post.body, post.headers["webhook-id"])
    assert post.body == await app.records.sweeps.result(record)
    assert post.headers["ce-type"] == "com.entra-sod.sweep.completed"
    assert post.headers["ce-subject"] == f"sweeps/{sweep_id}"
    assert post.headers["webhook-id"] == f"sweep-{sweep_id}"


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/callbackUrl"]),
        ([], [""]),
        ({"callbackUrl": 7}, ["/callbackUrl"]),
        ({"callbackUrl": None}, ["/callbackUrl"]),
        ({"callbackUrl": [FIRST]}, ["/callbackUrl"]),
        ({"callbackUrl": "https://other.example.com/s3cr3t"}, ["/callbackUrl"]),
        ({"callbackUrl": FIRST, "events": []}, ["/events"]),
        ({"callbackUrl": FIRST, "events": "check.completed"}, ["/events"]),
        ({"callbackUrl": FIRST, "events": ["check.started", 7]}, ["/events/0", "/events/1"]),
        ({"callbackUrl": FIRST, "secret": "x"}, ["/secret"]),
    ],
)
async def test_bad_input_says_what_was_wrong_and_where(
    app: App, body: Any, pointers: list[str]
) -> None:
    """422 with every wrong field, no part of the address, and no subscription."""
    answer = await app.post(body, url=URL)
    assert answer.status_code == 422
    assert [each["pointer"] for each in body_of(answer)["errors"]] == pointers
    assert b"s3cr3t" not in answer.get_body()
    assert [each async for each in app.records.subscriptions.subscriptions()] == []


async def test_the_corpus_is_refused_here_as_well(app: App) -> None:
    """No bad address becomes a subscription."""
    for bad in CORPUS.addresses:
        answer = await app.post({"callbackUrl": bad.url}, url=URL)
        assert answer.status_code == 422, bad
    assert [each async for each in app.records.subscriptions.subscriptions()] == []


async def test_f3_a_subscription_is_ended_by_its_owner_or_an_admin(make_app: MakeApp) -> None:
    """Another reader's is unknown to a caller, before and after its end, and stays."""
    settings = {"WEBSITE_AUTH_ENABLED": "True", "CALLBACK_HOSTS": CORPUS.allowed}
    app = make_app([package("a"), package("b")], {}, [], **settings)
    owner, other = principal("SoD.Read"), principal("SoD.Read", object_id=guid("d"))
    admin = principal("SoD.Admin", object_id=guid("e"))
    body = {"callbackUrl": FIRST}
    first = body_of(await app.post(body, url=URL, headers=owner))["id"]
    assert [await app.unsubscribe(first, who) for who in (other, owner, owner, other)] == [
        404,
        204,
        204,
        404,
    ]
    again = body_of(await app.post(body, url=URL, headers=owner))["id"]
    assert [await app.unsubscribe(again, who) for who in (other, admin)] == [404, 204]


async def test_f3_no_caller_says_where_events_come_from(app: App) -> None:
    """`ce-source` is the app's own address, whatever the subscriber claims of it."""
    forged = {"X-Forwarded-Host": "evil.example"}
    answer = await app.post({"callbackUrl": FIRST}, url=URL, headers=forged)
    assert "evil" not in answer.get_body().decode() + answer.headers["Location"]
    await app.check("a", "b")
    [post] = app.sender.posts
    assert "evil" not in json.dumps(dict(post.headers)) + post.body.decode()
