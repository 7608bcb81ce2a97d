"""Messages of a sweep as they are when they have been tried for too long."""

from __future__ import annotations

import base64
from collections.abc import Collection, Sequence

import msgspec

from entra_sod.core.retry import MAX_ATTEMPTS
from entra_sod.domain.messages import (
    POISON_SUFFIX,
    SWEEP_QUEUE,
    VERSION,
    SweepMessage,
    SweepStartMessage,
    encode,
)
from entra_sod.domain.sweeps.parts import Part, SweepPlan
from functions.queues.process import MAX_INTERRUPTIONS
from tests.chaos.stored import Message, Planned

type Work = SweepMessage | SweepStartMessage

_plans = msgspec.json.Decoder(SweepPlan)


def parts_with(planned: Planned, package: str) -> Sequence[SweepMessage]:
    """The messages of all parts that ask who holds a package."""
    parts = enumerate(_plans.decode(planned.plan).parts)
    return [
        _message(planned.sweep_id, number)
        for number, part in parts
        if package in _asked(part) and not part.confirms
    ]


def work_left(planned: Planned) -> Sequence[Work]:
    """The message that started a sweep, and those of its parts that are not done."""
    start = SweepStartMessage(version=VERSION, id=planned.sweep_id, traceparent="", enqueued_at="")
    numbers = range(len(_plans.decode(planned.plan).parts))
    left = [_message(planned.sweep_id, each) for each in numbers if each not in planned.done]
    return [start, *left] if left else []


def asked_by(planned: Planned, work: Collection[SweepMessage]) -> set[str]:
    """The packages that these parts ask for."""
    parts = _plans.decode(planned.plan).parts
    return {each for message in work for each in _asked(parts[message.part])}


def _asked(part: Part) -> Collection[str]:
    return {*part.packages, *(each for pair in part.pairs for each in pair)}


def _message(sweep_id: str, number: int) -> SweepMessage:
    return SweepMessage(version=VERSION, id=sweep_id, traceparent="", enqueued_at="", part=number)


def worn_out(work: Work) -> Message:
    """As it comes to a worker for the last time: the next failure is its end."""
    return SWEEP_QUEUE, _text(msgspec.structs.replace(work, attempt=MAX_ATTEMPTS))


def poisoned(work: Work) -> Message:
    """As the queue puts it aside, after all deliveries that it gets while its workers die."""
    body = msgspec.structs.replace(work, interrupted=MAX_INTERRUPTIONS)
    return SWEEP_QUEUE + POISON_SUFFIX, _text(body)


def _text(work: Work) -> str:
    return base64.b64encode(encode(work)).decode()
