"""Ten nights of a tenant in which everything happens, and what ought to come of them.

The expectation is computed here from who held what, in a way of its own: it shares no code with
what it tests.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import combinations
from typing import Any

from entra_sod.domain.entra import Assignment, Subject
from entra_sod.domain.rules.language import ExceptionEntry, Rule
from tests.app import App
from tests.builders import at_most, exception, guid, package, rule, side

NIGHTS = 10
PACKAGES = "abcdef"
PEOPLE = [f"{number:02x}1" for number in range(1, 15)]
START = date(2026, 3, 1)
RULES = {
    "pay": rule("pay", side("a"), side("b")),
    "buy": rule("buy", side("ab"), side("cd")),
    "few": at_most("few", 1, "def"),
    "many": at_most("many", 2, "bcde"),
}
APART: Mapping[str, set[frozenset[str]]] = {
    "pay": {frozenset("ab")},
    "buy": {frozenset(pair) for pair in ("ac", "ad", "bc", "bd")},
    "few": {frozenset(pair) for pair in combinations("def", 2)},
}
MANY, MAX_HELD = frozenset("bcde"), 2

type Key = tuple[str, frozenset[str], str]


@dataclass
class Night:
    """What is so on one night.

    Attributes:
        dies: after how many writes of findings the worker is killed; None where it lives.
    """

    number: int
    holds: Mapping[str, frozenset[str]]
    rules: frozenset[str]
    excepted: frozenset[tuple[str, str]]
    unreadable: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    dies: int | None = None

    @property
    def day(self) -> date:
        return START + timedelta(days=self.number)

    @property
    def at(self) -> str:
        return f"{self.day}T00:00:00Z"


@dataclass
class Expected:
    """The life of one finding, told by nights."""

    state: str = ""
    first: str = ""
    last: str = ""
    was_excepted: bool = False
    steps: list[tuple[str, str | None, str, str]] = field(default_factory=list)

    def go(self, night: Night, state: str, by: str = "sweep") -> None:
        if state != self.state:
            self.steps.append((night.at, self.state or None, state, by))
            self.state = state


def story(seed: int) -> list[Night]:
    """People join, move and leave; rules change; exceptions run out; things go wrong."""
    chance = random.Random(seed)  # noqa: S311 - a story, not a secret
    holds = {who: frozenset(chance.sample(PACKAGES, chance.randint(0, 4))) for who in PEOPLE}
    special = chance.sample(range(1, NIGHTS), 6)
    off_from, off_to = sorted(chance.sample(range(1, NIGHTS), 2))
    permitted = {
        (name, who): chance.randint(1, NIGHTS) for name in RULES for who in chance.sample(PEOPLE, 4)
    }
    nights = []
    for number in range(NIGHTS):
        if number:
            holds = {who: _moved(chance, held) for who, held in holds.items()}
        is_off = off_from <= number < off_to
        nights.append(
            Night(
                number=number,
                holds=dict(holds),
                rules=frozenset(RULES) - ({"buy"} if is_off else set()),
                excepted=frozenset(key for key, last in permitted.items() if 1 <= number <= last),
                unreadable=frozenset(chance.choice(PACKAGES) if number in special[:2] else ""),
                gone=frozenset("f" if number in special[2:4] else ""),
                dies=chance.randint(0, 3) if number in special[3:6] else None,
            )
        )
    return nights


def _moved(chance: random.Random, held: frozenset[str]) -> frozenset[str]:
    turn = chance.random()
    if turn < 0.1:
        return frozenset()  # left
    if turn < 0.35 and held:
        return held - {chance.choice(sorted(held))}
    if turn < 0.6:
        return held | {chance.choice(PACKAGES)}
    return held


def replay(nights: list[Night]) -> dict[Key, Expected]:
    """Every finding that ought to be there after these nights, and its life."""
    lives: dict[Key, Expected] = {}
    for night in nights:
        seen = set(_conflicts(night))
        for key in seen:
            lives.setdefault(key, Expected(first=night.at))
        for key, life in lives.items():
            _live(key, life, night, is_seen=key in seen)
    return lives


def _conflicts(night: Night) -> Iterator[Key]:
    for who, held in night.holds.items():
        readable = held - night.unreadable - night.gone
        for name in night.rules - {"many"}:
            yield from ((name, pair, who) for pair in APART[name] if pair <= readable)
        if "many" in night.rules and len(readable & MANY) > MAX_HELD:
            yield "many", frozenset(), who


def _live(key: Key, life: Expected, night: Night, *, is_seen: bool) -> None:
    name, pair, who = key
    takes = pair or MANY
    is_excepted = (name, who) in night.excepted
    if is_seen:
        life.last = night.at
        _stand(life, night, is_excepted=is_excepted)
    elif name not in night.rules or pair & night.gone:
        if life.state not in ("resolved", "on-hold"):
            life.go(night, "on-hold")
    elif takes & (night.unreadable | night.gone):
        if life.state in ("open", "excepted", "exception-expired"):
            _stand(life, night, is_excepted=is_excepted)
    elif life.state == "resolving":
        life.go(night, "resolved")
        life.was_excepted = False
    elif life.state != "resolved":
        life.go(night, "resolving")


def _stand(life: Expected, night: Night, *, is_excepted: bool) -> None:
    if is_excepted:
        life.was_excepted = True
        life.go(night, "excepted", "exception")
    elif life.was_excepted:
        by = "exception" if life.state == "excepted" else "sweep"
        life.go(night, "exception-expired", by)
    else:
        life.go(night, "open")


class Died(BaseException):
    """The worker is gone: nothing that it would have done is done."""


async def live_through(app: App, nights: list[Night]) -> None:
    """Bring the app's tenant and rules to each night, and sweep."""
    all_packages = dict(app.graph._packages)
    app.graph.whole_tenant = True
    for night in nights:
        midnight = datetime.combine(night.day, time(tzinfo=UTC))
        app.clock.advance((midnight - app.clock.now()).total_seconds())
        gone = {guid(name) for name in night.gone}
        app.graph._packages = {k: v for k, v in all_packages.items() if k not in gone}
        app.graph._assignments = {guid(name): _assigned(name, night) for name in PACKAGES}
        app.graph.unreadable = {guid(name) for name in night.unreadable}
        app.rules.write([RULES[name] for name in sorted(night.rules)], _entries(nights, night))
        await _sweep(app, night)


