"""Waiting while Graph is busy, and writing that goes on after it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from entra_sod.cli.patience import MAX_CONCURRENT_WRITES, Patience, write_all
from entra_sod.core.errors import (
    Forbidden,
    NoToken,
    NotYetConsistent,
    SodError,
    StorageUnavailable,
    Throttled,
    Unavailable,
)
from entra_sod.core.parallel import in_parallel
from local.memory.clock import ManualClock

BUSY = Throttled("slow down", retry_after=12.0)


class Waiting:
    """Patience on a clock of its own, and what it tells."""

    def __init__(self, seconds: float = 1800) -> None:
        self.clock, self.told = ManualClock(), list[str]()
        self.patience = Patience(self.clock, seconds, self.told.append)


@pytest.fixture
def waiting() -> Waiting:
    return Waiting()


@pytest.mark.parametrize("error", [NotYetConsistent("not yet"), StorageUnavailable("503")])
async def test_the_first_error_of_several_is_the_error(error: SodError) -> None:
    """Whatever went wrong has its own words, not those of a group of errors."""

    async def fail(_: int) -> None:
        raise error

    with pytest.raises(type(error)):
        await in_parallel(fail, [1, 2])
    outcome = await write_all(fail, [1, 2], Waiting(0).patience, str)
    assert outcome.error is error


async def test_what_was_begun_is_finished_and_nothing_else_is_begun() -> None:
    """The first write fails; the seven beside it end, the others wait for another run."""
    ended: list[int] = []

    async def write(number: int) -> None:
        await asyncio.sleep(0)  # until all that may begin have begun
        if number == 0:
            raise BUSY
        ended.append(number)

    outcome = await write_all(write, range(100), Waiting(0).patience, str)
    assert outcome.error is BUSY
    assert ended == [*range(1, MAX_CONCURRENT_WRITES)]
    assert (outcome.doubtful, len(outcome.left)) == ([0], 100 - MAX_CONCURRENT_WRITES)


async def test_writing_goes_on_after_a_wait(waiting: Waiting) -> None:
    """Graph says 12 seconds: they are waited, told, and everything is written once."""
    done: list[int] = []

    async def write(number: int) -> None:
        if len(done) == 5 and not waiting.clock.slept:
            raise BUSY
        done.append(number)

    outcome = await write_all(
        write, range(60), waiting.patience, lambda: f"{len(done)} of 60 written"
    )
    assert (outcome.error, outcome.doubtful, outcome.left) == (None, [], [])
    assert sorted(done) == [*range(60)]
    assert waiting.clock.slept == [12.0]
    assert waiting.told == ["waiting 12 s: Graph is busy; 5 of 60 written"]


@pytest.mark.parametrize(
    ("errors", "seconds"),
    [
        ([BUSY, Throttled("longer", retry_after=40.0)], 40.0),
        ([Throttled("soon", retry_after=0.0)], 1.0),
        ([Throttled("whenever", retry_after=None)], 5.0),
        ([Unavailable("503", status=503)], 5.0),
        ([NotYetConsistent("not listed yet")], 5.0),
    ],
)
async def test_a_wait_is_as_long_as_graph_says(
    waiting: Waiting, errors: Sequence[SodError], seconds: float
) -> None:
    """The longest of several; five seconds if it does not say."""
    assert await waiting.patience.wait(errors, "")
    assert waiting.clock.slept == [seconds]


async def test_waits_grow_while_nothing_is_done(waiting: Waiting) -> None:
    """Each try that brings nothing doubles the next wait; what was done starts it again."""
    for _ in range(3):
        await waiting.patience.wait([Unavailable("503", status=503)], "")
    waiting.patience.start_again()
    await waiting.patience.wait([Unavailable("503", status=503)], "")
    assert waiting.clock.slept == [5.0, 10.0, 20.0, 5.0]


@pytest.mark.parametrize(
    "error", [Forbidden("no", status=403), NoToken("none"), StorageUnavailable("403")]
)
async def test_what_waiting_does_not_mend_is_not_waited_for(
    waiting: Waiting, error: SodError
) -> None:
    """A refusal stays one, also beside a busy Graph."""
    assert not await waiting.patience.wait([BUSY, error], "")
    assert waiting.clock.slept == []


async def test_patience_ends() -> None:
    """Twice 12 seconds are within half a minute, three times are not: it ends without waiting."""
    waiting = Waiting(30)
    assert [await waiting.patience.wait([BUSY], "") for _ in range(3)] == [True, True, False]
    assert waiting.clock.slept == [12.0, 12.0]


async def test_a_refusal_is_the_error_of_several(waiting: Waiting) -> None:
    """What waiting does not mend says more than that Graph is busy."""
    refusal = Forbidden("no role", status=403)

    async def write(number: int) -> None:
        await asyncio.sleep(0)  # until both have begun
        raise refusal if number else BUSY

    outcome = await write_all(write, [0, 1], waiting.patience, str)
    assert outcome.error is refusal


async def test_what_was_begun_in_an_earlier_try_stays_in_doubt(waiting: Waiting) -> None:
    """It may have been written, though the last try did not come to it."""

    async def write(_: int) -> None:
        waiting.patience.stop.set()
        raise BUSY

    async def sleep(_: float) -> None:
        waiting.patience.stop.set()

    waiting.clock.sleep = sleep  # type: ignore[method-assign,assignment]
    outcome = await write_all(write, [*range(20)], waiting.patience, str)
    assert outcome.doubtful
    assert len(outcome.doubtful) + len(outcome.left) == 20


async def test_a_wait_ends_when_a_person_stops_it(waiting: Waiting) -> None:
    """An hour of waiting is over at once."""
    never = asyncio.Event()

    async def sleep(_: float) -> None:
        await never.wait()

    waiting.clock.sleep = sleep  # type: ignore[method-assign,assignment]
    task = asyncio.ensure_future(waiting.patience.wait([BUSY], ""))
    await asyncio.sleep(0)
    waiting.patience.stop.set()
    assert await asyncio.wait_for(task, 5) is False


async def test_a_graph_that_does_not_answer_at_all_is_not_waited_for_to_be_read(
    waiting: Waiting,
) -> None:
    """Nothing was begun yet, and an address may be wrong."""

    async def read() -> str:
        raise Unavailable("No answer from Graph")

    with pytest.raises(Unavailable):
        await waiting.patience.read(read, "reading the tenant")
    assert waiting.clock.slept == []


async def test_reading_is_done_again_after_a_wait(waiting: Waiting) -> None:
    """Twice throttled, then read; what waiting does not mend is raised at once."""
    answers = iter([BUSY, BUSY])

    async def read() -> str:
        for error in answers:
            raise error
        return "read"

    assert await waiting.patience.read(read, "reading the tenant") == "read"
    assert waiting.told == ["waiting 12 s: Graph is busy; reading the tenant"] * 2
