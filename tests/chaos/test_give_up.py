"""Messages that were tried for too long are such as the app gives up."""

from __future__ import annotations

import msgspec

from entra_sod.core.errors import Unavailable
from entra_sod.core.retry import AttemptCounts, Poison, decide_retry
from entra_sod.domain.detection.cost import Strategy
from entra_sod.domain.messages import (
    POISON_SUFFIX,
    SWEEP_QUEUE,
    Message,
    SweepMessage,
    SweepStartMessage,
    decode,
    decode_base64,
)
from entra_sod.domain.sweeps.parts import Part, SweepPlan
from functions.queues.process import MAX_INTERRUPTIONS
from tests.builders import guid
from tests.chaos.found import Asked, read_letter
from tests.chaos.give_up import asked_by, parts_with, poisoned, work_left, worn_out
from tests.chaos.stored import Planned

A, B, C = guid("a"), guid("b"), guid("c")
PLAN = SweepPlan(
    strategy=Strategy.INDEX,
    why="",
    rules_hash="",
    parts=[
        Part(packages=[A], enforced=[A, C]),
        Part(pairs=[(B, A)]),
        Part(packages=[B], enforced=[A]),
        Part(pairs=[(A, B)], confirms=True),
    ],
)


def planned(*done: int) -> Planned:
    return Planned("sweep-1", msgspec.json.encode(PLAN), frozenset(done))


def kept(message: tuple[str, str]) -> bytes:
    """As a dead letter is kept."""
    return msgspec.json.encode({"queue": SWEEP_QUEUE, "reason": "none", "body": message[1]})


def read(text: str) -> Message:
    return decode(decode_base64(text.encode()))


def test_parts_with_a_package_are_those_that_ask_who_holds_it() -> None:
    """By itself or in a pair; not to confirm what is known, nor to read what it grants."""
    assert [part.part for part in parts_with(planned(), A)] == [0, 1]
    assert [part.part for part in parts_with(planned(), C)] == []


def test_a_part_asks_for_its_packages_and_for_those_of_its_pairs() -> None:
    """Not for those whose grants alone it reads."""
    assert asked_by(planned(), parts_with(planned(), A)) == {A, B}
    assert asked_by(planned(), parts_with(planned(), A)[:1]) == {A}


def test_a_worn_out_message_is_given_up_at_its_next_failure() -> None:
    """It lies on the sweep's own queue, and names the part."""
    queue, text = worn_out(parts_with(planned(), A)[0])
    message = read(text)
    assert queue == SWEEP_QUEUE
    assert isinstance(message, SweepMessage)
    assert message.part == 0
    assert isinstance(
        decide_retry(Unavailable("no answer"), AttemptCounts(failed=message.attempt)), Poison
    )


def test_a_poisoned_message_is_not_tried_again() -> None:
    """It lies where the queue puts what it has delivered for the last time."""
    queue, text = poisoned(parts_with(planned(), A)[0])
    assert queue == SWEEP_QUEUE + POISON_SUFFIX
    assert read(text).interrupted == MAX_INTERRUPTIONS


def test_work_is_left_while_a_part_is_not_done() -> None:
    """That of the start is repeated as long, and none once all parts are done."""
    start, *parts = work_left(planned(0, 2))
    assert isinstance(start, SweepStartMessage)
    assert [part.part for part in parts if isinstance(part, SweepMessage)] == [1, 3]
    assert work_left(planned(0, 1, 2, 3)) == []


def test_a_letter_says_what_its_message_asked_for() -> None:
    """Pairs in order of their ids; those that were only to be confirmed are known without it."""
    letters = [read_letter(kept(poisoned(each)), PLAN) for each in work_left(planned())]
    assert [each.asked for each in letters] == [
        None,
        Asked(part=0, packages=frozenset([A]), enforced=frozenset([A, C])),
        Asked(part=1, pairs=frozenset([(A, B)])),
        Asked(part=2, packages=frozenset([B]), enforced=frozenset([A])),
        Asked(part=3),
    ]
