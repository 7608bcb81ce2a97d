"""One rate for all instances: turns are taken from a schedule in a table that all of them share.

An instance comes for turns about every two seconds at any rate, and takes its share of those that
are given away ahead: what it cannot use, others would wait behind. What it takes for a check its
sweep leaves alone; a check uses what was taken for the sweep, once that is due.

Without storage nobody knows what the others send. Then no turn is given, and `Unavailable` says so:
the message comes back later, as it does when Graph is away. A 429 is kept in mind all the same.

Work of a sweep that is begun waits for its turns however long that takes: what it has read would be
lost. So that this is never long, only some parts are begun at once (`slots`).
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from datetime import datetime
from uuid import uuid4

import msgspec

from entra_sod.adapters.rate_limit.leases import Account, Wallet
from entra_sod.adapters.rate_limit.local import MOST_IN_BATCH, wait_out_block
from entra_sod.adapters.rate_limit.schedule import (
    AHEAD,
    INTERACTIVE_REQUESTS,
    Block,
    Lease,
    Schedule,
    Wait,
    Wish,
    fresh,
    refreshed,
    reserve,
    settled,
    slow_down,
)
from entra_sod.adapters.rate_limit.slots import fits, is_due, parts_of, with_busy
from entra_sod.core.clock import Clock
from entra_sod.core.errors import Crowded, StorageUnavailable, Unavailable
from entra_sod.ports.rate_limit import Urgency, current_urgency
from entra_sod.ports.storage import Row, Table

log = logging.getLogger("entra_sod")

PARTITION, KEY = "graph", "schedule"
# A sweep's work only gives up before the host would end it, and all else in its process.
LONGEST_QUEUE = {Urgency.INTERACTIVE: 60.0, Urgency.BACKGROUND: 900.0}
PATIENCE = 20.0  # seconds that a part waits for a place
COME_BACK = 5.0  # seconds, after a queue that was too long
COME_BACK_SPREAD = 10.0  # so that not all come back at once
_PARTS = 5  # of a rate that may be taken at once: two seconds of ten
_BATCHES = 5  # at least, of which a rate is made up: a check waits for one of them
_LOOKS_APART = 1.5  # seconds at least
_MOST_ATTEMPTS = 8
_SPREAD = 0.7 * AHEAD  # seconds over which those who wait ask again
_decoder = msgspec.json.Decoder(Schedule)


class SharedGate:
    """A `Gate` that keeps the app's instances together under one ceiling.

    Args:
        table: where the schedule lies, in one row.
        clock: whose time the instances share, to a few tenths of a second.
        ceiling: requests per 10 s, of all instances together.
    """

    def __init__(self, table: Table, clock: Clock, ceiling: int) -> None:
        self._table, self._clock, self._ceiling = table, clock, ceiling
        self._wallet = Wallet()
        self._lanes = {urgency: asyncio.Lock() for urgency in Urgency}
        self._storage = asyncio.Lock()
        self._block = Block(0.0, 0.0)
        self._parts = 0
        self._asking: list[int] = []
        self._waited = 0
        self._seen = fresh(ceiling, self._now())
        self._name, self._count = uuid4().hex[:8], 0
        most = max(1, ceiling // _PARTS)
        self._few = min(max(INTERACTIVE_REQUESTS, ceiling // 50), most)
        self._rations = {
            # A check that spends all that it took reads a long list, and takes more the next time.
            Urgency.INTERACTIVE: Ration(ceiling // 20, full_before_more=1),
            Urgency.BACKGROUND: Ration(most, full_before_more=3),
        }

    @property
    def most_at_once(self) -> int:
        return min(MOST_IN_BATCH, max(1, self._ceiling // _BATCHES))

    async def enter(self, requests: int = 1) -> None:
        await self._take(requests, requests)

    async def take(self, most: int) -> int:
        return await self._take(1, most)

    async def _take(self, least: int, most: int) -> int:
        urgency, arrived = current_urgency(), self._now()
        with self._known_to_ask(most) if urgency is Urgency.BACKGROUND else nullcontext():
            async with self._lanes[urgency]:
                while not (taken := await self._pass(least, most, urgency)):
                    if self._now() > arrived + LONGEST_QUEUE[urgency]:
                        raise _crowded("too many wait for Graph's rate")
        return taken

    @contextmanager
    def _known_to_ask(self, requests: int) -> Iterator[None]:
        self._asking.append(requests)
        try:
            yield
        finally:
            self._asking.remove(requests)

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        await self._occupy()
        try:
            yield
        finally:
            await self._vacate()

    async def _occupy(self) -> None:
        """Take a place, waiting a while for one: a message that is sent back returns too late."""
        latest = self._now() + PATIENCE
        while not await self._try_to_occupy(may_wait=self._now() < latest):
            await self._clock.sleep(_LOOKS_APART + _jitter(_LOOKS_APART))

    async def _try_to_occupy(self, *, may_wait: bool) -> bool:
        try:
            async with self._storage:
                if not self._has_place_left():
                    await self._ask_for_place()
                self._parts += 1
        except Crowded:
            if may_wait:
                return False
            raise
        return True

    def _has_place_left(self) -> bool:
        """Whether the place of a part that has ended is still ours, for the next one."""
        seen = refreshed(self._seen, self._now(), self._ceiling)
        is_kept = parts_of(seen.places, self._name) > self._parts
        return is_kept and fits(seen.places, seen.rate)

    async def _ask_for_place(self) -> None:
        try:
            if not await self._change(self._with_one_part_more):
                raise _crowded("too many ask for Graph's rate")
        except StorageUnavailable as error:
            raise Unavailable(f"No place to work on a part: {error}") from error

    def _with_one_part_more(self, schedule: Schedule, now: float) -> Schedule:
        after = self._with_parts(schedule, now, self._parts + 1)
        if not fits(after.places, after.rate):
            raise _crowded("as many parts are worked on as Graph's rate carries")
        return after

    async def _vacate(self) -> None:
        async with self._storage:
            self._parts -= 1
            if self._parts:  # it is said with the next turns, unless the next part has begun
                return
            self._wallet.close(Urgency.BACKGROUND)  # what is left over is given back
            with suppress(StorageUnavailable):  # then the place lapses
                await self._change(lambda seen, now: self._with_parts(seen, now, self._parts))

    def _with_parts(self, schedule: Schedule, now: float, parts: int) -> Schedule:
        places = with_busy(schedule.places, self._name, parts, now)
        return msgspec.structs.replace(schedule, places=places)

    async def _pass(self, least: int, most: int, urgency: Urgency) -> int:
        """Pass with so many requests, or come closer to it."""
        await wait_out_block(self._clock, self._block)
        grant = self._wallet.next(least, self._now(), urgency)
        if grant is None:
            await self._sleep_until(await self._reserve(least, urgency))
            return 0
        is_early = grant.lease.start > self._now()
        if urgency is Urgency.BACKGROUND and is_early:  # an interactive request may take it yet
            await self._sleep_until(grant.lease.start)
            return 0
        requests = min(grant.left, most)
        grant.left -= requests
        grant.set_aside += requests
        if grant.urgency is urgency:
            self._rations[urgency].note_spent(requests)
        await self._sleep_until(grant.lease.start)
        return requests if grant.use(requests, self._now()) else 0

    async def _sleep_until(self, moment: float) -> None:
        left = moment - self._now()
        if left > 0:
            await self._clock.sleep(left)

    async def _reserve(self, least: int, urgency: Urgency) -> float:
        """Take turns; gives the moment at which to look again."""
        async with self._storage:
            wish = self._wish(least, urgency)
            if (known := self._known_wait(wish)) is not None:
                return known
            try:
                for attempt in range(_MOST_ATTEMPTS):
                    until = await self._try_to_reserve(wish)
                    if until is not None:
                        return until
                    await self._clock.sleep(_jitter(0.02 * 2**attempt))
            except StorageUnavailable as error:
                raise Unavailable(f"No turn to ask Graph: {error}") from error
        return self._now()

    def _known_wait(self, wish: Wish) -> float | None:
        """Until when it is in vain to ask storage: what was seen there only grows."""
        now = self._now()
        _, outcome = reserve(refreshed(self._seen, now, self._ceiling), now, wish)
        return self._next_look(outcome) if isinstance(outcome, Wait) else None

    def _next_look(self, wait: Wait) -> float:
        """When to ask again; who has asked in vain before comes earlier than the others."""
        return wait.until + _jitter(_SPREAD / (1 + self._waited))

    def _wish(self, least: int, urgency: Urgency) -> Wish:
        """What to ask for: whole batches for a sweep, whose parts share them between them."""
        self._count += 1
        key = f"{self._name}.{self._count}"
        is_check = urgency is Urgency.INTERACTIVE
        few = max(least, self._few if is_check else self.most_at_once)
        return Wish(
            key=key,
            requests=least if is_check else few,
            most=self._rations[urgency].most(few),
            known=self._known_requests(),
            urgency=urgency,
        )

    def _known_requests(self) -> int:
        """What parts ask for now, and a batch for each that will ask when its answer is there."""
        others = max(0, self._parts - len(self._asking))
        return sum(self._asking) + others * self.most_at_once

    async def _try_to_reserve(self, wish: Wish) -> float | None:
        """As `_reserve`; None where another instance has been faster."""
        row, before = await self._read()
        now = self._now()
        current, account = self._settled(before, now)
        self._keep_in_mind(current.block)
        after, outcome = reserve(current, now, wish)
        says_parts = is_due(after.places, self._name, self._parts, now)
        if says_parts:
            after = self._with_parts(after, now, self._parts)
        if not isinstance(outcome, Wait) or account.keys or says_parts:
            if not await self._write(row, after):
                return None
            self._wallet.forget(account)
        self._seen = after
        if isinstance(outcome, Wait):
            self._waited += 1
            return self._next_look(outcome)
        return self._keep(outcome, wish)

    def _keep(self, leases: tuple[Lease, ...], wish: Wish) -> float:
        self._wallet.add(leases, wish.urgency)
        if wish.urgency is Urgency.BACKGROUND:
            self._waited = 0
        self._rations[wish.urgency].note_taken(sum(lease.requests for lease in leases))
        return self._now()

    async def slow_down(self, retry_after: float | None) -> None:
        self._wallet.close(*Urgency)
        self._seen = slow_down(self._seen, self._now(), retry_after)
        self._keep_in_mind(self._seen.block)
        async with self._storage:
            try:
                after = await self._change(lambda seen, now: _slowed_down(seen, now, retry_after))
            except StorageUnavailable:
                after = None
        if after:
            self._keep_in_mind(after.block)
        else:
            log.warning(
                "the other instances do not learn that Graph throttles",
                extra={"action": "throttle_not_shared"},
            )

    def _keep_in_mind(self, block: Block) -> None:
        """Keep a silence, and that it was known now, unless a longer one is kept."""
        now = self._now()
        until = block.believed_until(now)
        if until > self._block.believed_until(now):
            self._block = Block(now, until)

    async def _change(self, change: Callable[[Schedule, float], Schedule]) -> Schedule | None:
        """Change the shared schedule; None where other instances were faster each time."""
        for attempt in range(_MOST_ATTEMPTS):
            row, before = await self._read()
            now = self._now()
            current, account = self._settled(before, now)
            after = change(current, now)
            if await self._write(row, after):
                self._wallet.forget(account)
                self._seen = after
                return after
            await self._clock.sleep(_jitter(0.02 * 2**attempt))
        return None

    def _settled(self, schedule: Schedule, now: float) -> tuple[Schedule, Account]:
        """The schedule at this moment, and in it what became of our own turns that are over."""
        account = self._wallet.account(now)
        current = refreshed(schedule, now, self._ceiling)
        return settled(current, account.keys, account.sent), account

    async def _read(self) -> tuple[Row | None, Schedule]:
        row = await self._table.get(PARTITION, KEY)
        new = fresh(self._ceiling, self._now())
        try:
            return row, _decoder.decode(str(row.values["schedule"])) if row else new
        except (msgspec.DecodeError, KeyError):  # whatever it is: it is written anew
            return row, new

    async def _write(self, row: Row | None, schedule: Schedule) -> bool:
        values = {"schedule": msgspec.json.encode(schedule).decode()}
        if row is None:
            return await self._table.insert(Row(partition=PARTITION, key=KEY, values=values))
        return await self._table.replace(
            Row(partition=PARTITION, key=KEY, values=values, etag=row.etag)
        )

    def _now(self) -> float:
        moment: datetime = self._clock.now()
        return round(moment.timestamp(), 3)


class Ration:
    """How much is taken at once: more while all is used, and little while it is not.

    What is taken and not used is lost to everybody.
    """

    def __init__(self, ceiling: int, full_before_more: int) -> None:
        self._ceiling, self._full_before_more = ceiling, full_before_more
        self._taken = self._spent = 0
        self._full = 0

    def most(self, few: int) -> int:
        is_full = self._spent >= self._taken
        self._full = self._full + 1 if is_full else 0
        wanted = 2 * self._taken if self._full >= self._full_before_more else self._spent
        return max(few, min(wanted, self._ceiling))

    def note_taken(self, requests: int) -> None:
        self._taken, self._spent = requests, 0

    def note_spent(self, requests: int) -> None:
        self._spent += requests


def _slowed_down(schedule: Schedule, now: float, retry_after: float | None) -> Schedule:
    after = slow_down(schedule, now, retry_after)
    if after.rate < schedule.rate:
        log.warning(
            "Graph throttles: %.0f requests per 10 s from now on",
            after.rate,
            extra={"action": "throttled", "rate": after.rate, "retry_after": retry_after},
        )
    return after


def _crowded(why: str) -> Crowded:
    return Crowded(why, retry_after=COME_BACK + _jitter(COME_BACK_SPREAD))


def _jitter(most: float) -> float:
    return most * random.random()  # noqa: S311 - so that instances do not ask all at once
