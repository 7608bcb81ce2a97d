"""Rules and a tenant to references: what holds whatever the rules and the tenant are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import cache
from itertools import combinations, islice, permutations, product
from math import factorial

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from entra_sod.cli.operations.plan_document import compile_references
from entra_sod.domain.enforcement.desired import DesiredReference, packages_in_view
from entra_sod.domain.enforcement.plan import Plan, make_plan
from entra_sod.domain.entra import AccessPackage, Reference, ReferenceKind
from entra_sod.domain.rules.language import AtMost, Mode, References, Rule, Side
from entra_sod.services.enforcement.reference_writer import ReferenceWriter, WritingRun
from entra_sod.stores.ledger import WRITING_LEASE, Ledger, LedgerState
from entra_sod.stores.write_controls import WriteControls
from local.memory.clock import ManualClock
from local.memory.graph import MemoryGraph
from local.memory.storage import MemoryStorage
from tests.builders import guid, package, rule, rule_set, side
from tests.services.enforcement.proven import AllProven

# Drawn from prepared lists, one draw each: a thousand examples of a test take seconds.
NAMES, GROUPS = "abcde", "1234"
some_groups: list[tuple[str, ...]] = [(), *((one,) for one in GROUPS), *combinations(GROUPS, 2)]
some_packages = ["".join(some) for size in (1, 2, 4, 5) for some in combinations(NAMES, size)]
some_sides = [
    *(side(*each) for each in product(some_packages, some_groups)),
    *(side("", groups) for groups in some_groups * 3 if groups),
]
foreign_references = [
    Reference(guid(on), kind, guid(target))
    for on in NAMES
    for kind, targets in ((ReferenceKind.GROUP, "19"), (ReferenceKind.PACKAGE, "abcde"))
    for target in targets
    if on != target
]


@cache
def tenant_package(name: str, groups: tuple[tuple[str, ...], ...]) -> AccessPackage:
    members, eligible = groups
    return replace(package(name, *members), eligible_groups=frozenset(map(guid, eligible)))


granted = st.sampled_from(list(product(some_groups, some_groups[:3])))
whole_tenants = st.tuples(*[granted] * len(NAMES)).map(
    lambda found: [tenant_package(*each) for each in zip(NAMES, found, strict=True)]
)


def tenants_of(least: int) -> st.SearchStrategy[list[AccessPackage]]:
    sizes = st.integers(least, len(NAMES))
    return st.builds(lambda whole, size: whole[:size], whole_tenants, sizes)


class Shape(Enum):
    TWO_SIDES = auto()
    THREE_SIDES = auto()
    AT_MOST_ONE = auto()


def some_rule(
    rule_id: str,
    between: tuple[Side, Side],
    way: tuple[Mode, References, bool, Shape],
) -> Rule:
    mode, references, eligible, shape = way
    third = [side("de", "4")] if shape is Shape.THREE_SIDES else []
    made = rule(rule_id, *between, *third, mode=mode, references=references)
    if shape is Shape.AT_MOST_ONE and between[0].packages:
        at_most = AtMost(count=1, of=between[0].packages)
        made = msgspec.structs.replace(made, between=None, at_most=at_most)
    return msgspec.structs.replace(made, eligible=eligible)


betweens = st.sampled_from(list(product(some_sides, some_sides)))
modes = [*[Mode.ENFORCE] * 6, Mode.WARN, Mode.RECORD]
ways = st.sampled_from(list(product(modes, References, (False, True), Shape)))
four_rules = st.tuples(*(st.builds(some_rule, st.just(f"r{n}"), betweens, ways) for n in range(4)))


def rules_of(least: int) -> st.SearchStrategy[list[Rule]]:
    return st.builds(lambda four, size: list(four[:size]), four_rules, st.integers(least, 4))


rule_lists, tenants = rules_of(1), tenants_of(2)
foreigners = st.frozensets(st.sampled_from(foreign_references), max_size=4)
numbers = st.integers(0, 119)
thorough = settings(max_examples=1000, deadline=None)
quick = settings(max_examples=200, deadline=None)


def compiled(rules: Iterable[Rule], packages: Iterable[AccessPackage]) -> list[DesiredReference]:
    return list(compile_references(rule_set(*rules), {each.id: each for each in packages}))


def references(desired: Iterable[DesiredReference]) -> set[Reference]:
    return {each.reference for each in desired}


def rearranged[T](items: Collection[T], number: int) -> list[T]:
    """One of the orders of a few items."""
    orders = permutations(items)
    return list(next(islice(orders, number % factorial(len(items)), None)))


def sides_of(each: Rule) -> list[tuple[set[str], set[str]]]:
    """The ids of packages and groups of each side, as the language defines them."""
    if each.at_most:
        return [({str(selector.id)}, set()) for selector in each.at_most.of]
    return [
        ({str(item.id) for item in one.packages}, {str(item.id) for item in one.groups})
        for one in each.between or ()
    ]


def facing(each: Rule, on: str) -> Iterator[tuple[set[str], set[str]]]:
    """The other sides, for each side that has the package."""
    for one, other in permutations(sides_of(each), 2):
        if on in one[0]:
            yield other[0] - {on}, other[1]


@thorough
@given(rule_lists, tenants)
def test_packages_ask_for_each_other(rules: list[Rule], packages: list[AccessPackage]) -> None:
    """A asks for B exactly where B asks for A, for the same rules: one direction is a hole."""
    found = {
        (each.reference.on, each.reference.target, each.rule_ids)
        for each in compiled(rules, packages)
        if each.reference.kind is ReferenceKind.PACKAGE
    }
    assert found == {(target, on, rule_ids) for on, target, rule_ids in found}


@thorough
@given(rule_lists, tenants)
def test_no_package_is_kept_from_its_own_holders(
    rules: list[Rule], packages: list[AccessPackage]
) -> None:
    """No package gets itself, or a group that it grants, members or eligible ones."""
    own = {each.id: {each.id} | each.member_groups | each.eligible_groups for each in packages}
    for reference in references(compiled(rules, packages)):
        assert reference.target not in own[reference.on]


@thorough
@given(rule_lists, tenants, numbers)
def test_the_order_of_rules_and_packages_does_not_matter(
    rules: list[Rule], packages: list[AccessPackage], number: int
) -> None:
    """Files and pages in any order give the same references in the same order."""
    first = compiled(rules, packages)
    assert compiled(rearranged(rules, number), rearranged(packages, number)) == first


@quick
@given(rule_lists)
def test_duties_are_the_same_looked_up_as_in_order(rules: list[Rule]) -> None:
    """Pairs are made while they are looked at: alone, in a row and counted they agree."""
    found = rule_set(*rules)
    in_order = list(found.constraints.in_order())
    assert [each.pair for each in in_order] == sorted({each.pair for each in in_order})
    assert dict(found.constraints) == {each.pair: each for each in in_order}
    assert len(found.constraints) == len(in_order)
    in_pairs = {package_id for each in in_order for package_id in each.pair}
    assert packages_in_view(found) == in_pairs | set(found.group_blocks)


@thorough
@given(rule_lists, tenants)
def test_every_reference_names_the_rules_that_ask_for_it(
    rules: list[Rule], packages: list[AccessPackage]
) -> None:
    """Each named rule keeps the package from something, and an enforcing one from the target."""
    by_id, by_rule = {each.id: each for each in packages}, {each.id: each for each in rules}

    def reached(each: Rule, on: str) -> set[str]:
        found: set[str] = set()
        for others, named in facing(each, on):
            for other in others & by_id.keys():
                found |= {other} | by_id[other].member_groups | by_id[other].eligible_groups
            found |= named
        return found

    for desired in compiled(rules, packages):
        on, target = desired.reference.on, desired.reference.target
        named = [by_rule[rule_id] for rule_id in desired.rule_ids]
        assert all(any(True for _ in facing(each, on)) for each in named)
        assert any(each.mode is Mode.ENFORCE and target in reached(each, on) for each in named)


@quick
@given(rule_lists, tenants)
def test_every_pair_of_an_enforcing_rule_is_kept_apart(
    rules: list[Rule], packages: list[AccessPackage]
) -> None:
    """What a rule says by itself is among the references: other rules take nothing away."""
    there = {each.id: each for each in packages}
    found = references(compiled(rules, packages))
    for each in rules:
        if each.mode is not Mode.ENFORCE:
            continue
        for on, other in permutations(there, 2):
            if not any(other in others for others, _ in facing(each, on)):
                continue
            if each.references.wants_packages:
                assert Reference(on, ReferenceKind.PACKAGE, other) in found
            if each.references.wants_groups:
                own = there[on].member_groups | there[on].eligible_groups
                for group in there[other].member_groups - own:
                    assert Reference(on, ReferenceKind.GROUP, group) in found


@thorough
@given(rule_lists, tenants, foreigners, foreigners)
def test_a_plan_that_was_applied_is_followed_by_an_empty_one(
    rules: list[Rule],
    packages: list[AccessPackage],
    present: frozenset[Reference],
    ledger: frozenset[Reference],
) -> None:
    """Nothing is left to add, to remove or to forget."""
    desired = compiled(rules, packages)
    plan = make_plan(desired, present, ledger)
    added = references(plan.additions)
    after = (present | added) - set(plan.removals)
    ours = (ledger | added) - set(plan.removals) - set(plan.vanished)
    again = make_plan(desired, after, ours)
    assert (again.writes, again.vanished) == (0, ())
    assert references(desired) <= after


@thorough
@given(rule_lists, tenants, foreigners, numbers)
def test_a_dropped_rule_takes_along_only_what_was_written(
    rules: list[Rule], packages: list[AccessPackage], foreign: frozenset[Reference], number: int
) -> None:
    """References that were there before us stay, and so does what other rules ask for."""
    ledger = references(make_plan(compiled(rules, packages), foreign).additions)
    rest = [each for place, each in enumerate(rules) if place != number % len(rules)]
    still = compiled(rest, packages)
    removals = set(make_plan(still, foreign | ledger, ledger).removals)
    assert removals <= ledger - references(still)
    assert not removals & foreign


class Killed(Exception):
    """The process is gone."""


class MortalGraph(MemoryGraph):
    """A graph at whose nth call the process dies: before it took effect, or just after.

    Every gap between two steps of the applier is beside a call of these.
    """

    calls_left: float = float("inf")
    dies_after: bool = False

    async def references(self, package_id: str, kind: ReferenceKind) -> frozenset[str]:
        return await self._call(lambda: super(MortalGraph, self).references(package_id, kind))

    async def add(self, reference: Reference) -> None:
        await self._call(lambda: super(MortalGraph, self).add(reference))

    async def remove(self, reference: Reference) -> None:
        await self._call(lambda: super(MortalGraph, self).remove(reference))

    async def _call[T](self, step: Callable[[], Awaitable[T]]) -> T:
        self.calls_left -= 1
        if self.calls_left == 0 and not self.dies_after:
            raise Killed
        answer = await step()
        if self.calls_left == 0:
            raise Killed
        return answer


type State = tuple[set[Reference], set[tuple[Reference, LedgerState]]]


@dataclass
class Case:
    """Rules that were applied, and of which one is dropped: so there is much to add and remove."""

    rules: list[Rule]
    packages: list[AccessPackage]
    foreign: frozenset[Reference]

    async def begun(self) -> World:
        """A tenant where another set of rules was applied before, in full."""
        world = World(self.packages)
        world.graph.present |= self.foreign
        await world.run(compiled(self.rules[1:], self.packages), order=0)
        return world

    @property
    def desired(self) -> list[DesiredReference]:
        return compiled(self.rules[:-1], self.packages)


class World:
    def __init__(self, packages: Sequence[AccessPackage]) -> None:
        self.graph = MortalGraph(packages, {})
        self.clock = ManualClock()
        storage = MemoryStorage()
        self.ledger = Ledger(storage, self.clock)
        self.controls = WriteControls(storage, self.clock)

    async def run(self, desired: list[DesiredReference], order: int) -> None:
        """What a sweep does, with the writes in some order.

        A run that died is followed by one that comes later than it may claim to be writing.
        """
        self.clock.advance(WRITING_LEASE.total_seconds())
        ours = [entry.reference async for entry in self.ledger.entries()]
        plan = make_plan(desired, set(self.graph.present), ours)
        writer = ReferenceWriter(self.graph, self.ledger, self.controls, self.clock, AllProven())
        entries = await writer.entries_of(plan.unchanged)
        await writer.adopt(plan, entries)
        shuffled = Plan(
            additions=tuple(turned(plan.additions, order)),
            removals=tuple(turned(plan.removals, order)),
            vanished=plan.vanished,
        )
        await writer.apply(shuffled, WritingRun(id="run", rules_hash="hash"))

    async def state(self) -> State:
        entries = {(entry.reference, entry.state) async for entry in self.ledger.entries()}
        return set(self.graph.present), entries


def turned[T](items: Sequence[T], number: int) -> Sequence[T]:
    """Started anywhere, and every other time backwards: lists are too long for all orders."""
    place = number % len(items) if items else 0
    around = [*items[place:], *items[:place]]
    return around if number % 2 else around[::-1]


# Enough of both that most of them have something to add and something to remove.
cases = st.builds(Case, rules_of(2), tenants_of(4), foreigners)


@thorough
@given(cases, numbers, st.tuples(st.integers(1, 40), st.booleans()))
async def test_a_run_that_died_is_finished_by_the_next(
    case: Case, order: int, death: tuple[int, bool]
) -> None:
    """In any order, dead after any step, run again: the same references, the same ledger."""
    world = await case.begun()
    desired, (present, ours) = case.desired, await world.state()
    wanted, written = references(desired), {each for each, _ in ours}
    world.graph.calls_left, world.graph.dies_after = death
    try:
        await world.run(desired, order)
    except Killed:
        await world.run(desired, order + 1)
    kept = (written & wanted) | (wanted - present)
    assert await world.state() == (
        (present - written) | wanted,
        {(each, LedgerState.WRITTEN) for each in kept},
    )
