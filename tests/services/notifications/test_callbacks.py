from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any

import azure.functions as func
import pytest

from entra_sod.core.errors import StorageUnavailable
from entra_sod.domain.messages import CHECK_QUEUE, DELIVERY_QUEUE, DeliveryMessage, decode, encode
from entra_sod.domain.notifications.event import MAX_BODY_BYTES
from entra_sod.domain.notifications.outcome import NoResponse, NotSent, ResponseReceived
from entra_sod.domain.notifications.signature import parse_signing_keys, verify
from functions.queues.process import handle_poison_message, process_message
from local.memory.storage import MemoryQueues
from tests.app import App, body_of, install_parts, pair_body, wrapped
from tests.builders import guid, held, package, rule, side
from tests.domain.notifications.corpus import CORPUS

SECRET = "s3cr3t-of-the-caller"
CALLBACK = f"https://prod-1.westeurope.logic.azure.com/workflows/1?sig={SECRET}"
URL = "https://app.example.com/api/checks"
KEYS = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"

TABLES = ("checks", "idempotency", "ledger", "sweeps")  # all but the one with the addresses

type MakeApp = type[App]


@pytest.fixture
def app(make_app: MakeApp) -> App:
    people = {"a": held("a", "xy"), "b": held("b", "x")}
    rules = [rule("r", side("a"), side("b"))]
    return make_app([package("a"), package("b")], people, rules, CALLBACK_HOSTS=CORPUS.allowed)


async def ask(app: App, **fields: str) -> str:
    """Start a check with a callback and return its id."""
    body = pair_body("a", "b", callbackUrl=CALLBACK, **fields)
    answer = await app.post(body, url=URL)
    assert answer.status_code == 202, answer.get_body()
    check_id: str = body_of(answer)["id"]
    return check_id


def lose_next(app: App, monkeypatch: pytest.MonkeyPatch, queue: str) -> None:
    """Let storage fail at the next message for a queue, as if the worker died before it."""
    send = MemoryQueues.send
    failures = [StorageUnavailable("lost")]

    async def failing(
        self: MemoryQueues, name: str, body: bytes, *, delay_seconds: float = 0
    ) -> None:
        if name == queue and failures:
            raise failures.pop()
        await send(self, name, body, delay_seconds=delay_seconds)

    monkeypatch.setattr(MemoryQueues, "send", failing)
    assert app.storage.sent


async def test_a_callback_has_what_a_poller_gets(app: App) -> None:
    """One POST to the address, with the very bytes of GET, once the check has ended."""
    check_id = await ask(app, reference="CHG-1")
    assert app.sender.posts == []
    await app.work_off()
    (post,) = app.sender.posts
    assert post.body == (await app.get(check_id)).get_body()
    assert json.loads(post.body)["reference"] == "CHG-1"
    assert post.address.host == "prod-1.westeurope.logic.azure.com"
    assert post.address.target == f"/workflows/1?sig={SECRET}"


async def test_a_callback_is_an_event(app: App) -> None:
    """CloudEvents and Standard Webhooks headers stand beside the plain JSON."""
    check_id = await ask(app)
    await app.work_off()
    headers = dict(app.sender.posts[0].headers)
    assert headers.pop("ce-time") == "2026-01-01T00:00:00Z"
    assert headers == {
        "content-type": "application/json",
        "user-agent": "entra-sod",
        "ce-specversion": "1.0",
        "ce-type": "com.entra-sod.check.completed",
        "ce-source": "https://app.example.com/api",
        "ce-id": f"check-{check_id}",
        "ce-subject": f"checks/{check_id}",
        "webhook-id": f"check-{check_id}",
        "webhook-timestamp": str(int(app.clock.now().timestamp())),
    }


async def test_a_callback_is_signed_with_every_key(app: App) -> None:
    """A receiver that has either key can verify the bytes that it got."""
    app.configure(CALLBACK_HOSTS=CORPUS.allowed, WEBHOOK_SIGNING_KEYS=KEYS)
    await ask(app)
    await app.work_off()
    (post,) = app.sender.posts
    now = app.clock.now().timestamp()
    for key in parse_signing_keys(KEYS):
        assert verify(post.headers, post.body, [key], now=now)


async def test_a_check_that_failed_is_told_as_well(app: App) -> None:
    """The waiting caller learns that there is no answer, and why."""
    await ask(app)
    message = app.storage.sent.pop()
    app.graph.errors.append(ZeroDivisionError("a bug"))
    with pytest.raises(ZeroDivisionError):
        await process_message(CHECK_QUEUE, wrapped(message.body))
    await handle_poison_message(CHECK_QUEUE, "m1", wrapped(message.body))
    await app.work_off()
    (post,) = app.sender.posts
    assert post.headers["ce-type"] == "com.entra-sod.check.failed"
    assert json.loads(post.body)["status"] == "failed"