def _assigned(name: str, night: Night) -> list[Assignment]:
    if name in night.gone:
        return []
    return [
        Assignment(
            id=f"{name}-{who}",
            state="Delivered",
            subject=Subject(id=guid(who), object_id=guid(f"{who}b"), display_name=f"={who}"),
        )
        for who, held in night.holds.items()
        if name in held
    ]


def _entries(nights: list[Night], night: Night) -> list[ExceptionEntry]:
    """Exceptions, with the days that the nights have them for."""
    found = []
    for name, who in sorted(frozenset().union(*(each.excepted for each in nights))):
        days = [each.day for each in nights if (name, who) in each.excepted]
        if name in night.rules:
            found.append(exception(name, who, start=min(days), end=max(days)))
    return found


async def _sweep(app: App, night: Night) -> None:
    await app.records.sweep_starter.start(traceparent="00-0-0-01")
    left, write = night.dies, app.records.findings._table.write

    async def dying(*given: Any) -> bool:
        nonlocal left
        if left == 0:
            left = None
            raise Died
        if left is not None:
            left -= 1
        return await write(*given)

    app.records.findings._table.write = dying  # type: ignore[assignment,method-assign]
    while app.storage.sent:
        message = app.storage.sent[0]
        try:
            await app.work_one()
        except Died:
            # The queue delivers the message again, and the lease of who closed runs out.
            app.storage.sent.insert(0, message)
            app.clock.advance(90)
    app.records.findings._table.write = write  # type: ignore[method-assign]


def make(make_app: type[App], rules: list[Rule] | None = None) -> App:
    tenant = [package(name) for name in PACKAGES]
    return make_app(tenant, {}, rules or list(RULES.values()))
