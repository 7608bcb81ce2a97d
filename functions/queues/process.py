"""Processes one queue message, from its bytes to its end; the queue functions call only this.

Every failure is handled: a wait becomes a delayed copy of the message, and a permanent failure
goes to the poison queue with its reason. Any other error is raised, so that the queue delivers the
message again, and moves it to the poison queue after the fifth time.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import assert_never

import msgspec
from opentelemetry import context
from opentelemetry.propagate import extract

from entra_sod import bootstrap
from entra_sod.bootstrap.make_records import Records
from entra_sod.core import telemetry
from entra_sod.core.errors import (
    ConcurrencyLimited,
    InvalidMessage,
    NotYetConsistent,
    SodError,
    StorageUnavailable,
    Throttled,
)
from entra_sod.core.request_meter import Meter
from entra_sod.core.retry import AttemptCounts, Poison, Retry, decide_retry
from entra_sod.domain.messages import (
    CHECK_QUEUE,
    MAX_MESSAGE_BYTES,
    POISON_SUFFIX,
    CheckMessage,
    DeliveryMessage,
    Message,
    SweepMessage,
    SweepStartMessage,
    check_id_of,
    decode,
    decode_base64,
)
from entra_sod.services.checks.run import record_check_failure
from entra_sod.services.sweeps.part_counts import request_counts
from entra_sod.services.sweeps.progress import add
from entra_sod.stores.ledger import Ledger

log = logging.getLogger("entra_sod")

NO_REASON = "the worker died again and again without saying why; see the log of the app"
MAX_INTERRUPTIONS = 3
MAX_REASON_LENGTH = 8_000  # of a rules file with many mistakes; a message has 48 KiB
PLANNING_PART = -1  # the number under which notes on a sweep's planning are kept


async def process_message(queue: str, text: bytes) -> None:
    """Work on one message of a queue, as it lies there.

    Raises:
        Exception: the queue is to deliver the message again.
    """
    records = bootstrap.app.records
    try:
        message = _expected(queue, decode_base64(text))
    except InvalidMessage as error:
        await _poison(records, queue, _decoded_if_possible(text), str(error))
        return
    telemetry.record_queue_age(queue, message.enqueued_at, records.clock.now())
    try:
        with _traced(message):
            await records.verifier.verify(message)
            await _run(message)
    except SodError as error:
        await _retry_or_poison(records, message, error)
    except Exception as error:
        await _record_note(records, message, f"{type(error).__name__}: {error}")
        raise


async def _poison(records: Records, queue: str, body: bytes, reason: str) -> None:
    """Leave the poison function to say why and to keep it, unless no queue takes it once more."""
    if len(body) <= MAX_MESSAGE_BYTES:
        await records.storage.queues.send(queue + POISON_SUFFIX, body)
    else:
        await _store_unreadable(records, queue, hashlib.sha256(body).hexdigest(), body, reason)


async def _store_unreadable(
    records: Records, queue: str, message_id: str, body: bytes, reason: str
) -> None:
    """Store a message that cannot be decoded, and end the check that it names."""
    await records.dead_letters.store(queue=queue, message_id=message_id, body=body, reason=reason)
    if queue == CHECK_QUEUE and (check_id := check_id_of(body)):
        await _fail_check(records, check_id, reason, None)
        await records.announcer.announce_check(check_id, traceparent="")


def _decoded_if_possible(text: bytes) -> bytes:
    try:
        return decode_base64(text)
    except InvalidMessage:
        return text


def _expected(queue: str, body: bytes) -> Message:
    message = decode(body)
    if message.queue != queue:
        raise InvalidMessage(f"a message for {message.queue} does not belong on {queue}")
    return message


@contextmanager
def _traced(message: Message) -> Iterator[None]:
    """Continue the caller's trace, which storage queues do not carry."""
    token = context.attach(extract({"traceparent": message.traceparent}))
    try:
        yield
    finally:
        context.detach(token)


async def _run(message: Message) -> None:
    engine = bootstrap.app.engine
    match message:
        case CheckMessage():
            await engine.check_runner.run(message, await engine.rules.current())
        case SweepStartMessage():
            await engine.sweep_runner.start(message)
        case SweepMessage():
            await engine.sweep_runner.run(message)
        case DeliveryMessage():
            await engine.deliverer.deliver(message)
        case _:
            assert_never(message)


async def _retry_or_poison(records: Records, message: Message, error: SodError) -> None:
    match decide_retry(error, AttemptCounts(message.attempt, message.throttled)):
        case Retry() as retry:
            await _send_retry(records, message, retry)
            await _report_wait(records, message, error, retry.after_seconds)
        case Poison(reason=reason):
            await records.outbox.give_up(message, reason[:MAX_REASON_LENGTH])
        case None:
            await _record_note(records, message, str(error))
            raise error


