"""What happens in one run of chaos, from a seed alone: the tenant, the weather, the disturbances.

Pure. Moments are seconds from the start of the sweep. How the races end differs from run to run;
what is disturbed, how, when and in which order does not.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

import msgspec

from local.graph.tenant import Tenant
from tests.chaos.tenant import Books, make_books
from tests.chaos.traits import Trait, traits_of

HOSTS = 2
# All that is disturbed is disturbed within this; then the world heals, and must come to rest.
SPAN_SECONDS = 9.0
# The timer's function is not run again when Graph fails it; most starts are to succeed.
GRAPH_FAILS_FROM_SECONDS = 1.0
RATE_SECONDS = 10.0
HOUR = 3600
# Most are such as the app takes for possible: inside its largest skew, inside its farthest lease.
JUMPS = (-2, 2, -30, 30, -90, 90, -119, 119) * 3 + tuple(
    hours * HOUR for hours in (-48, -1, 1, 6, 48)
)
# Everybody waits until the turns that were taken are due: as long as this.
LONG_WAITS = (30, 90, 119)
SHARED_RATE: Collection[str] = ("throttle",)
# The rules of each seed ask for more than 20.
SMALL_BUDGETS = (1, 5, 17)
LEASES: Collection[str] = ("sweeps", "checks", "ledger")


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
    """Times that rows hold move, as if the clocks of hosts disagreed, once there are such rows.

    Attributes:
        at: from then on; leases are held for moments only.
        tables: whose rows; of some only the leases.
    """

    at: float
    seconds: int
    tables: Collection[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A caller asks about a pair, in this order."""

    at: float
    first: str
    second: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """Graph never tells who holds a package, and the parts that ask for it are given up.

    Attributes:
        at: from then on, once the sweep is planned; Graph fails from the start.
        package: which.
        way: `worn-out`, a part's message comes with no try left; `poisoned`, it lies on the poison
            queue, as one whose worker died each time.
    """

    at: float
    package: str
    way: Literal["worn-out", "poisoned"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Needless:
    """A message of the sweep is given up while another worker may process another like it.

    Attributes:
        at: from then on, while parts of the sweep are to be done.
        which: as a share of the start's message and those of these parts.
    """

    at: float
    which: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeWriting:
    """An operator freezes writing, and allows it again after a while."""

    at: float
    seconds: float


type Disturbance = (
    Kill
    | Duplicate
    | RestartStorage
    | Storm
    | Faults
    | ClockJump
    | Check
    | GiveUp
    | Needless
    | FreezeWriting
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One run.

    Attributes:
        traits: what kind of run it is.
        weather: how the simulator behaves until the world heals.
        budget: writes of 24 hours; None for more than there can be.
        rate: requests per 10 s, that both Graph and the app keep to; None for as many as come.
        disturbances: in the order of their moments.
        afterwards: messages that are delivered again when all is done.
    """

    seed: int
    traits: frozenset[Trait]
    books: Books
    weather: tuple[tuple[str, object], ...]
    rate: int | None
    budget: int | None
    disturbances: tuple[Disturbance, ...]
    afterwards: tuple[Duplicate, ...]

    @property
    def throttle(self) -> Mapping[str, float] | None:
        """Graph's limit in quiet times."""
        return None if self.rate is None else {"limit": self.rate, "window_seconds": RATE_SECONDS}

    @property
    def answers_for_pairs(self) -> bool:
        """Whether Graph answers this app pair by pair."""
        return dict(self.weather)["additional_access"] == "supported"

    @property
    def blocked(self) -> frozenset[str]:
        """Packages of which Graph never tells who holds them."""
        return frozenset(each.package for each in self.disturbances if isinstance(each, GiveUp))


def schedule(seed: int) -> Schedule:
    chance, traits = Random(seed), traits_of(seed)  # noqa: S311 - chaos, not secrets
    books = make_books(chance, traits)
    given_up = _given_up(chance, books, traits)
    disturbances: list[Disturbance] = [
        *_kills(chance),
        *(_duplicate(chance, _moment(chance)) for _ in range(chance.randint(2, 5))),
        *(RestartStorage(at=_moment(chance)) for _ in range(chance.choice([0, 1, 1]))),
        *_refusals(chance, traits),
        # Early, as they wait for the writes.
        replace(_faults(chance, LOST_ANSWERS), at=GRAPH_FAILS_FROM_SECONDS),
        *_jumps(chance, traits),
        *given_up,
        *_checks(chance, books, {each.package for each in given_up if isinstance(each, GiveUp)}),
        *_freezes(chance, traits),
    ]
    return Schedule(
        seed=seed,
        traits=traits,
        books=books,
        weather=_weather(chance, traits),
        rate=_rate(traits),
        budget=chance.choice(SMALL_BUDGETS) if Trait.BUDGET in traits else None,
        disturbances=tuple(sorted(disturbances, key=lambda each: each.at)),
        afterwards=tuple(_duplicate(chance, 0.0) for _ in range(2)),
    )


def _moment(chance: Random, earliest: float = 0.0) -> float:
    """More often soon than late: how long a sweep takes is not known here."""
    return round(earliest + (SPAN_SECONDS - earliest) * math.pow(chance.random(), 1.5), 2)


def _weather(chance: Random, traits: Collection[Trait]) -> tuple[tuple[str, object], ...]:
    return (
        ("latency_ms", chance.choice([10.0, 20.0, 40.0])),
        ("page_size", chance.choice([7, 25, 100])),
        ("empty_pages", chance.choice([0, 0, 1])),
        ("lag_reads", chance.choice([0, 0, 1, 3])),
        ("additional_access", chance.choice(_answers_for_pairs(traits))),
        # A second add of the same reference succeeds, and is counted.
        ("duplicate_reference", "no-content"),
    )


def _rate(traits: Collection[Trait]) -> int | None:
    """Such that a sweep takes half a minute longer; pair by pair, where it may, it asks less."""
    if Trait.LIMIT not in traits:
        return None
    return 100 if Trait.PAIRS in traits and Trait.REFUSED not in traits else 200


def _answers_for_pairs(traits: Collection[Trait]) -> Sequence[str]:
    if Trait.REFUSED in traits:
        return ["forbidden", "bad-request"]
    return ["supported"] if Trait.PAIRS in traits else ["supported", "supported", "forbidden"]


def _kills(chance: Random) -> list[Kill]:
    return [
        Kill(
            at=_moment(chance),
            host=chance.randrange(HOSTS),
            down_seconds=round(chance.uniform(0.0, 1.5), 2),
        )
        for _ in range(chance.randint(2, 4))
    ]


def _freezes(chance: Random, traits: Collection[Trait]) -> list[FreezeWriting]:
    """One, at any moment of the sweep, that lasts beyond its end or not."""
    if Trait.FROZEN not in traits:
        return []
    seconds = chance.choice([0.5, 3.0, SPAN_SECONDS])
    return [FreezeWriting(at=round(chance.uniform(0.0, SPAN_SECONDS), 2), seconds=seconds)]


def _duplicate(chance: Random, at: float) -> Duplicate:
    return Duplicate(at=at, which=round(chance.random(), 3), copies=chance.randint(1, 3))


def _storm(chance: Random) -> Storm:
    return Storm(
        at=_moment(chance, GRAPH_FAILS_FROM_SECONDS),
        limit=chance.randint(2, 10),
        seconds=chance.choice([1.5, 3.0]),
    )


def _jumps(chance: Random, traits: Collection[Trait]) -> list[ClockJump]:
    jumps = [_jump(chance, traits) for _ in range(chance.randint(2, 3))]
    if Trait.AHEAD in traits:
        seconds, at = chance.choice(LONG_WAITS), chance.uniform(1.0, 4.0)
        jumps.append(ClockJump(at=round(at, 2), seconds=seconds, tables=SHARED_RATE))
    return jumps


def _jump(chance: Random, traits: Collection[Trait]) -> ClockJump:
    seconds, of = chance.choice(JUMPS), chance.choice([SHARED_RATE, LEASES, LEASES])
    # Who forgets what was sent sends more than Graph's limit, and that is tried without one.
    spares_rate = Trait.LIMIT in traits or seconds in LONG_WAITS
    return ClockJump(at=_moment(chance), seconds=seconds, tables=LEASES if spares_rate else of)


type Kind = tuple[str, str | None, int, int | None]

# The write takes effect, and its answer says otherwise, or nothing.
LOST_ANSWERS: tuple[Kind, ...] = (
    ("apply-then-status", "POST", 504, None),
    ("apply-then-drop", "POST", 0, None),
)
THROTTLES: tuple[Kind, ...] = (("status", None, 429, 1), ("status", None, 429, None))
FAILURES: tuple[Kind, ...] = (
    ("status", None, 503, None),
    ("status", None, 504, None),
    ("drop-connection", None, 0, None),
    ("truncate-json", "GET", 0, None),
    ("cut-connection", "GET", 0, None),
)


def _refusals(chance: Random, traits: Collection[Trait]) -> list[Storm | Faults]:
    """Where the app knows Graph's limit, Graph has no other: then it is to meet hardly any 429."""
    failures = [_faults(chance, FAILURES) for _ in range(chance.randint(1, 2))]
    if Trait.LIMIT in traits:
        return [*failures]
    # Each 429 without Retry-After that comes soon after another doubles the silence.
    refused = [_faults(chance, THROTTLES, most=4) for _ in range(chance.choice([0, 1]))]
    return [*failures, *refused, *(_storm(chance) for _ in range(chance.choice([0, 1])))]


def _faults(chance: Random, kinds: tuple[Kind, ...], most: int = 12) -> Faults:
    kind, method, status, retry_after = chance.choice(kinds)
    return Faults(
        at=_moment(chance, GRAPH_FAILS_FROM_SECONDS),
        kind=kind,
        method=method,
        status=status,
        retry_after=retry_after,
        skips=tuple(sorted(chance.sample(range(40), chance.randint(most // 3, most)))),
    )


def _given_up(chance: Random, books: Books, traits: Collection[Trait]) -> list[GiveUp | Needless]:
    ways: Mapping[Trait, Literal["worn-out", "poisoned"]] = {
        Trait.WORN_OUT: "worn-out",
        Trait.POISONED: "poisoned",
    }
    # Of no rule that is checked.
    package = chance.choice(_sides(books, 1)[0])
    return [
        *(
            GiveUp(at=_moment(chance), package=package, way=way)
            for trait, way in ways.items()
            if trait in traits
        ),
        *(
            # Early: all of it is to happen before the sweep's parts are done.
            Needless(at=round(chance.uniform(0.0, 3.0), 2), which=round(chance.random(), 3))
            for _ in range(2 if Trait.NEEDLESS in traits else 0)
        ),
    ]


def _checks(chance: Random, books: Books, blocked: Collection[str]) -> list[Check]:
    """Pairs of an enforcing rule, whose writes race with the sweep's, and any others.

    None with a package of which Graph never tells who holds it: it would wait for half an hour.
    """
    tenant = msgspec.json.decode(books.tenant, type=Tenant)
    packages = [each.id for each in tenant.access_packages if each.id not in blocked]
    asked = [
        [chance.choice(side) for side in _sides(books, 0)],
        *(chance.sample(packages, 2) for _ in range(chance.randint(2, 4))),
    ]
    return [Check(at=_moment(chance), first=one, second=other) for one, other in asked]


def _sides(books: Books, rule: int) -> list[list[str]]:
    """The packages of each side of a rule that names them by their ids."""
    sides = msgspec.json.decode(books.rules)["rules"][rule]["between"]
    return [[each["id"] for each in side["packages"]] for side in sides]
