from __future__ import annotations

import base64
import json

import msgspec
import pytest

from entra_sod.core.errors import ConfigurationError, Throttled, Unavailable
from entra_sod.core.retry import MAX_ATTEMPTS
from entra_sod.domain.messages import CHECK_QUEUE, MAX_MESSAGE_BYTES, SWEEP_QUEUE, decode, encode
from functions.queues.process import (
    MAX_INTERRUPTIONS,
    MAX_REASON_LENGTH,
    NO_REASON,
    handle_poison_message,
    process_message,
)
from local.memory.storage import SentMessage
from tests.app import App, body_of, install_parts, pair_body, wrapped
from tests.builders import guid, package, rule, side
from tests.domain.test_messages import GOOD

type MakeApp = type[App]


@pytest.fixture
def app(make_app: MakeApp) -> App:
    return make_app([package("a"), package("b")], {}, [rule("r", side("a"), side("b"))])


async def letter(app: App) -> dict[str, str]:
    """The one message that was kept as poison."""
    (name,) = [name async for name in app.storage.blobs.names("poison")]
    data = await app.storage.blobs.get("poison", name)
    assert data is not None
    kept: dict[str, str] = json.loads(data)
    return kept


@pytest.mark.parametrize("body", [b"\xff\x00 not json", b'{"version": 9, "id": "x1"}'])
async def test_an_unreadable_message_is_kept_whole_with_its_reason(app: App, body: bytes) -> None:
    """It goes to poison at its first delivery, and the letter has its bytes and why."""
    await process_message(CHECK_QUEUE, wrapped(body))
    assert [message.queue for message in app.storage.sent] == ["conflict-checks-poison"]
    await app.work_off()
    kept = await letter(app)
    assert base64.b64decode(kept["body"]) == body
    assert "version 9" in kept["reason"] or "not base64 of a JSON object" in kept["reason"]


async def test_a_message_that_is_no_base64_is_kept_as_it_lay_there(app: App) -> None:
    """What the host would lose sight of reaches the poison function, byte for byte."""
    await process_message(CHECK_QUEUE, b"?? no base64 ??")
    await app.work_off()
    kept = await letter(app)
    assert base64.b64decode(kept["body"]) == b"?? no base64 ??"
    assert "not base64" in kept["reason"]


async def test_an_unknown_version_fails_the_check_it_names(app: App) -> None:
    """The owner of an unreadable message finds the reason on the check's status."""
    check_id = guid("c")
    await process_message(
        CHECK_QUEUE, wrapped(json.dumps({**GOOD, "id": check_id, "version": 2}).encode())
    )
    await app.work_off()
    answer = body_of(await app.get(check_id))
    assert (answer["status"], answer["outcome"], answer["pair"]) == ("failed", "unknown", None)
    assert "version 2" in answer["coverage"]["skipped"][0]["why"]


async def test_a_message_on_the_wrong_queue_is_poison(app: App) -> None:
    """A check on the sweep queue is not worked on there."""
    await process_message(SWEEP_QUEUE, wrapped(json.dumps(GOOD).encode()))
    await app.work_off()
    assert "does not belong" in (await letter(app))["reason"]


async def test_what_the_queue_gave_up_fails_with_the_last_note(app: App) -> None:
    """After five deliveries by the queue itself, the check says what its last error was."""
    answer = body_of(await app.post(pair_body("a", "b")))
    message = app.storage.sent.pop()
    app.graph.errors.append(ZeroDivisionError("a bug"))
    with pytest.raises(ZeroDivisionError):
        await process_message(CHECK_QUEUE, wrapped(message.body))
    await handle_poison_message(CHECK_QUEUE, "m1", wrapped(message.body))
    result = body_of(await app.get(answer["id"]))
    assert result["status"] == "failed"
    assert "ZeroDivisionError: a bug" in result["coverage"]["skipped"][0]["why"]


async def test_work_that_was_only_interrupted_is_tried_again(app: App) -> None:
    """A worker that died without a word proves nothing against the message: it comes back."""
    answer = body_of(await app.post(pair_body("a", "b")))
    await handle_poison_message(CHECK_QUEUE, "m1", wrapped(app.storage.sent.pop().body))
    assert body_of(await app.get(answer["id"]))["status"] == "queued"
    await app.work_off()
    assert body_of(await app.get(answer["id"]))["outcome"] == "clear"


async def test_work_that_kills_every_worker_ends_as_failed(app: App) -> None:
    """After its last round the check fails, and the reason points to the log."""
    answer = body_of(await app.post(pair_body("a", "b")))
    for _ in range(MAX_INTERRUPTIONS + 1):
        await handle_poison_message(CHECK_QUEUE, "m1", wrapped(app.storage.sent.pop().body))
    result = body_of(await app.get(answer["id"]))
    assert result["coverage"]["skipped"][0]["why"] == NO_REASON