async def _send_retry(records: Records, message: Message, retry: Retry) -> None:
    again = msgspec.structs.replace(
        message, attempt=retry.attempts.failed, throttled=retry.attempts.throttled
    )
    await records.outbox.send(again, delay_seconds=retry.after_seconds)


async def _report_wait(records: Records, message: Message, error: SodError, seconds: float) -> None:
    """Log why a message waits, and count the time that it waits for Graph."""
    if isinstance(error, ConcurrencyLimited):  # frequent, and no operator has to act
        log.info(
            "%s waits %.0f s: %s",
            message.id,
            seconds,
            error,
            extra={"action": "turn_awaited", "work_id": message.id},
        )
        return
    if isinstance(error, Throttled):
        telemetry.count_throttled(seconds)
        if isinstance(message, SweepMessage):
            await _add_wait(records, message, seconds)
    await _record_note(records, message, f"waits {seconds:.0f} s: {error}")


async def _add_wait(records: Records, message: SweepMessage, seconds: float) -> None:
    """Add a wait to the cost of a part's tries. An error here never stops the work, either."""
    waited = request_counts(Meter(throttled_seconds=seconds))
    try:
        tried = await records.sweeps.attempt_costs(message.id, message.part)
        await records.sweeps.store_attempt_costs(message.id, message.part, add(tried, waited))
    except StorageUnavailable:
        log.warning("no note on %s", message.id, extra={"action": "note_not_kept"})


async def _record_note(records: Records, message: Message, why: str) -> None:
    """Say in the status why the work is not done. An error here never stops the work."""
    log.warning(
        "%s of %s is not done: %s",
        type(message).__name__,
        message.id,
        why,
        extra={"action": "work_deferred", "work_id": message.id, "attempt": message.attempt},
    )
    try:
        match message:
            case CheckMessage():
                await records.checks.record_note(message.id, why)
            case SweepMessage():
                await records.sweeps.record_part_note(message.id, message.part, why)
            case SweepStartMessage():
                await records.sweeps.record_part_note(message.id, PLANNING_PART, why)
            case DeliveryMessage():
                return  # the work has ended, and its row has no field for notifications
    except (StorageUnavailable, LookupError):
        log.warning("no note on %s", message.id, extra={"action": "note_not_kept"})


async def handle_poison_message(queue: str, message_id: str, text: bytes) -> None:
    """Take a message off a poison queue: keep it, and end what it worked for as failed.

    Raises:
        Exception: the queue is to deliver the message again.
    """
    records, body = bootstrap.app.records, _decoded_if_possible(text)
    try:
        message = _expected(queue, body)
    except InvalidMessage as error:
        await _store_unreadable(records, queue, message_id, body, str(error))
        return
    try:
        await records.verifier.verify(message)
    except (InvalidMessage, NotYetConsistent) as error:
        await records.dead_letters.store(
            queue=queue, message_id=message_id, body=body, reason=str(error)
        )
        return
    reason = message.reason or await _last_note(records, message)
    if not reason and message.interrupted < MAX_INTERRUPTIONS:
        await _send_interrupted_again(records, message)
        return
    reason = reason or NO_REASON
    await records.dead_letters.store(queue=queue, message_id=message_id, body=body, reason=reason)
    match message:
        case CheckMessage():
            await _fail_check(records, message.id, reason, message)
            await records.announcer.announce_check(message.id, traceparent=message.traceparent)
        case SweepMessage() | SweepStartMessage():
            await bootstrap.app.engine.sweep_runner.end_poisoned(message, reason)
        case DeliveryMessage():
            return  # the letter is all there is to do: the work itself has ended


async def _fail_check(
    records: Records, check_id: str, reason: str, message: CheckMessage | None
) -> None:
    now = records.clock.now()
    ledger = Ledger(records.storage, records.clock)
    await record_check_failure(
        records.checks,
        records.chain,
        ledger,
        records.announcer,
        check_id,
        reason=reason,
        at=now,
        message=message,
    )


async def _send_interrupted_again(records: Records, message: Message) -> None:
    """Work that never failed, but whose worker died each time, gets another five deliveries."""
    again = msgspec.structs.replace(message, interrupted=message.interrupted + 1)
    await records.outbox.send(again)
    log.warning(
        "%s was interrupted five times and is tried again",
        message.id,
        extra={"action": "work_interrupted", "work_id": message.id},
    )


async def _last_note(records: Records, message: Message) -> str:
    match message:
        case CheckMessage():
            record = await records.checks.get(message.id)
            return record.note if record else ""
        case SweepMessage():
            return await records.sweeps.part_note(message.id, message.part)
        case SweepStartMessage():
            return await records.sweeps.part_note(message.id, PLANNING_PART)
        case DeliveryMessage():
            return ""
