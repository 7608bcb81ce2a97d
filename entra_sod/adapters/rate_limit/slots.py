"""How many parts of sweeps are worked on at once, by all instances together. Pure.

A part that has to wait for others at every turn takes long, and what it has read is lost when its
time is over. So only as many are begun as the rate carries. Each instance says in the schedule how
many it works on, and says it again while it takes turns: what a dead one has said lapses.

Moments are seconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

RATE_OF_PART = 20.0  # requests per 10 s: with them a part of 200 pages takes under two minutes
FEWEST_PARTS = 2  # one reads while the other packs what it has read
MOST_PARTS = 200  # what the schedule's row has room for
LAPSES_AFTER = 60.0
RENEWED_AFTER = 30.0
CLOCKS_APART = 10.0  # what lapses later than this allows was noted by a clock that is wrong


class Busy(msgspec.Struct, frozen=True, array_like=True):
    """An instance works on so many parts; believed until then."""

    name: str
    parts: int
    until: float


type Places = tuple[Busy, ...]


def most_parts(rate: float) -> int:
    return max(FEWEST_PARTS, min(MOST_PARTS, int(rate / RATE_OF_PART)))


def fits(places: Iterable[Busy], rate: float) -> bool:
    """Whether the rate carries all parts that are worked on."""
    return sum(each.parts for each in places) <= most_parts(rate)


def parts_of(places: Iterable[Busy], name: str) -> int:
    """How many parts an instance works on, as far as is noted."""
    return sum(each.parts for each in places if each.name == name)


def believed(places: Iterable[Busy], now: float) -> Places:
    latest = now + LAPSES_AFTER + CLOCKS_APART
    return tuple(each for each in places if now < each.until <= latest)


def with_busy(places: Places, name: str, parts: int, now: float) -> Places:
    """Note how many parts an instance works on now."""
    others = tuple(each for each in places if each.name != name)
    return (*others, Busy(name, parts, now + LAPSES_AFTER)) if parts else others


def is_due(places: Places, name: str, parts: int, now: float) -> bool:
    """Whether what is noted of an instance is not what it does, or lapses soon."""
    noted = next((each for each in places if each.name == name), Busy(name, 0, now))
    lapses_soon = noted.until < now + LAPSES_AFTER - RENEWED_AFTER
    return noted.parts != parts or (parts > 0 and lapses_soon)
