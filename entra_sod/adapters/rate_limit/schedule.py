"""When how many requests may go to Graph, whichever instance sends them. Pure.

Graph counts in a sliding window. So the schedule remembers what was given away in the last one:
each lease lets its holder send some requests between two moments. A new lease starts when the
window behind it has room, counting every earlier lease as if it were used at its last moment, and
so have those of the leases that start later: it may go before them.
Instances send at other moments than they planned, so a lease is replaced, once it is over, by what
was really sent.

Moments are seconds since the epoch.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import msgspec

from entra_sod.adapters.rate_limit.slots import Places, believed
from entra_sod.ports.rate_limit import Urgency

RATE_SECONDS = 10.0  # what a rate is counted in
WINDOW = 10.1  # Graph's window, and room for requests that travel unevenly
GRACE = 1.0  # how long after its start a lease may still be used, by a process that was held up
SENT_GRACE = 0.1  # until when what was sent has arrived
CHUNK_SECONDS = 2.0  # what instances with background work take at once, all together
LINE_SECONDS = 2.5  # how far ahead it is taken: an interactive request queues behind
AHEAD = 0.5  # at least, where one batch fills the line
INTERACTIVE_GRACE = 2.0
INTERACTIVE_REQUESTS = 8  # a check makes about seven requests, one after the other
CATCH_UP = 1.0  # how much pace that was missed may be made up for

EPISODE = 10.0  # 429s that belong together
CUT = 0.8
RAISE = 0.05  # of the ceiling, for each 10 s without a 429
LOWEST = 0.05  # of the ceiling
FIRST_PAUSE = 2.0  # where Graph does not say how long; doubled as long as it goes on
LONGEST_PAUSE = 60.0

FARTHEST_LEASE = 120.0  # what is further ahead was planned by a clock that is wrong
FARTHEST_BLOCK = 86_400.0
MOST_LEASES = 400


class Lease(msgspec.Struct, frozen=True, array_like=True):
    """So many requests may be sent from `start` to `end`; what was sent has no `key`."""

    key: str
    start: float
    end: float
    requests: int


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """The state that all instances share.

    Attributes:
        rate: requests per 10 s that Graph takes now, as far as we know.
        ceiling: the setting under which that was noted.
        paced_until: up to here the rate is used up, for those who keep an even pace.
        blocked_until: Graph asked for silence up to here.
        pause: how long the last silence was that we chose ourselves.
        slowed_at: when the rate was last cut.
        raised_at: up to here time without 429s has been rewarded.
        leases: by their starts.
        places: how many parts of sweeps each instance works on.
    """

    rate: Annotated[float, msgspec.Meta(gt=0)]
    ceiling: Annotated[int, msgspec.Meta(gt=0)]
    paced_until: float = 0.0
    blocked_until: float = 0.0
    pause: float = 0.0
    slowed_at: float = 0.0
    raised_at: float = 0.0
    leases: tuple[Lease, ...] = ()
    places: Places = ()

    @property
    def block(self) -> Block:
        return Block(self.slowed_at, self.blocked_until)


@dataclass(frozen=True, slots=True)
class Block:
    """Graph asked for silence: when that was noted, and until when."""

    noted_at: float
    until: float

    def believed_until(self, now: float) -> float:
        """Until when to be silent; what a time to come has noted, a wrong clock has noted."""
        is_ahead = self.noted_at > now + EPISODE + 1
        return now if is_ahead else _unless_absurd(self.until, now, FARTHEST_BLOCK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants to send.

    Attributes:
        requests: to be sent at the same moment, if there is room.
        most: how many to take at once, if there are more to come.
        known: how many of them somebody waits for, or will soon.
    """

    key: str
    requests: int
    most: int
    known: int
    urgency: Urgency

    @property
    def least(self) -> int:
        """What there has to be room for, at least: less would make small batches of large ones."""
        return max(1, min(self.known, self.requests))


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing now; ask again at this moment."""

    until: float


def fresh(ceiling: int, now: float) -> Schedule:
    return Schedule(rate=ceiling, ceiling=ceiling, raised_at=now)


def refreshed(schedule: Schedule, now: float, ceiling: int) -> Schedule:
    """The schedule at this moment: what is past forgotten, recovered, less what is absurd."""
    steps = max(0.0, now - schedule.raised_at) // RATE_SECONDS
    kept = [
        lease
        for lease in schedule.leases
        if lease.end + WINDOW > now and lease.start <= now + FARTHEST_LEASE
    ]
    return msgspec.structs.replace(
        schedule,
        rate=min(ceiling, schedule.rate * ceiling / schedule.ceiling + steps * RAISE * ceiling),
        ceiling=ceiling,
        raised_at=_unless_absurd(schedule.raised_at, now, FARTHEST_BLOCK) + steps * RATE_SECONDS,
        slowed_at=_unless_absurd(schedule.slowed_at, now, EPISODE),
        paced_until=_unless_absurd(schedule.paced_until, now, FARTHEST_LEASE),
        blocked_until=schedule.block.believed_until(now),
        leases=_few(_by_start(kept)),
        places=believed(schedule.places, now),
    )


def _unless_absurd(moment: float, now: float, farthest: float) -> float:
    return moment if moment <= now + farthest + 1 else now


def _few(leases: tuple[Lease, ...]) -> tuple[Lease, ...]:
    """Join neighbours until the schedule fits a row; a joined lease counts for longer."""
    while len(leases) > MOST_LEASES:
        pairs = zip(leases[::2], [*leases[1::2], None], strict=False)
        leases = tuple(
            first if second is None else _joined(first, second) for first, second in pairs
        )
    return leases


def _joined(first: Lease, second: Lease) -> Lease:
    requests = first.requests + second.requests
    return Lease("", first.start, max(first.end, second.end), requests)


def settled(schedule: Schedule, keys: Collection[str], sent: Collection[Lease]) -> Schedule:
    """Put what was really sent in the place of leases that are over; the rest is there again."""
    others = [lease for lease in schedule.leases if lease.key not in keys]
    given = [lease for lease in schedule.leases if lease.key in keys]
    unsent = max(0, _requests(given) - _requests(sent))
    return msgspec.structs.replace(
        schedule,
        paced_until=schedule.paced_until - _seconds_of(schedule, unsent),
        leases=_by_start((*others, *sent)),
    )


def _requests(leases: Iterable[Lease]) -> int:
    return sum(lease.requests for lease in leases)


def _seconds_of(schedule: Schedule, requests: int) -> float:
    """How much of an even pace so many requests are."""
    return requests * RATE_SECONDS / schedule.rate


def _by_start(leases: Iterable[Lease]) -> tuple[Lease, ...]:
    return tuple(sorted(leases, key=lambda lease: lease.start))


def reserve(
    schedule: Schedule, now: float, wish: Wish
) -> tuple[Schedule, tuple[Lease, ...] | Wait]:
    """Give turns away, from a schedule that was refreshed.

    Interactive work goes as soon as there is room, whatever the pace. Background work keeps an
    even pace, and takes only what is due soon: of a line that is always as long, each instance
    that works on parts takes its share.
    """
    if wish.urgency is Urgency.INTERACTIVE:
        most = max(wish.requests, wish.most)
        start = _earliest(schedule, now, most)
        lease = Lease(wish.key, start, start + INTERACTIVE_GRACE, most)
        return _with(schedule, now, lease), (lease,)
    wish = _cut(schedule, wish)
    start, ahead = _paced(schedule, now, wish.least), _ahead(schedule, wish.requests)
    if start > now + ahead:
        return schedule, Wait(start - ahead)
    return _chunk(schedule, now, start, wish)


def _cut(schedule: Schedule, wish: Wish) -> Wish:
    """Take no more than is known to be wanted where others stand in line behind what is left."""
    if len(schedule.places) <= 1:
        return wish
    half_a_share = int(_share_seconds(schedule) / 2 * schedule.rate / RATE_SECONDS)
    most = min(wish.most, max(wish.known, half_a_share))
    return replace(wish, most=most, requests=min(wish.requests, most))


def _share_seconds(schedule: Schedule) -> float:
    """What one instance takes at once: several come as often as one alone would."""
    return CHUNK_SECONDS / max(1, len(schedule.places))


def _ahead(schedule: Schedule, requests: int) -> float:
    """How far ahead turns may begin: the line is as long however many stand in it."""
    taken = max(_share_seconds(schedule), _seconds_of(schedule, requests))
    return max(AHEAD, LINE_SECONDS - taken)


def _chunk(
    schedule: Schedule, now: float, start: float, wish: Wish
) -> tuple[Schedule, tuple[Lease, ...]]:
    leases: list[Lease] = []
    left, latest = wish.most, start + _share_seconds(schedule)
    while left > 0 and (start < latest or not leases):
        requests = min(wish.requests, left, max(wish.least, _room(schedule, start)))
        lease = Lease(f"{wish.key}.{len(leases)}", start, start + GRACE, requests)
        leases.append(lease)
        left -= requests
        schedule = _with(schedule, now, lease)
        start = _paced(schedule, start, wish.least)
    return schedule, tuple(leases)


def _paced(schedule: Schedule, now: float, requests: int) -> float:
    return _earliest(schedule, max(now, schedule.paced_until), requests)


def _earliest(schedule: Schedule, now: float, requests: int) -> float:
    """The first moment whose window has room for so many requests, and each later lease's, too.

    It is no later than the next lease's start: that one's window has room, and counts more.
    """
    start = max(now, schedule.blocked_until, _last_full(schedule, requests))
    counted = sorted(
        (lease for lease in schedule.leases if lease.start <= start < lease.end + WINDOW),
        key=lambda lease: lease.end,
    )
    load = _requests(counted)
    for lease in counted:
        if load + requests <= schedule.rate:
            break
        load -= lease.requests
        start = lease.end + WINDOW
    return start


def _last_full(schedule: Schedule, requests: int) -> float:
    """The start of the last lease whose window has no room for so many requests more."""
    loads = zip(schedule.leases, _loads(schedule.leases), strict=True)
    full = [lease.start for lease, load in loads if load + requests > schedule.rate]
    return max(full, default=0.0)


def _room(schedule: Schedule, start: float) -> int:
    """How many requests this moment's window has room for, and each later lease's, too."""
    begun = sum(lease.start <= start for lease in schedule.leases)
    looked_at = Lease("", start, start, 0)
    leases = (*schedule.leases[:begun], looked_at, *schedule.leases[begun:])
    return int(schedule.rate - max(_loads(leases)[begun:]))


def _loads(leases: Sequence[Lease]) -> list[int]:
    """How many requests the window that ends with each lease's start may hold, its own included."""
    loads, load = list[int](), 0
    ends = deque(sorted(leases, key=lambda lease: lease.end))
    for lease in leases:
        load += lease.requests
        while ends[0].end + WINDOW <= lease.start:
            load -= ends.popleft().requests
        loads.append(load)
    return loads