async def test_a_part_that_failed_says_its_last_error(app: App) -> None:
    """A sweep's part that the queue gave up is a gap with the reason of its last failure."""
    sweep_id = (await app.records.sweep_starter.start(traceparent="")).id
    await app.work_one()
    message = app.storage.sent.pop()
    app.graph.errors += [ZeroDivisionError("first"), ZeroDivisionError("last")]
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            await process_message(SWEEP_QUEUE, wrapped(message.body))
    await handle_poison_message(SWEEP_QUEUE, "m1", wrapped(message.body))
    await app.work_off()
    record = await app.records.sweeps.get(sweep_id)
    assert record is not None
    result = await app.records.sweeps.result(record)
    assert result is not None
    assert record.status == "completed-with-gaps"
    assert b"ZeroDivisionError: last" in result


async def test_burying_twice_changes_nothing(app: App) -> None:
    """A poison message that is delivered twice leaves one letter and one failed check."""
    answer = body_of(await app.post(pair_body("a", "b")))
    message = decode(app.storage.sent.pop().body)
    body = encode(msgspec.structs.replace(message, reason="because"))
    for _ in range(2):
        await handle_poison_message(CHECK_QUEUE, "m1", wrapped(body))
    assert (await letter(app))["messageId"] == "m1"
    assert body_of(await app.get(answer["id"]))["status"] == "failed"


async def test_a_check_that_ended_well_is_not_failed_by_a_late_poison(app: App) -> None:
    """A duplicate that ends in poison does not take a result away."""
    answer = body_of(await app.post(pair_body("a", "b")))
    body = app.storage.sent[0].body
    await app.work_off()
    await handle_poison_message(CHECK_QUEUE, "m1", wrapped(body))
    assert body_of(await app.get(answer["id"]))["outcome"] == "clear"


async def test_wrong_settings_are_noted_and_left_to_the_queue(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message stays with the queue for a new deployment; the status names the setting."""
    answer = body_of(await app.post(pair_body("a", "b")))
    body = app.storage.sent.pop().body
    install_parts(app.records, admission=app.admission)
    monkeypatch.setenv("ENFORCEMENT", "yes please")
    with pytest.raises(ConfigurationError, match="ENFORCEMENT"):
        await process_message(CHECK_QUEUE, wrapped(body))
    assert "ENFORCEMENT must be" in body_of(await app.get(answer["id"]))["note"]
    assert app.storage.sent == []


async def test_a_lost_row_is_made_again_from_the_message(app: App) -> None:
    """The message carries the whole request, so a check without a row is worked on."""
    check_id = guid("e")
    body = json.dumps({**GOOD, "id": check_id}).encode()
    app.storage.sent.append(SentMessage(CHECK_QUEUE, body, 0))
    await app.work_off()
    assert body_of(await app.get(check_id))["outcome"] == "clear"


async def test_throttling_takes_no_try_from_a_failure(app: App) -> None:
    """A check that was throttled all night is not given up at its first 503."""
    answer = body_of(await app.post(pair_body("a", "b")))
    app.graph.errors += [Throttled("slow down", retry_after=60.0)] * (MAX_ATTEMPTS + 1)
    app.graph.errors.append(Unavailable("503", status=503))
    await app.work_off()
    assert body_of(await app.get(answer["id"]))["outcome"] == "clear"


async def test_a_long_list_of_mistakes_ends_the_check_at_once(app: App) -> None:
    """The reason is cut, so that the message with it still fits its poison queue."""
    app.rules.text = json.dumps(
        {"version": 1, "rules": [{"id": f"r{number}", "between": []} for number in range(900)]}
    )
    answer = body_of(await app.post(pair_body("a", "b")))
    await app.work_off(most=3)
    result = body_of(await app.get(answer["id"]))
    assert result["status"] == "failed"
    assert "rules.yaml:1" in result["coverage"]["skipped"][0]["why"]
    assert len((await letter(app))["reason"]) == MAX_REASON_LENGTH


async def test_a_message_that_fits_no_queue_once_more_is_kept_at_once(app: App) -> None:
    """Raw text may be longer than what base64 leaves room for: no byte of it is lost."""
    check_id = guid("c")
    body = json.dumps({**GOOD, "id": check_id, "more": "?" * MAX_MESSAGE_BYTES}).encode()
    for _ in range(2):
        await process_message(CHECK_QUEUE, body)
    assert app.storage.sent == []
    assert base64.b64decode((await letter(app))["body"]) == body
    assert body_of(await app.get(check_id))["status"] == "failed"
