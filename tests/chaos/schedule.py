"""What happens in one run of chaos, from a seed alone: the tenant, the weather, the disturbances.

Pure. Moments are seconds from the start of the sweep. How the races end differs from run to run;
what is disturbed, how, when and in which order does not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from random import Random

import msgspec

from local.graph.tenant import Tenant
from tests.chaos.tenant import Books, make_books

HOSTS = 2
# All that is disturbed is disturbed within this; then the world heals, and must come to rest.
SPAN_SECONDS = 9.0
# The timer's function is not run again when Graph fails it; most starts are to succeed.
GRAPH_FAILS_FROM_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """kill -9 of a host, which is started anew after a pause."""

    at: float
    host: int
    down_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate:
    """Messages that were seen are sent once more: which, as a share of those seen by then."""

    at: float
    which: float
    copies: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartStorage:
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Storm:
    """Graph lets only so many requests a second pass, for a while."""

    at: float
    limit: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """A share of the requests fail: those with these numbers, counted from the order."""

    at: float
    kind: str
    method: str | None
    status: int
    retry_after: int | None
    skips: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockJump:
    """All times that the throttle's rows hold move, as if the clocks of hosts disagreed."""

    at: float
    hours: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Somebody asks about a pair, in this order."""

    at: float
    first: str
    second: str


type Disturbance = Kill | Duplicate | RestartStorage | Storm | Faults | ClockJump | Check


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One run.

    Attributes:
        weather: how the simulator behaves until the world heals.
        disturbances: in the order of their moments.
        afterwards: messages that are delivered again when all is done.
    """

    seed: int
    books: Books
    weather: tuple[tuple[str, object], ...]
    disturbances: tuple[Disturbance, ...]
    afterwards: tuple[Duplicate, ...]


def schedule(seed: int) -> Schedule:
    chance = Random(seed)  # noqa: S311 - chaos, not secrets
    books = make_books(chance)
    disturbances: list[Disturbance] = [
        *_kills(chance),
        *(_duplicate(chance, _moment(chance)) for _ in range(chance.randint(2, 5))),
        *(RestartStorage(at=_moment(chance)) for _ in range(chance.choice([0, 1, 1]))),
        *(_storm(chance) for _ in range(chance.choice([0, 1]))),
        *(_faults(chance, FAILURES) for _ in range(chance.randint(1, 3))),
        # Early, as they wait for the writes.
        replace(_faults(chance, LOST_ANSWERS), at=GRAPH_FAILS_FROM_SECONDS),
        *(_jump(chance) for _ in range(chance.randint(1, 2))),
        *_checks(chance, books),
    ]
    return Schedule(
        seed=seed,
        books=books,
        weather=_weather(chance),
        disturbances=tuple(sorted(disturbances, key=lambda each: each.at)),
        afterwards=tuple(_duplicate(chance, 0.0) for _ in range(2)),
    )


def _moment(chance: Random, earliest: float = 0.0) -> float:
    """More often soon than late: how long a sweep takes is not known here."""
    return round(earliest + (SPAN_SECONDS - earliest) * math.pow(chance.random(), 1.5), 2)


def _weather(chance: Random) -> tuple[tuple[str, object], ...]:
    return (
        ("latency_ms", chance.choice([10.0, 20.0, 40.0])),
        ("page_size", chance.choice([7, 25, 100])),
        ("empty_pages", chance.choice([0, 0, 1])),
        ("lag_reads", chance.choice([0, 0, 1, 3])),
        ("additional_access", chance.choice(["supported", "supported", "forbidden"])),
        # A second add of the same reference succeeds, and is counted.
        ("duplicate_reference", "no-content"),
    )


def _kills(chance: Random) -> list[Kill]:
    return [
        Kill(
            at=_moment(chance),
            host=chance.randrange(HOSTS),
            down_seconds=round(chance.uniform(0.0, 1.5), 2),
        )
        for _ in range(chance.randint(2, 4))
    ]


def _duplicate(chance: Random, at: float) -> Duplicate:
    return Duplicate(at=at, which=round(chance.random(), 3), copies=chance.randint(1, 3))


def _storm(chance: Random) -> Storm:
    return Storm(
        at=_moment(chance, GRAPH_FAILS_FROM_SECONDS),
        limit=chance.randint(2, 10),
        seconds=chance.choice([1.5, 3.0]),
    )


def _jump(chance: Random) -> ClockJump:
    return ClockJump(at=_moment(chance), hours=chance.choice([-48, -1, 1, 6, 48]))


type Kind = tuple[str, str | None, int, int | None]

# The write takes effect, and its answer says otherwise, or nothing.
LOST_ANSWERS: tuple[Kind, ...] = (
    ("apply-then-status", "POST", 504, None),
    ("apply-then-drop", "POST", 0, None),
)
FAILURES: tuple[Kind, ...] = (
    ("status", None, 429, 1),
    ("status", None, 429, None),
    ("status", None, 503, None),
    ("status", None, 504, None),
    ("drop-connection", None, 0, None),
    ("truncate-json", "GET", 0, None),
    ("cut-connection", "GET", 0, None),
)


def _faults(chance: Random, kinds: tuple[Kind, ...]) -> Faults:
    kind, method, status, retry_after = chance.choice(kinds)
    return Faults(
        at=_moment(chance, GRAPH_FAILS_FROM_SECONDS),
        kind=kind,
        method=method,
        status=status,
        retry_after=retry_after,
        skips=tuple(sorted(chance.sample(range(40), chance.randint(4, 12)))),
    )


def _checks(chance: Random, books: Books) -> list[Check]:
    """Pairs of an enforcing rule, whose writes race with the sweep's, and any others."""
    packages = [each.id for each in msgspec.json.decode(books.tenant, type=Tenant).access_packages]
    sides = msgspec.json.decode(books.rules)["rules"][0]["between"]
    asked = [
        [chance.choice(side["packages"])["id"] for side in sides],
        *(chance.sample(packages, 2) for _ in range(chance.randint(2, 4))),
    ]
    return [Check(at=_moment(chance), first=one, second=other) for one, other in asked]