def _with(schedule: Schedule, now: float, lease: Lease) -> Schedule:
    """Who waits for a window is not idle: what counts as missed ends with the moment of asking."""
    paced_until = max(schedule.paced_until, now - CATCH_UP)
    return msgspec.structs.replace(
        schedule,
        paced_until=paced_until + _seconds_of(schedule, lease.requests),
        leases=_by_start((*schedule.leases, lease)),
    )


def slow_down(schedule: Schedule, now: float, retry_after: float | None) -> Schedule:
    """Take a 429 into account.

    Args:
        schedule: as it is.
        now: the moment of the answer.
        retry_after: seconds, as Graph said, or None where it did not say.
    """
    schedule = _paused(schedule, now, retry_after)
    calm_from = max(now, schedule.blocked_until)
    if now < schedule.slowed_at + EPISODE:
        return msgspec.structs.replace(schedule, raised_at=calm_from)
    rate = max(schedule.rate * CUT, schedule.ceiling * LOWEST, 1.0)
    return msgspec.structs.replace(schedule, rate=rate, slowed_at=now, raised_at=calm_from)


def _paused(schedule: Schedule, now: float, retry_after: float | None) -> Schedule:
    if retry_after is not None:
        until = now + min(retry_after, FARTHEST_BLOCK)
        blocked_until = max(schedule.blocked_until, until)
        return msgspec.structs.replace(schedule, blocked_until=blocked_until)
    if now < schedule.blocked_until:  # one storm: its other 429s
        return schedule
    goes_on = now < schedule.blocked_until + EPISODE
    pause = min(2 * schedule.pause, LONGEST_PAUSE) if goes_on else FIRST_PAUSE
    pause = max(pause, FIRST_PAUSE)
    return msgspec.structs.replace(schedule, pause=pause, blocked_until=now + pause)