async def test_a_check_whose_message_was_unreadable_is_told_as_well(app: App) -> None:
    """The id in a message of another version is enough to find who waits."""
    check_id = await ask(app)
    body = json.loads(app.storage.sent.pop().body)
    await process_message(CHECK_QUEUE, wrapped(json.dumps({**body, "version": 2}).encode()))
    await app.work_off()
    (post,) = app.sender.posts
    assert json.loads(post.body)["id"] == check_id


async def test_a_worker_that_dies_after_the_end_loses_no_callback(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check has ended, nothing is queued: the check's message comes again and queues it."""
    check_id = await ask(app)
    message = app.storage.sent[0]
    lose_next(app, monkeypatch, DELIVERY_QUEUE)
    with pytest.raises(StorageUnavailable):
        await app.work_off()
    assert (await app.get(check_id)).status_code == 200
    app.storage.sent.append(message)
    await app.work_off()
    assert len(app.sender.posts) == 1


async def test_a_failed_check_loses_no_callback_either(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The poison function may die after it has ended the check, and comes again, too."""
    await ask(app)
    message = decode(app.storage.sent[0].body)
    body = wrapped(encode(message).replace(b'"version":1', b'"version":1,"reason":"why"'))
    lose_next(app, monkeypatch, DELIVERY_QUEUE)
    app.storage.sent.clear()
    with pytest.raises(StorageUnavailable):
        await handle_poison_message(CHECK_QUEUE, "m1", body)
    await handle_poison_message(CHECK_QUEUE, "m1", body)
    await app.work_off()
    assert len(app.sender.posts) == 1


async def test_a_worker_that_dies_after_the_post_tells_the_same_again(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At least once: the second POST has the same id and body, so that it can be dropped."""
    check_id = await ask(app)
    await app.work_one()
    message = app.storage.sent.pop()

    async def dying(check_id: str) -> None:
        raise StorageUnavailable(check_id)

    with monkeypatch.context() as patch:
        patch.setattr(app.records.subscriptions, "delete_callback", dying)
        with pytest.raises(StorageUnavailable, match=check_id):
            await process_message(DELIVERY_QUEUE, wrapped(message.body))
    await process_message(DELIVERY_QUEUE, wrapped(message.body))
    first, second = app.sender.posts
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body


async def test_what_was_told_is_told_no_more(app: App) -> None:
    """Duplicates of the check's and of the delivery's message come to nothing."""
    await ask(app)
    check = app.storage.sent[0]
    await app.work_one()
    delivery = app.storage.sent[0]
    await app.work_off()
    app.storage.sent.extend([check, delivery])
    await app.work_off()
    assert len(app.sender.posts) == 1


async def test_a_receiver_that_is_away_is_tried_again(app: App) -> None:
    """Same id and body at each try, each with a timestamp of its own; Retry-After is kept."""
    app.sender.answer_with(
        [NoResponse("away"), ResponseReceived(503, retry_after=90.0), ResponseReceived(204)]
    )
    await ask(app)
    await app.work_off()
    posts = app.sender.posts
    assert len(posts) == 3
    assert len({(post.headers["webhook-id"], post.body) for post in posts}) == 1
    assert len({post.headers["ce-time"] for post in posts}) == 1
    moments = [int(post.headers["webhook-timestamp"]) for post in posts]
    assert moments[0] < moments[1] == moments[2] - 90
    assert await app.letters() == []


async def test_a_receiver_that_is_away_for_a_day_is_given_up(app: App) -> None:
    """The message is kept with the last answer; the check itself stays as it ended."""
    app.sender.answer_with([NoResponse("away")] * 100)
    start = app.clock.now()
    check_id = await ask(app)
    await app.work_off()
    (dead_letter,) = await app.letters()
    assert "given up after a day" in dead_letter["reason"]
    assert "away" in dead_letter["reason"]
    assert timedelta(days=1) <= app.clock.now() - start < timedelta(days=1, minutes=5)
    assert 20 < len(app.sender.posts) < 60
    assert body_of(await app.get(check_id))["status"] == "completed"


@pytest.mark.parametrize("status", [401, 403, 404, 408, 429, 500])
async def test_a_receiver_that_is_mended_within_hours_is_told(app: App, status: int) -> None:
    """Whatever it answered meanwhile: a new deployment, a lost key or a full disk lose nothing."""
    app.sender.answer_with([ResponseReceived(status)] * 15 + [ResponseReceived(204)])
    start = app.clock.now()
    await ask(app)
    await app.work_off()
    assert len(app.sender.posts) == 16
    assert app.clock.now() - start > timedelta(hours=2)
    assert await app.letters() == []


async def test_one_404_after_an_outage_loses_nothing(app: App) -> None:
    """Three times 503 and one 404 while the receiver comes up, and then it takes the event."""
    app.sender.answer_with(
        [ResponseReceived(503)] * 3 + [ResponseReceived(404), ResponseReceived(204)]
    )
    await ask(app)
    await app.work_off()
    assert len(app.sender.posts) == 5
    assert await app.letters() == []


async def test_redirects_are_counted_over_messages(app: App) -> None:
    """The count of refusals travels with the delivery, apart from that of its tries."""
    app.sender.answer_with([ResponseReceived(503)] * 5 + [ResponseReceived(302)] * 10)
    await ask(app)
    await app.work_off()
    assert len(app.sender.posts) == 9
    (dead_letter,) = await app.letters()
    assert "given up after 4 refusals in a row" in dead_letter["reason"]


@pytest.mark.parametrize("outcome", [ResponseReceived(302), NotSent("not public")])
async def test_what_is_not_followed_or_called_is_given_up_soon(app: App, outcome: Any) -> None:
    """Four tries, then a letter with the reason."""
    app.sender.answer_with([outcome] * 100)
    await ask(app)
    await app.work_off()
    assert len(app.sender.posts) == 4
    (dead_letter,) = await app.letters()
    assert "given up after 4 refusals" in dead_letter["reason"]
    assert dead_letter["queue"] == DELIVERY_QUEUE


async def test_a_letter_can_be_sent_again(app: App) -> None:
    """The address is kept with a callback that was given up: its message finds it."""
    app.sender.answer_with([ResponseReceived(302)] * 4)
    await ask(app)
    await app.work_one()
    message = app.storage.sent[0]
    await app.work_off()
    app.storage.sent.append(message)
    await app.work_off()
    assert len(app.sender.posts) == 5


async def test_gone_stops_at_once(app: App) -> None:
    """After a 410 there is no other try, no letter, and no address."""
    app.sender.answer_with([ResponseReceived(410)])
    check_id = await ask(app)
    await app.work_off()
    assert len(app.sender.posts) == 1
    assert await app.letters() == []
    assert await app.records.subscriptions.callback(check_id) is None


async def test_an_address_that_is_allowed_no_more_is_not_called(app: App) -> None:
    """CALLBACK_HOSTS is asked at each try, and the letter names it."""
    await ask(app)
    app.configure(CALLBACK_HOSTS="other.example.com")
    await app.work_off()
    assert app.sender.posts == []
    (dead_letter,) = await app.letters()
    assert "CALLBACK_HOSTS" in dead_letter["reason"]


async def test_a_large_result_is_sent_without_its_holders(make_app: MakeApp) -> None:
    """The count is whole, the list is absent and named, and `self` leads to it."""
    people = [chr(number) for number in range(0x4E00, 0x4E00 + 300)]
    held_by_all = {name: held(name, "".join(people)) for name in "ab"}
    rules = [rule("r", side("a"), side("b"))]
    app = make_app([package("a"), package("b")], held_by_all, rules, CALLBACK_HOSTS=CORPUS.allowed)
    check_id = await ask(app)
    await app.work_off()
    whole = body_of(await app.get(check_id))
    sent = json.loads(app.sender.posts[0].body)
    assert len(app.sender.posts[0].body) <= MAX_BODY_BYTES
    assert (sent["holderCount"], sent["omitted"]) == (300, ["holders"])
    assert sent["self"] == f"{URL}/{check_id}"
    assert len(whole.pop("holders")) == 300
    assert whole.items() <= sent.items()


@pytest.mark.parametrize("last", [ResponseReceived(200), ResponseReceived(302)])
async def test_the_address_is_nowhere_but_in_its_row(
    app: App, caplog: pytest.LogCaptureFixture, last: ResponseReceived
) -> None:
    """Not in answers, messages, logs, letters, statuses or evidence, however it ends."""
    seen: list[bytes] = []
    refused = [ResponseReceived(302)] * 3
    app.sender.answer_with([NoResponse("away"), ResponseReceived(404), *refused, last])
    with caplog.at_level(logging.DEBUG):
        answer = await app.post(
            pair_body("a", "b", callbackUrl=CALLBACK), headers={"Idempotency-Key": "k"}
        )
        check_id = body_of(answer)["id"]
        seen.append(answer.get_body())
        while app.storage.sent:
            seen += [message.body for message in app.storage.sent]
            await app.work_one()
            seen.append((await app.get(check_id)).get_body())
        seen += [each async for each in kept(app)]
    assert len(app.sender.posts) == 6
    assert SECRET not in caplog.text
    assert not [each for each in seen if SECRET.encode() in each]
    is_kept = await app.records.subscriptions.callback(check_id) is not None
    assert is_kept == (last == ResponseReceived(302))


async def kept(app: App) -> AsyncIterator[bytes]:
    """All that storage holds, but for the rows with the addresses."""
    for table in TABLES:
        async for row in app.storage.table(table).rows():
            yield repr(row).encode()
    for container in ("checks", "poison"):
        async for name in app.storage.blobs.names(container):
            yield await app.storage.blobs.get(container, name) or b""


class TestAsking:
    async def test_the_corpus_is_refused_and_leaves_nothing_behind(self, app: App) -> None:
        """422 at the field for every bad address, which is not repeated; nothing is queued."""
        for bad in CORPUS.addresses:
            answer = await app.post(pair_body("a", "b", callbackUrl=bad.url))
            assert answer.status_code == 422, bad
            assert [each["pointer"] for each in body_of(answer)["errors"]] == ["/callbackUrl"]
            assert b"evil" not in answer.get_body()
        assert app.storage.sent == []
        assert [each async for each in kept(app)] == []
        assert [each async for each in app.storage.table("subscriptions").rows()] == []

    async def test_without_the_setting_the_refusal_names_it(self, app: App) -> None:
        """The operator of the app learns what to set."""
        app.configure()
        answer = await app.post(pair_body("a", "b", callbackUrl=CALLBACK))
        assert answer.status_code == 422
        assert "CALLBACK_HOSTS" in body_of(answer)["errors"][0]["detail"]

    async def test_a_wrong_setting_stops_callbacks_only(
        self, app: App, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Checks without a callback are accepted; with one, 503 names the setting."""
        install_parts(app.records, app.engine, admission=app.admission)
        monkeypatch.setenv("CALLBACK_HOSTS", "*")
        assert (await app.post(pair_body("a", "b"))).status_code == 202
        answer = await app.post(pair_body("a", "b", callbackUrl=CALLBACK))
        assert answer.status_code == 503
        assert "CALLBACK_HOSTS must be" in body_of(answer)["detail"]

    async def test_a_request_that_is_sent_again_is_called_back_once(self, app: App) -> None:
        """The same key and body: one check and one callback; another address is another body."""
        headers: Mapping[str, str] = {"Idempotency-Key": "k"}
        body = pair_body("a", "b", callbackUrl=CALLBACK)
        ids = {body_of(await app.post(body, headers=headers))["id"] for _ in range(2)}
        await app.work_off()
        ids.add(body_of(await app.post(body, headers=headers))["id"])
        await app.work_off()
        assert (len(ids), len(app.sender.posts)) == (1, 1)
        other: func.HttpResponse = await app.post(
            {**body, "callbackUrl": CALLBACK + "2"}, headers=headers
        )
        assert other.status_code == 422

    async def test_no_repr_shows_the_address(self, app: App) -> None:
        """Neither the request nor the receiver, should either ever reach a log."""
        from entra_sod.services.checks.request import parse_check_request

        request = parse_check_request(pair_body("a", "b", callbackUrl=CALLBACK))
        assert SECRET not in repr(request)
        subscription = await app.records.subscriptions.callback(await ask(app))
        assert subscription is not None
        assert subscription.url == CALLBACK
        assert SECRET not in repr(subscription)


async def test_a_delivery_of_nothing_known_is_kept_as_poison(app: App) -> None:
    """A message for a check that never ends is given up in the end, with its reason."""
    await app.records.subscriptions.store_callback(guid("c"), url=CALLBACK, app="https://a/api")
    message = DeliveryMessage(
        version=1,
        id=guid("c"),
        traceparent="",
        enqueued_at="2026-01-01T00:00:00Z",
        subject="check",
    )
    await app.storage.queues.send(DELIVERY_QUEUE, encode(message))
    await app.work_off()
    (dead_letter,) = await app.letters()
    assert "has not ended yet" in dead_letter["reason"]
    assert app.sender.posts == []
