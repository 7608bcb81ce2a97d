"""What becomes of a queue message: pure decisions, as the real host takes them."""

from dataclasses import dataclass
from datetime import timedelta

from local.host.host_json import Queues

_POISON = "-poison"
_FIRST_PAUSE = timedelta(milliseconds=100)


@dataclass(frozen=True)
class Run:
    """The function is invoked with the message."""


@dataclass(frozen=True)
class Delete:
    """The message is done."""


@dataclass(frozen=True)
class Poison:
    """The message is copied to this queue and deleted."""

    queue: str


@dataclass(frozen=True)
class Release:
    """The message becomes visible again after a while."""

    after: timedelta


@dataclass(frozen=True)
class Leave:
    """The message stays hidden until its hide ends: a poison queue has no poison queue."""


def poison_queue(queue: str) -> str | None:
    """Where messages of a queue go that cannot be processed."""
    return None if queue.endswith(_POISON) else queue + _POISON


def on_arrival(queue: str, dequeue_count: int, options: Queues) -> Run | Poison | Leave:
    """A message fetched once too often is not run again: its host died at the last try."""
    if dequeue_count > options.max_dequeue_count:
        return give_up(queue)
    return Run()


def after_failure(queue: str, dequeue_count: int, options: Queues) -> Release | Poison | Leave:
    """A failed message is tried again until its tries are used up."""
    end = give_up(queue)
    if isinstance(end, Leave) or dequeue_count >= options.max_dequeue_count:
        return end
    return Release(options.visibility_timeout)


def give_up(queue: str) -> Poison | Leave:
    """No more tries, whatever the count: also the end of a message that cannot be decoded."""
    poison = poison_queue(queue)
    return Leave() if poison is None else Poison(poison)


def wants_batch(running: int, options: Queues) -> bool:
    """Whether the next batch is fetched while so many messages are running."""
    return running <= options.threshold


def next_pause(pause: timedelta | None, longest: timedelta) -> timedelta:
    """The wait after an empty fetch: doubled each time, up to the longest."""
    return _FIRST_PAUSE if pause is None else min(pause * 2, longest)
