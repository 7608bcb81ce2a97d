"""Whatever happens to rules, tenant and app, only what was reviewed is written.

A history is a list of events. Each is worked to its end, also through a crash: that stops the
process at some step, and the message comes again. A model of what was reviewed stands beside the
app and shares no line with it; each write is held against the model in the moment in which it is
sent. At the end of each history an operator takes all of it back, and people's references are what
is left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from entra_sod.bootstrap.make_records import make_records
from entra_sod.domain.entra import AccessPackage, Reference, ReferenceKind
from entra_sod.domain.rules.language import (
    Mode,
    PackageSelector,
    Protected,
    Rule,
    RulesFile,
    Side,
)
from entra_sod.domain.text import fold_for_patterns
from entra_sod.ports.storage import Blobs, Table
from entra_sod.services.rules.provider import RulesProvider
from entra_sod.services.rules.reviews import approve as approve_selections
from entra_sod.stores.ledger import Ledger, WriteOrigin
from local.memory.clock import ManualClock
from local.memory.sender import MemorySender
from local.memory.storage import MemoryStorage
from tests.app import App, FlakyGraph, RulesInMemory, install_parts
from tests.builders import guid, package, rule
from tests.cli.rolling_back import Operator

NAMES, GROUPS = "abcdef", "123"
TITLES = ("Pay {}", "Approve {}", "Something {}")
BUDGET = 6
SETTINGS = {
    "ENFORCEMENT": "apply",
    "PRUNE": "true",
    "MAX_REFERENCE_WRITES_PER_DAY": str(BUDGET),
    "MAX_SUBJECTS_AFFECTED": "100000",
}
# Longer than the list of packages is kept, and than any lease lasts.
A_WHILE = 11 * 60.0


def by_name(pattern: str) -> Side:
    return Side(packages=[PackageSelector(name=pattern)])


def by_id(*names: str) -> Side:
    return Side(packages=[PackageSelector(id=UUID(guid(each))) for each in names])


RULES: Sequence[Sequence[Rule]] = (
    [rule("r1", by_name("Pay *"), by_name("Approve *"))],
    [rule("r1", by_name("Pay *"), by_name("Approve *"), mode=Mode.WARN)],
    [rule("r1", by_name("Approve *"), by_name("Pay *")), rule("r2", by_id("a"), by_name("Pay *"))],
    [rule("r2", by_id("a", "b"), by_id("c"))],
    [],
)


class Crash(BaseException):
    """The process ends here."""


@dataclass(slots=True)
class Steps:
    """Ends the process at a step that changes anything, before or after the step."""

    left: int | None = None
    is_after: bool = False
    is_dead: bool = False
    is_app: bool = False  # people and other processes live on

    async def take(self, step: Awaitable[Any]) -> Any:
        if self.is_dead:
            asyncio.ensure_future(step).cancel()
            raise Crash
        if self.left == 0 and self.is_app:
            self.is_dead = True
            if self.is_after:
                await step
            else:
                asyncio.ensure_future(step).cancel()
            raise Crash
        if self.left and self.is_app:
            self.left -= 1
        return await step

    def revive(self) -> None:
        self.left, self.is_dead = None, False


class Mortal:
    """Something whose changes are steps."""

    def __init__(self, kept: object, changes: Sequence[str], steps: Steps) -> None:
        self._kept, self._changes, self._steps = kept, changes, steps

    def __getattr__(self, name: str) -> Any:
        found: Any = getattr(self._kept, name)
        if name not in self._changes:
            return found
        return lambda *args, **options: self._steps.take(found(*args, **options))


class MortalStorage(MemoryStorage):
    def __init__(self, steps: Steps) -> None:
        super().__init__()
        self._steps = steps
        self._mortal: dict[str, Any] = {}

    @property
    def blobs(self) -> Blobs:
        blobs: Any = Mortal(super().blobs, ("put", "create", "delete"), self._steps)
        return blobs  # type: ignore[no-any-return]

    def _of(self, kept: object, changes: Sequence[str]) -> Any:
        return Mortal(kept, changes, self._steps)

    def table(self, name: str) -> Table:
        changes = ("insert", "replace", "delete", "write")
        kept: Table = self._mortal.setdefault(name, self._of(super().table(name), changes))
        return kept


@dataclass(slots=True)
class Reviewed:
    """What one text of a rule selected when it was first met, and what was approved since."""

    sides: list[set[str]]
    groups: dict[str, set[str]] = field(default_factory=dict)


class World(App):
    """The app, a tenant that changes, and the model."""

    def __init__(self) -> None:
        self.steps = Steps()
        self.storage, self.clock = MortalStorage(self.steps), ManualClock()
        self.graph = FlakyGraph([], {})
        self.graph.whole_tenant = True
        self.rules, self.sender = RulesInMemory([]), MemorySender()
        self.records = make_records(self.storage, self.clock)
        self.book: Sequence[Rule] = []
        self.protected: set[str] = set()
        self.protection = Protected()
        self.is_frozen = False
        self.is_rolled_back = False
        self.reviewed: dict[bytes, Reviewed] = {}
        self.people: set[Reference] = set()
        self.ours: set[Reference] = set()
        self.written_at: list[datetime] = []
        self.wrong: list[str] = []
        self._add, self._remove = self.graph.add, self.graph.remove
        self.graph.add = self.add  # type: ignore[method-assign]
        self.graph.remove = self.remove  # type: ignore[method-assign]
        self.configure(**SETTINGS)

    def protect(self, name: str | None) -> None:
        """Protect a package, and no other."""
        self.protected = {guid(name)} if name else set()
        self.protection = Protected(packages=by_id(name).packages if name else [])

    # What Graph is asked for, held against the model.

    async def add(self, reference: Reference) -> None:
        await self.steps.take(self._added(reference))

    async def _added(self, reference: Reference) -> None:
        self._judge(reference)
        if not any(self._asks(each, reference) for each in self.book):
            self.wrong.append(f"{reference} was never reviewed")
        await self._add(reference)
        self.ours.add(reference)

    async def remove(self, reference: Reference) -> None:
        await self.steps.take(self._removed(reference))

    async def _removed(self, reference: Reference) -> None:
        self._judge(reference)
        if reference in self.people:
            self.wrong.append(f"{reference} is a person's, and was removed")
        # A package keeps no subject away by a group that the package itself grants.
        is_own = reference.target in self._packages()[reference.on].groups
        if not (is_own or self.is_rolled_back) and any(
            self._asks(each, reference) for each in self.book
        ):
            self.wrong.append(f"{reference} was reviewed, and was removed")
        await self._remove(reference)

    def _judge(self, reference: Reference) -> None:
        if {reference.on, reference.target} & self.protected_ids():
            self.wrong.append(f"{reference} is protected")
        if not self.is_rolled_back:  # a rollback counts in the budget, and is not stopped by it
            self._judge_controls(reference)

    def _judge_controls(self, reference: Reference) -> None:
        now = self.clock.now()
        self.written_at = [at for at in self.written_at if at > now - timedelta(hours=24)]
        self.written_at.append(now)
        if len(self.written_at) > BUDGET:
            self.wrong.append(f"{reference} is over the budget")
        if self.is_frozen:
            self.wrong.append(f"{reference} while writing was frozen")

    def protected_ids(self) -> set[str]:
        packages = self._packages()
        granted = (packages[each].groups for each in self.protected if each in packages)
        return self.protected.union(*granted)

    def _asks(self, text: Rule, reference: Reference) -> bool:
        reviewed = self.reviewed.get(_key(text))
        if text.mode is not Mode.ENFORCE or reviewed is None:
            return False
        return any(
            reference.on in one and self._faces(reference, other, reviewed)
            for number, one in enumerate(reviewed.sides)
            for place, other in enumerate(reviewed.sides)
            if number != place
        )

    def _faces(self, reference: Reference, side: set[str], reviewed: Reviewed) -> bool:
        if reference.kind is ReferenceKind.PACKAGE:
            return reference.target in side
        return any(reference.target in reviewed.groups.get(each, ()) for each in side)

    def exists(self, reference: Reference) -> bool:
        is_group = reference.kind is ReferenceKind.GROUP
        return reference.on in self._packages() and (
            is_group or reference.target in self._packages()
        )

    # What the model takes for reviewed.

    def note_sweep(self) -> None:
        for text in self.book:
            self._note(text, read=set(self._packages()))

    def note_check(self, pair: set[str]) -> None:
        for text in self.book:
            one, other = self._selected(text)
            if pair & one and pair & other:
                self._note(text, read=pair)

    def approve_all(self) -> None:
        for text in self.book:
            self.reviewed[_key(text)] = Reviewed(self._selected(text))
            self._note(text, read=set(self._packages()))

    def _note(self, text: Rule, *, read: set[str]) -> None:
        packages, sides = self._packages(), self._selected(text)
        reviewed = self.reviewed.setdefault(_key(text), Reviewed(sides))
        for known, found in zip(reviewed.sides, sides, strict=True):
            known.intersection_update(packages.keys() | found)  # an id may come yet
            if text.mode is not Mode.ENFORCE:
                known.update(found)
        for each in set().union(*reviewed.sides) & read:
            granted = reviewed.groups.setdefault(each, set(packages[each].groups))
            if text.mode is not Mode.ENFORCE:
                granted |= packages[each].groups

    def _packages(self) -> dict[str, AccessPackage]:
        return self.graph._packages

    def _selected(self, text: Rule) -> list[set[str]]:
        return [self._select(side) for side in text.between or ()]

    def _select(self, side: Side) -> set[str]:
        found: set[str] = set()
        for selector in side.packages:
            if selector.id is not None:
                found.add(str(selector.id))
            start = fold_for_patterns((selector.name or "*").removesuffix("*"))
            found |= {
                key
                for key, each in self._packages().items()
                if selector.id is None and fold_for_patterns(each.display_name).startswith(start)
            }
        return found

    # Work, through crashes.

    async def through(self, work: Callable[[], Awaitable[object]]) -> None:
        """Do a piece of work, once more where the process ended in it; then all that it sent."""
        await self._again_after_a_crash(work)
        while self.storage.sent:
            first = self.storage.sent[0]

            async def work_first(message: Any = first) -> None:
                if message not in self.storage.sent:
                    self.storage.sent.insert(0, message)
                await self.work_one()

            await self._again_after_a_crash(work_first)

    async def _again_after_a_crash(self, work: Callable[[], Awaitable[object]]) -> None:
        for _ in range(2):
            self.steps.is_app = True
            try:
                await work()
            except (Crash, BaseExceptionGroup):
                assert self.steps.is_dead
                self.steps.revive()
                self.clock.advance(A_WHILE)
                self.configure(**SETTINGS)
            else:
                return
            finally:
                self.steps.is_app = False


def _key(text: Rule) -> bytes:
    return msgspec.json.encode(text)


# The events of a history, each with what it takes.

type Event = Callable[[World], Awaitable[None]]


def titled(name: str, title: str, groups: str) -> AccessPackage:
    named = replace(package(name, *groups), display_name=title.format(name))
    return replace(named, catalog_id=guid("f0"), catalog_name="Catalog")


def put(name: str, title: str, groups: str) -> Event:
    """A package comes, is renamed, or grants other groups."""

    async def happen(world: World) -> None:
        world.graph._packages[guid(name)] = titled(name, title, groups)

    return happen


def delete(name: str) -> Event:
    async def happen(world: World) -> None:
        world.graph._packages.pop(guid(name), None)
        gone = {each for each in world.graph.present if guid(name) in (each.on, each.target)}
        world.graph.present -= gone
        world.people -= gone

    return happen


def write_rules(number: int, protected: str | None) -> Event:
    async def happen(world: World) -> None:
        world.book = RULES[number]
        world.protect(protected)
        world.rules.write(world.book, protected=world.protection)

    return happen


def set_freeze(*, is_on: bool) -> Event:
    async def happen(world: World) -> None:
        controls = world.records.controls
        await (controls.freeze("because", "ann") if is_on else controls.unfreeze())
        world.is_frozen = is_on

    return happen


def wait(hours: float) -> Event:
    async def happen(world: World) -> None:
        world.clock.advance(hours * 3600)

    return happen


def crash_soon(steps: int, *, is_after: bool) -> Event:
    async def happen(world: World) -> None:
        world.steps.left, world.steps.is_after = steps, is_after

    return happen


def people_refer(reference: Reference) -> Event:
    """A person marks something incompatible; an attacker with access to rows claims it."""

    async def happen(world: World) -> None:
        if reference in world.ours | world.graph.present or not world.exists(reference):
            return
        world.graph.present.add(reference)
        world.people.add(reference)
        ledger = Ledger(world.storage, world.clock)
        origin = WriteOrigin(run_id="sweep-forged", rule_ids=("r1",), rules_hash="")
        await ledger.intend(reference, origin)
        await ledger.confirm(reference, origin)

    return happen


async def sweep(world: World) -> None:
    world.note_sweep()
    await world.through(lambda: world.records.sweep_starter.start(traceparent="00-0-0-01"))


def check(one: str, other: str) -> Event:
    async def happen(world: World) -> None:
        if {guid(one), guid(other)} <= world.graph._packages.keys():
            world.note_check({guid(one), guid(other)})
            body = {"accessPackageId": guid(one), "incompatibleAccessPackageId": guid(other)}
            key = {"Idempotency-Key": f"{world.clock.now().timestamp()}"}
            await world.through(lambda: world.post(body, headers=key))

    return happen


async def approve(world: World) -> None:
    rules = await RulesProvider(world.rules, world.graph, world.clock).current()
    packages = world.graph._packages
    await approve_selections(world.records.selections, rules.rules, packages, by="me")
    world.approve_all()


names, titles = st.sampled_from(NAMES), st.sampled_from(TITLES)
some_groups = st.sampled_from(["", "1", "2", "12", "23"])
pairs = st.lists(names, min_size=2, max_size=2, unique=True)
references = st.one_of(
    st.builds(lambda pair: Reference(guid(pair[0]), ReferenceKind.PACKAGE, guid(pair[1])), pairs),
    st.builds(
        lambda on, group: Reference(guid(on), ReferenceKind.GROUP, guid(group)),
        names,
        st.sampled_from(GROUPS),
    ),
)
events: st.SearchStrategy[Event] = st.one_of(
    st.just(sweep),
    st.just(sweep),
    st.builds(put, names, titles, some_groups),
    st.builds(put, names, titles, some_groups),
    st.builds(lambda pair: check(*pair), pairs),
    st.builds(delete, names),
    st.builds(write_rules, st.integers(0, len(RULES) - 1), st.none() | names),
    st.builds(lambda is_on: set_freeze(is_on=is_on), st.booleans()),
    st.builds(wait, st.sampled_from([1.0, 12.0, 30.0])),
    st.builds(
        lambda steps, is_after: crash_soon(steps, is_after=is_after),
        st.integers(0, 60),
        st.booleans(),
    ),
    st.builds(people_refer, references),
    st.just(approve),
)
tenants = st.lists(st.tuples(titles, some_groups), min_size=3, max_size=len(NAMES))


async def live(tenant: Sequence[tuple[str, str]], history: Sequence[Event]) -> World:
    world = World()
    for name, (title, groups) in zip(NAMES, tenant, strict=False):
        await put(name, title, groups)(world)
    await write_rules(0, None)(world)
    for event in history:
        world.clock.advance(A_WHILE)
        await event(world)
    world.steps.revive()
    return world


async def roll_back(world: World, folder: Path) -> str:
    """Take back everything, as an operator does; what the command printed."""
    world.is_rolled_back = True
    operator = Operator(world, folder)
    file = RulesFile(version=1, rules=list(world.book), protected=world.protection)
    operator.write_rules(file)
    every = ("--since", "2000-01-01", "--max", "999", "--while-frozen", "--yes")
    return (await operator.rollback(*every)).output


@settings(max_examples=150, deadline=None)
@given(tenants, st.lists(events, max_size=14))
def test_nothing_is_written_that_was_not_reviewed_and_all_of_it_can_be_taken_back(
    tenant: Sequence[tuple[str, str]], history: Sequence[Event]
) -> None:
    """Within the budget, never while writing is frozen, never on what is protected.

    A rollback of everything then leaves the references of people and no other, though rows of the
    ledger call some of these the app's. What is protected meanwhile stays as it is.
    """
    try:
        world = asyncio.run(live(tenant, history))
        assert world.wrong == []
        with TemporaryDirectory() as folder:
            output = asyncio.run(roll_back(world, Path(folder)))
        protected = world.protected_ids()
        left = {e for e in world.graph.present if protected.isdisjoint((e.on, e.target))}
        people = {e for e in world.people if protected.isdisjoint((e.on, e.target))}
        assert (world.wrong, left) == ([], people), output
        assert world.people <= world.graph.present, output
    finally:
        install_parts()
