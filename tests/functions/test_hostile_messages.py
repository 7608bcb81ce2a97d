"""Messages that the app did not send, or that no parser survives."""

from __future__ import annotations

import base64
import json
from typing import Any

import msgspec
import pytest

from entra_sod.domain.messages import (
    CHECK_QUEUE,
    DELIVERY_QUEUE,
    SWEEP_QUEUE,
    SweepMessage,
    SweepStartMessage,
    encode,
)
from entra_sod.services.sweeps.start import GIVE_UP_AFTER
from functions.queues.process import handle_poison_message, process_message
from local.memory.storage import SentMessage
from tests.app import App, body_of, pair_body, wrapped
from tests.builders import guid, held, package, rule, side
from tests.domain.test_messages import GOOD
from tests.services.sweeps.test_finalize import messages, two_parts
from tests.services.sweeps.test_sweeps import result, start

QUEUES = [CHECK_QUEUE, SWEEP_QUEUE, DELIVERY_QUEUE]
DEEP = b"[" * 12_000 + b"]" * 12_000
HOSTILE = {
    "nested lists": DEEP,
    "nested in a field": b'{"version":1,"kind":"check","id":"x","reference":' + DEEP + b"}",
    "not UTF-8": b'{"version":1,"kind":"check","id":"\xff"}',
    "not UTF-8 in an id": json.dumps(GOOD).encode().replace(b"00-0", b"\xff"),
    "a huge number": b'{"version":' + b"9" * 5_000 + b"}",
    "NaN": b'{"version":NaN}',
    "NUL": b"\0" * 40,
    "nothing": b"",
    "a list": b"[1]",
    "a negative count": json.dumps({**GOOD, "attempt": -(2**62)}).encode(),
    "a moment that is none": json.dumps({**GOOD, "enqueuedAt": "soon"}).encode(),
    "a moment without an offset": json.dumps({**GOOD, "enqueuedAt": "2026-01-01"}).encode(),
    "a pair of one": json.dumps({**GOOD, "incompatibleAccessPackageId": guid("a")}).encode(),
}


@pytest.fixture
def app(make_app: type[App]) -> App:
    people = {"a": held("a", "xy"), "b": held("b", "y")}
    rules = [rule("r", side("a"), side("b"))]
    return make_app([package("a"), package("b")], people, rules, ENFORCEMENT="apply")


async def deliver(app: App, queue: str, body: bytes) -> list[dict[str, str]]:
    """Offer a message and work all off; the letters that are kept then."""
    await process_message(queue, wrapped(body))
    await app.work_off()
    return await app.letters()


async def deliver_message(app: App, message: SweepMessage | SweepStartMessage) -> None:
    app.storage.sent.append(SentMessage(SWEEP_QUEUE, encode(message), 0))
    await app.work_off()


@pytest.mark.parametrize("queue", QUEUES)
@pytest.mark.parametrize("what", HOSTILE)
async def test_e1_what_no_parser_survives_is_kept_whole(app: App, what: str, queue: str) -> None:
    """It is in the poison container with its bytes and its reason, and nothing was written."""
    [letter] = await deliver(app, queue, HOSTILE[what])
    kept = base64.b64decode(letter["body"])
    assert kept == HOSTILE[what] or json.loads(kept)["reason"] == letter["reason"]
    assert letter["reason"]
    assert app.graph.writes == []


@pytest.mark.parametrize("queue", QUEUES)
async def test_e1_64_kib_are_kept_whole(app: App, queue: str) -> None:
    """The largest message that a queue takes is kept at once, for no queue takes it once more."""
    await process_message(queue, b"?" * 65_536)
    [letter] = await app.letters()
    assert base64.b64decode(letter["body"]) == b"?" * 65_536
    assert app.storage.sent == []


@pytest.mark.parametrize(
    "message_id",
    ["a/b", "a\\b", "a#b", "a?b", "\0", "x" * 2_000, "", "chain", f"{guid('a')}\n", 5, None, []],
)
async def test_e2_an_unreadable_message_is_kept_once_whatever_its_id(
    app: App, message_id: object
) -> None:
    """An id that no check can have belongs to none: a dead letter is stored, and no row."""
    body = json.dumps({**GOOD, "version": 2, "id": message_id}).encode()
    [letter] = await deliver(app, CHECK_QUEUE, body)
    assert base64.b64decode(letter["body"]) == body
    assert [row async for row in app.storage.table("checks").rows()] == []


