"""What was reviewed of rules, as runs meet it, and the rules with what has left them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from entra_sod.core.errors import Forbidden, StorageUnavailable
from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.results.coverage import Reason, rule_gaps
from entra_sod.domain.rules.language import AtMost, Mode, PackageSelector, Rule, Side
from entra_sod.domain.rules.selection import selection_key
from entra_sod.ports.storage import Row
from entra_sod.services.rules.provider import LIST_LIFETIME, RulesProvider
from entra_sod.services.rules.reviews import approve
from entra_sod.services.rules.selections import review_selections
from entra_sod.stores.selections import PARTITION, TABLE, SelectionStore
from local.memory.clock import ManualClock
from local.memory.graph import MemoryGraph
from local.memory.storage import MemoryStorage
from tests.app import RulesInMemory
from tests.builders import at_most, guid, package, rule, rule_set, side

PATTERN = rule("r", side("a"), Side(packages=[PackageSelector(name="Package b*")]))


def renamed(name: str, display_name: str) -> AccessPackage:
    return replace(package(name), display_name=display_name)


class Remembering:
    """A tenant of the packages "a" and "b", rules, and what was reviewed of them."""

    def __init__(self, *rules: Rule) -> None:
        self.clock, self.storage = ManualClock(), MemoryStorage()
        self.graph = MemoryGraph([package("a"), package("b")], {})
        self.files = RulesInMemory(rules)
        self.store = SelectionStore(self.storage, self.clock)
        self.provider = self.new_provider()

    def new_provider(self) -> RulesProvider:
        return RulesProvider(self.files, self.graph, self.clock, self.store)

    async def review(self) -> None:
        """Have a run meet the rules of now."""
        rules = (await self.provider.current()).rules
        await review_selections(self.store, rules, {}, by="first seen by sweep x")

    async def later(self) -> dict[str, Any]:
        """The packages of each side of the rule, and the gaps, when the list is read again."""
        self.clock.advance(LIST_LIFETIME.total_seconds() + 1)
        rules = await self.provider.current()
        return {
            "sides": [sorted(side) for side in rules.rules[0].package_sides],
            "gaps": [f"{each.what}: {each.why}" for each in rule_gaps(rules)],
        }


@pytest.mark.parametrize("mode", Mode)
async def test_a_package_that_is_renamed_stays_in_its_rule_and_is_told(mode: Mode) -> None:
    """By the name of today, with the rule and what to do; until it fits again."""
    world = Remembering(msgspec.structs.replace(PATTERN, mode=mode))
    await world.review()
    world.graph.put(renamed("b", "Pakcage b"))
    found = await world.later()
    assert found["sides"] == [[guid("a")], [guid("b")]]
    (gap,) = found["gaps"]
    assert gap.startswith(f'access package {guid("b")} ("Pakcage b"): rule r does not fit it')
    assert "entra-sod selection approve --rule r" in gap
    world.graph.put(package("b"))
    assert (await world.later())["gaps"] == []


async def test_a_package_of_a_set_that_is_renamed_stays_in_it() -> None:
    """The same for `atMost`, whose packages are sides of their own."""
    made = at_most("r", 1, "a", mode=Mode.ENFORCE)
    set_of = AtMost(count=1, of=[PackageSelector(name="Package *")])
    world = Remembering(msgspec.structs.replace(made, at_most=set_of))
    await world.review()
    world.graph.put(renamed("b", "Other"))
    found = await world.later()
    assert found["sides"] == [[guid("a"), guid("b")]]
    assert len(found["gaps"]) == 1


async def test_a_package_that_is_out_of_view_stays_in_its_rule_and_is_told() -> None:
    """Nothing shows its name then."""
    world = Remembering(PATTERN)
    await world.review()
    world.graph.unreadable.add(guid("b"))
    found = await world.later()
    assert found["sides"] == [[guid("a")], [guid("b")]]
    assert found["gaps"][0].startswith(f"access package {guid('b')}: rule r does not fit it")


async def test_decisions_know_what_was_reviewed_where_the_list_is_refused() -> None:
    """The rule keeps its packages; none is said to have left, for the list was not read."""
    world = Remembering(PATTERN)
    await world.review()

    async def refuse() -> list[AccessPackage]:
        raise Forbidden("no role", status=403)

    world.graph.packages = refuse  # type: ignore[method-assign]
    world.provider = world.new_provider()
    with pytest.raises(Forbidden):
        await world.provider.current()
    rules = await world.provider.from_today()
    assert rules.rules[0].package_sides[1] == {guid("b")}
    assert [each.reason for each in rule_gaps(rules)] == [Reason.UNREADABLE_ITEM]


async def test_a_rule_that_is_changed_starts_anew() -> None:
    """And one that is changed back goes back to what was reviewed of it."""
    world = Remembering(PATTERN)
    await world.review()
    world.graph.put(renamed("b", "Other"))
    other = msgspec.structs.replace(PATTERN, mode=Mode.WARN)
    world.files.write([other])
    assert (await world.later())["sides"] == [[guid("a")], []]
    world.files.write([PATTERN])
    assert (await world.later())["sides"] == [[guid("a")], [guid("b")]]


async def test_many_packages_that_left_are_counted() -> None:
    """A catalog that is out of reach makes a few lines, not thousands."""
    world = Remembering(PATTERN)
    names = [f"{number:08x}" for number in range(1, 9)]
    for name in names:
        world.graph.put(renamed(name, "Package b"))
    await world.review()
    for name in names:
        world.graph.put(renamed(name, "Other"))
    gaps = (await world.later())["gaps"]
    assert len(gaps) == 6
    assert gaps[-1].startswith("3 packages more: rule r")


async def test_a_rule_of_ids_alone_reads_nothing() -> None:
    """Nothing can leave it, so decisions by it need no storage."""
    world = Remembering(rule("r", side("a"), side("b")))
    row = Row(partition=PARTITION, key=selection_key(rule_set(PATTERN_IDS).rules[0]), values={})
    await world.storage.table(TABLE).insert(row)
    assert len((await world.provider.current()).constraints) == 1


PATTERN_IDS = rule("r", side("a"), side("b"))


async def test_without_a_store_nothing_is_remembered() -> None:
    """A renamed package leaves its rule, as ever."""
    world = Remembering(PATTERN)
    await world.review()
    world.graph.put(renamed("b", "Other"))
    world.provider = RulesProvider(world.files, world.graph, world.clock)
    assert (await world.later())["sides"] == [[guid("a")], []]


async def test_runs_that_meet_a_rule_at_once_agree() -> None:
    """The first run stores its selection, and all runs use that one."""
    world = Remembering(PATTERN)
    rules = (await world.provider.current()).rules
    found = await asyncio.gather(
        *(
            review_selections(
                SelectionStore(world.storage, world.clock),
                rules,
                {guid("b"): package("b", group)},
                by=f"run {group}",
            )
            for group in "123"
        )
    )
    assert [each["r"] for each in found] == [found[0]["r"]] * 3
    (stored,) = (await world.store.read(rules)).values()
    assert stored.selection == found[0]["r"]


async def test_approving_takes_what_is_selected_now_for_reviewed() -> None:
    """With who has approved; what packages grant that could not be read stays as it was."""
    world = Remembering(PATTERN)
    rules = (await world.provider.current()).rules
    read = {guid("a"): package("a", "1"), guid("b"): package("b", "2")}
    await review_selections(world.store, rules, read, by="x")
    await approve(world.store, rules, {guid("b"): package("b", "3")}, by="ann")
    (stored,) = (await world.store.read(rules)).values()
    assert stored.selection.groups == {guid("a"): (guid("1"),), guid("b"): (guid("3"),)}
    assert stored.row.values["reviewedBy"] == "ann"


async def test_what_is_damaged_is_mended_by_approving() -> None:
    """It is the only way: until then a run that needs it comes to nothing."""
    world = Remembering(PATTERN)
    rules = (await world.provider.current()).rules
    row = Row(partition=PARTITION, key=selection_key(rules[0]), values={"blob": "x"})
    await world.storage.table(TABLE).insert(row)
    with pytest.raises(StorageUnavailable, match="selection approve --rule r"):
        await review_selections(world.store, rules, {}, by="x")
    await approve(world.store, rules, {}, by="ann")
    assert (await review_selections(world.store, rules, {}, by="x"))["r"].packages == {
        guid("a"),
        guid("b"),
    }
