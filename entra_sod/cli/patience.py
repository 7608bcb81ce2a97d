"""Waits for what passes by itself: a busy Graph, or a write that it does not show yet."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from entra_sod.core.clock import Clock
from entra_sod.core.errors import NoToken, NotYetConsistent, SodError, Throttled, Unavailable
from entra_sod.core.retry import backoff

MAX_CONCURRENT_WRITES = 8
MIN_WAIT_SECONDS = 1.0


@dataclass(slots=True)
class Patience:
    """How long a command waits, in all, before it ends with what it has done.

    Attributes:
        clock: to wait by.
        seconds: that may be waited, in all.
        tell: takes a line about each wait.
        stop: set when a person wants the command to end.
        waited: so far.
    """

    clock: Clock
    seconds: float
    tell: Callable[[str], None]
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    waited: float = 0.0
    _tries: int = 0

    async def wait(self, errors: Sequence[SodError], progress: str) -> bool:
        """Wait until it is worth trying again. False if it is not, or if that takes too long.

        Args:
            errors: that ended the last try.
            progress: how far the command is, for the line that is told.
        """
        if self.stop.is_set() or not all(map(is_passing, errors)):
            return False
        seconds = max(_seconds(each, self._tries) for each in errors)
        if self.waited + seconds > self.seconds:
            return False
        self._tries += 1
        self.waited += seconds
        self.tell(f"waiting {seconds:.0f} s: {_reason(errors)}; {progress}")
        await self._sleep(seconds)
        return not self.stop.is_set()

    def start_again(self) -> None:
        """Note that something was done, so that the next wait is a short one."""
        self._tries = 0

    async def read[T](self, read: Callable[[], Awaitable[T]], progress: str) -> T:
        """Read, and read again after each wait. A Graph that does not answer at all is an error."""
        while True:
            try:
                return await read()
            except SodError as error:
                is_silent = isinstance(error, Unavailable) and error.status is None
                if is_silent or not await self.wait([error], progress):
                    raise

    async def _sleep(self, seconds: float) -> None:
        tasks = [
            asyncio.ensure_future(self.clock.sleep(seconds)),
            asyncio.ensure_future(self.stop.wait()),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()


def is_passing(error: SodError) -> bool:
    """Whether waiting may mend an error."""
    kinds = (Throttled, Unavailable, NotYetConsistent)
    return isinstance(error, kinds) and not isinstance(error, NoToken)


def _seconds(error: SodError, tries: int) -> float:
    """As long as Graph says; with each try longer where it does not say."""
    asked = error.retry_after if isinstance(error, Throttled) else None
    return backoff(tries) if asked is None else max(MIN_WAIT_SECONDS, asked)


def _reason(errors: Sequence[SodError]) -> str:
    if any(isinstance(each, Throttled) for each in errors):
        return "Graph is busy"
    return str(errors[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOutcome[T]:
    """How far writing came.

    Attributes:
        doubtful: were begun and ended with an error: they may have been written.
        left: were not begun.
        error: that ended it, if one did.
    """

    doubtful: Sequence[T]
    left: Sequence[T]
    error: SodError | None


async def write_all[T](
    write: Callable[[T], Awaitable[None]],
    items: Sequence[T],
    patience: Patience,
    progress: Callable[[], str],
) -> WriteOutcome[T]:
    """Await writing for each item, at most eight at a time, and wait while Graph is busy.

    After an error nothing is begun any more, and what was begun is finished. If waiting may mend
    the error, what is left is gone on with after a wait.
    """
    begun = set[int]()
    while True:
        ended = await _until_error(write, items, patience.stop)
        begun |= {id(item) for item, _ in ended.failed}
        left = [*(item for item, _ in ended.failed), *ended.left]
        if len(left) < len(items):
            patience.start_again()
        errors = [error for _, error in ended.failed]
        if not errors or not await patience.wait(errors, progress()):
            break
        items = left
    serious = [each for each in errors if not is_passing(each)]
    return WriteOutcome(
        doubtful=[item for item in left if id(item) in begun],
        left=[item for item in left if id(item) not in begun],
        error=next(iter((*serious, *errors)), None),
    )


@dataclass(frozen=True, slots=True)
class _Try[T]:
    failed: Sequence[tuple[T, SodError]]
    left: Sequence[T]


async def _until_error[T](
    write: Callable[[T], Awaitable[None]], items: Sequence[T], stop: asyncio.Event
) -> _Try[T]:
    waiting, failed = iter(items), list[tuple[T, SodError]]()

    async def work_off() -> None:
        while not (failed or stop.is_set()) and (item := next(waiting, None)) is not None:
            try:
                await write(item)
            except SodError as error:
                failed.append((item, error))

    async with asyncio.TaskGroup() as group:
        for _ in range(MAX_CONCURRENT_WRITES):
            group.create_task(work_off())
    return _Try(failed, list(waiting))


@contextmanager
def stopped_by_interrupt(stop: asyncio.Event) -> Iterator[None]:
    """Set an event at the first Ctrl-C, so that what was begun is finished; the second ends all."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()

    def note(*_: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        loop.call_soon_threadsafe(stop.set)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