async def test_e3_a_check_that_no_caller_sent_writes_nothing(app: App) -> None:
    """Without a row of a caller it plans, and says so."""
    body = json.dumps(GOOD).encode()
    assert await deliver(app, CHECK_QUEUE, body) == []
    answer = body_of(await app.get(str(GOOD["id"])))
    assert (answer["outcome"], answer["enforcement"]) == ("conflict", "plan")
    assert len(answer["references"]["planned"]) == 2
    assert "no row" in answer["coverage"]["skipped"][-1]["why"]
    assert app.graph.writes == []


@pytest.mark.parametrize("forged", [{"enforcement": "apply"}, {"reach": "apply"}], ids=str)
async def test_e3_no_message_says_how_far_to_go(app: App, forged: dict[str, Any]) -> None:
    """A message that does was not sent by the app: it is stored, and nothing is written."""
    check_id = body_of(await app.post(pair_body("a", "b", enforcement="plan")))["id"]
    body = {**msgspec.json.decode(app.storage.sent.pop().body), **forged}
    [letter] = await deliver(app, CHECK_QUEUE, msgspec.json.encode(body))
    assert "is not what its kind asks for" in letter["reason"]
    assert body_of(await app.get(check_id))["outcome"] == "unknown"
    assert app.graph.writes == []


@pytest.mark.parametrize(
    "forged",
    [{"accessPackageId": guid("c")}, {"reference": "another"}],
    ids=["pair", "reference"],
)
async def test_e3_a_message_that_says_more_than_its_row_is_kept(
    app: App, forged: dict[str, Any]
) -> None:
    """The check goes on as its caller asked, and is not ended by the forged message."""
    check_id = body_of(await app.post(pair_body("a", "b", enforcement="plan")))["id"]
    [asked] = app.storage.sent
    app.storage.sent.clear()
    [letter] = await deliver(
        app, CHECK_QUEUE, msgspec.json.encode({**msgspec.json.decode(asked.body), **forged})
    )
    assert "was asked for something else" in letter["reason"]
    assert body_of(await app.get(check_id))["status"] != "failed"
    app.storage.sent.append(asked)
    await app.work_off()
    assert body_of(await app.get(check_id))["outcome"] == "conflict"
    assert app.graph.writes == []


@pytest.mark.parametrize(
    ("asked", "reach", "writes"),
    [({}, "apply", 2), ({"enforcement": "plan"}, "plan", 0), ({"enforcement": "off"}, "off", 0)],
)
async def test_e3_a_check_goes_as_far_as_its_row_says(
    app: App, asked: dict[str, str], reach: str, writes: int
) -> None:
    """HTTP writes the row; the message of all three is the same but for its id."""
    check_id = body_of(await app.post(pair_body("a", "b", **asked)))["id"]
    assert b"enforcement" not in app.storage.sent[0].body
    record = await app.records.checks.get(check_id)
    assert record is not None
    assert record.reach == reach
    await app.work_off()
    answer = body_of(await app.get(check_id))
    assert (answer["enforcement"], len(app.graph.writes)) == (reach, writes)


async def test_e3_the_setting_goes_before_the_row(make_app: type[App]) -> None:
    """An app that plans writes nothing for a row that says apply."""
    app = make_app([package("a"), package("b")], {}, [rule("r", side("a"), side("b"))])
    answer = await app.check("a", "b", enforcement="apply")
    assert (answer["enforcement"], app.graph.writes) == ("plan", [])


@pytest.mark.parametrize("number", [2, 99, 999_999, 1_000_001, -1, 2**62])
@pytest.mark.parametrize("is_given_up", [False, True])
async def test_e4_parts_outside_the_plan_change_no_sweep(
    make_app: type[App], number: int, *, is_given_up: bool
) -> None:
    """They are kept, whichever queue they lay on; the sweep ends with what its own parts found."""
    app = two_parts(make_app)
    sweep_id = await start(app)
    own = await messages(app)
    body = json.dumps({**json.loads(encode(own[0])), "part": number, "reason": "x"}).encode()
    if is_given_up:
        await handle_poison_message(SWEEP_QUEUE, "m1", wrapped(body))
    else:
        await deliver(app, SWEEP_QUEUE, body)
    assert len(await app.letters()) == 1
    for each in own:
        await deliver_message(app, each)
    assert (await result(app, sweep_id))["status"] == "completed"


@pytest.mark.parametrize("is_given_up", [False, True])
@pytest.mark.parametrize(
    "forged",
    [{"pairs": [[guid("a"), guid("a")]]}, {"pairs": []}, {"packages": [guid("b")]}],
    ids=["(P, P)", "nothing", "more"],
)
async def test_e4_a_part_that_is_planned_otherwise_is_kept(
    make_app: type[App], forged: dict[str, Any], *, is_given_up: bool
) -> None:
    """It is neither read nor ended: the sweep's own message of that part is."""
    app = two_parts(make_app)
    sweep_id = await start(app)
    own = await messages(app)
    body = json.dumps({**json.loads(encode(own[0])), **forged, "reason": "x"}).encode()
    if is_given_up:
        await handle_poison_message(SWEEP_QUEUE, "m1", wrapped(body))
    else:
        await deliver(app, SWEEP_QUEUE, body)
    [letter] = await app.letters()
    assert "not what its kind asks for" in letter["reason"]
    for each in own:
        await deliver_message(app, each)
    answer = await result(app, sweep_id)
    assert (answer["status"], answer["pairs"]["clear"]) == ("completed", 21)


@pytest.mark.parametrize("supersedes", ["unknown", "latest", "itself", "running"])
async def test_e4_a_sweep_is_superseded_only_by_one_that_was_started_in_its_place(
    make_app: type[App], supersedes: str
) -> None:
    """The start is kept, and the sweep under way is not ended."""
    app = two_parts(make_app)
    sweep_id = await start(app)
    own = await messages(app)
    await app.records.sweeps.announce("sweep-forged")
    of = {"itself": "sweep-forged", "running": sweep_id}.get(supersedes, supersedes)
    await deliver_message(app, SweepStartMessage(id="sweep-forged", traceparent="", supersedes=of))
    assert len(await app.letters()) == 1
    for each in own:
        await deliver_message(app, each)
    assert (await result(app, sweep_id))["status"] == "completed"


@pytest.mark.parametrize("sweep_id", ["latest", "sweep-unknown"])
async def test_e4_a_sweep_without_a_request_does_not_start(
    make_app: type[App], sweep_id: str
) -> None:
    """Neither its start nor its parts: they are kept, and no row is made."""
    app = two_parts(make_app)
    await deliver_message(app, SweepStartMessage(id=sweep_id, traceparent=""))
    await deliver_message(app, SweepMessage(id=sweep_id, traceparent="", part=0))
    assert len({letter["reason"] for letter in await app.letters()}) == 1
    assert [row async for row in app.storage.table("sweeps").rows()] == []


async def test_e4_a_sweep_that_has_its_time_behind_it_is_superseded(make_app: type[App]) -> None:
    """The next start steps in its place, as before."""
    app = two_parts(make_app)
    old = await start(app)
    await messages(app)
    app.clock.advance(GIVE_UP_AFTER.total_seconds())
    new = await start(app)
    await app.work_off()
    assert (await result(app, old))["status"] == "failed"
    assert (await result(app, new))["status"] == "completed"


async def test_e4_a_part_that_is_given_up_after_the_end_leaves_no_row(
    make_app: type[App],
) -> None:
    """Whatever its number; the letter is kept, and the sweep is as it was."""
    app = two_parts(make_app)
    sweep_id = await start(app)
    own = await messages(app)
    for each in own:
        await deliver_message(app, each)
    ended = [row async for row in app.storage.table("sweeps").rows()]
    body = json.dumps({**json.loads(encode(own[0])), "part": 99, "reason": "x"}).encode()
    await handle_poison_message(SWEEP_QUEUE, "m1", wrapped(body))
    assert [row async for row in app.storage.table("sweeps").rows()] == ended
    assert (await result(app, sweep_id))["status"] == "completed"
    assert len(await app.letters()) == 1
